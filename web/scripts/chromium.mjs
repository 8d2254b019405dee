// A headless Chromium with WebGPU, the same in every test and check, on machines with and without a GPU.

import { chromium } from 'playwright-core';

const FLAGS = ['--enable-unsafe-webgpu', '--no-sandbox', '--disable-dev-shm-usage'];

/**
 * Launches the Chromium that OCELLI_CHROMIUM names (build.sh finds or installs one).
 * @param {{ adapter?: 'swiftshader' | 'default' | 'none' }} options `swiftshader` is the software adapter that Chromium
 *   brings along, the same on every machine; `none` is a browser without WebGPU
 * @returns {Promise<import('playwright-core').Browser>}
 */
export async function launchChromium({ adapter = 'swiftshader' } = {}) {
  const executablePath = process.env.OCELLI_CHROMIUM;
  if (!executablePath) throw new Error('OCELLI_CHROMIUM is not set: run ./build.sh test, or set it to a Chromium or Chrome');
  const choice = { swiftshader: ['--use-webgpu-adapter=swiftshader'], default: [], none: ['--disable-features=WebGPU'] }[adapter];
  return chromium.launch({ executablePath, args: ['--headless=new', ...FLAGS, ...choice], ignoreDefaultArgs: ['--headless'] });
}
