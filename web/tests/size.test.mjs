// What a page downloads: the network shows exactly the files that the size budget counts.

import assert from 'node:assert/strict';
import { relative } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { launchChromium } from '../scripts/chromium.mjs';
import { closureOf } from '../scripts/closure.mjs';
import { serve } from '../scripts/serve.mjs';

const WEB = fileURLToPath(new URL('..', import.meta.url));

let browser;
let site;

before(async () => {
  site = await serve({ port: 0, mounts: { '/blank': `${WEB}tests/pages` } });
  browser = await launchChromium();
});

after(async () => {
  await browser?.close();
  await site?.close();
});

for (const [entry, use] of [
  ['index', async ({ load }, url) => (await (await load()).caption(url)).text],
  ['transformers', async ({ pipeline }, url) => (await (await pipeline('image-to-text'))(url))[0].generated_text],
]) {
  test(`a caption by ${entry} asks for the closure of that entry, and for no other code`, async () => {
    const context = await browser.newContext();
    const asked = new Set();
    context.on('request', (request) => asked.add(new URL(request.url()).pathname));
    const page = await context.newPage();
    await page.goto(`${site.url}blank/`);
    asked.clear();
    const text = await page.evaluate(`import('/dist/${entry}.js').then((module) => (${use})(module, '/samples/harbour.png'))`);
    assert.ok(text.length > 0);
    const code = [...asked].filter((path) => /\.(js|wasm)$/.test(path)).sort();
    assert.deepEqual(code, closureOf(`${WEB}dist/${entry}.js`).map((path) => `/${relative(WEB, path)}`).sort());
    await context.close();
  });
}
