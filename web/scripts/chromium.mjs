// A headless Chromium with WebGPU, the same in every test and check, on machines with and without a GPU.

import { chromium } from 'playwright-core';

// Without a GPU, Chromium has WebGPU only under this flag.
const WEBGPU = '--enable-unsafe-webgpu';
// The browser itself asks nobody anything: what a test sees on the network is the page's.
const QUIET = ['--disable-background-networking', '--disable-component-update', '--no-first-run'];
const FLAGS = ['--headless=new', '--no-sandbox', '--disable-dev-shm-usage', ...QUIET];

const ADAPTERS = { swiftshader: [WEBGPU, '--use-webgpu-adapter=swiftshader'], default: [WEBGPU], none: ['--disable-gpu'] };

/**
 * Launches the Chromium that OCELLI_CHROMIUM names (build.sh finds or installs one).
 * @param {{ adapter?: 'swiftshader' | 'default' | 'none', extra?: string[] }} options `swiftshader` is the software adapter
 *   that Chromium brings along, the same on every machine; `none` is a browser that finds no adapter; `extra` are flags
 * @returns {Promise<import('playwright-core').Browser>}
 */
export async function launchChromium({ adapter = 'swiftshader', extra = [] } = {}) {
  return chromium.launch({ executablePath: program(), args: [...FLAGS, ...ADAPTERS[adapter], ...extra], ignoreDefaultArgs: ['--headless'] });
}

/**
 * Launches it with an unpacked extension.
 * @param {string} extension its folder
 * @param {string} profile an empty folder for the browser's own files
 * @returns {Promise<import('playwright-core').BrowserContext>}
 */
export async function launchWithExtension(extension, profile) {
  return chromium.launchPersistentContext(profile, {
    executablePath: program(), args: [...FLAGS, `--disable-extensions-except=${extension}`, `--load-extension=${extension}`],
    ignoreDefaultArgs: ['--headless', '--disable-extensions'],
  });
}

function program() {
  const path = process.env.OCELLI_CHROMIUM;
  if (!path) throw new Error('OCELLI_CHROMIUM is not set: run ./build.sh test, or set it to a Chromium or Chrome');
  return path;
}
