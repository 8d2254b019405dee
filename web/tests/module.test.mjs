// The built wasm module starts in Chromium under the site's policy, and its pieces can be told apart by size.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { launchChromium } from '../scripts/chromium.mjs';
import { serve } from '../scripts/serve.mjs';
import { partsOf } from '../scripts/wasm-parts.mjs';

const named = new URL('../build/ocelli_named.wasm', import.meta.url);

let browser;
let site;

before(async () => {
  site = await serve({ port: 0, mounts: { '/blank': new URL('pages', import.meta.url).pathname } });
  browser = await launchChromium();
});

after(async () => {
  await browser?.close();
  await site?.close();
});

test('the module starts in a page that allows no eval', async () => {
  const page = await browser.newPage();
  const faults = [];
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  page.on('pageerror', (error) => faults.push(String(error)));
  await page.goto(`${site.url}blank/`);
  const memory = await page.evaluate(async () => {
    const { default: start } = await import('/pkg/ocelli.js');
    return (await start()).memory.buffer.byteLength;
  });
  assert.ok(memory >= 65536, `${memory} bytes of memory`);
  assert.deepEqual(faults, []);
});

test('Chromium offers its software WebGPU adapter', async () => {
  const page = await browser.newPage();
  await page.goto(`${site.url}blank/`);
  const adapter = await page.evaluate(async () => {
    const found = await navigator.gpu.requestAdapter();
    return found && { architecture: found.info.architecture, fallback: found.info.isFallbackAdapter };
  });
  assert.deepEqual(adapter, { architecture: 'swiftshader', fallback: true });
});

test('every byte of the module belongs to a part', () => {
  const module = readFileSync(named);
  const parts = partsOf(module);
  const total = parts.reduce((sum, { bytes }) => sum + bytes, 0);
  assert.ok(parts.length > 1 && total > 0 && total <= module.length, `${total} of ${module.length} bytes`);
  assert.equal(new Set(parts.map(({ name }) => name)).size, parts.length);
});

test('the module is compiled with SIMD', () => {
  assert.ok(readFileSync(named).includes('+\x07simd128'), 'no +simd128 in its target_features section');
});
