// The second module: fetched only when it is asked for, in a worker of its own, with arrays that are handed over.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { launchChromium } from '../scripts/chromium.mjs';
import { closureOf } from '../scripts/closure.mjs';
import { serve } from '../scripts/serve.mjs';
import { mounts } from './common/goldens.mjs';

const WEB = fileURLToPath(new URL('..', import.meta.url));
const CHECKPOINT = fileURLToPath(new URL('../../tests/goldens/pg1-hd16/', import.meta.url));
const { image_token_index: image } = JSON.parse(readFileSync(`${CHECKPOINT}config.json`));

let asked;
let browser;
let page;
let site;

before(async () => {
  site = await serve({ port: 0, mounts });
  browser = await launchChromium({ adapter: 'none' });
  const context = await browser.newContext();
  context.on('request', (request) => asked?.add(new URL(request.url()).pathname));
  page = await context.newPage();
  await page.goto(`${site.url}blank/`);
});

after(async () => {
  await browser?.close();
  await site?.close();
});

test('a call of the second module gives arrays of its own, and fetches nothing of the first', async () => {
  asked = new Set();
  const { ids, taken, again } = await page.evaluate(async (image) => {
    const { Extra } = await import('/dist/extra.js');
    const file = await (await fetch('/models/pg1-hd16/tokenizer.json')).arrayBuffer();
    const extra = new Extra();
    const [ids] = await extra.call('encode', { file, bos: 2, image, texts: ['caption en'] }, [file]);
    const again = await extra.call('encode', { file: new ArrayBuffer(2), bos: 2, image, texts: [] }).catch(({ name, code }) => ({ name, code }));
    extra.close();
    return { ids: ids instanceof Uint32Array && [...ids], taken: file.byteLength === 0, again };
  }, image);
  assert.ok(ids.length > 0 && ids.every((id) => id < image), String(ids));
  assert.ok(taken, 'the file was copied');
  assert.deepEqual(again, { name: 'ModelError', code: 'OCELLI_BAD_TOKENIZER' });
  const code = [...asked].filter((path) => /\.(js|wasm)$/.test(path)).sort();
  assert.deepEqual(code, closureOf(`${WEB}dist/extra.js`).map((path) => `/${relative(WEB, path)}`).sort());
  assert.ok(!code.some((path) => path.endsWith('ocelli_bg.wasm')), 'the first module was fetched too');
});

test('a call that is open when the module is closed is cancelled', async () => {
  const code = await page.evaluate(async () => {
    const { Extra } = await import('/dist/extra.js');
    const extra = new Extra();
    const call = extra.call('kernels', {});
    extra.close();
    return call.catch(({ code }) => code);
  });
  assert.equal(code, 'OCELLI_CANCELLED');
});
