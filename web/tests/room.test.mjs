// A device without room: seen before the first shard is fetched, told by the name of what it refused, and nothing stays
// behind. And a device with room: ready for the first question when the load is over.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { launchChromium } from '../scripts/chromium.mjs';
import { serve } from '../scripts/serve.mjs';
import { cases, mounts } from './common/goldens.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const [golden] = cases('pg1-hd16');
const QUESTION = { image: '/pictures/cat.png', prompt: golden.prompt, maxNewTokens: golden.max_new_tokens };

let browser;
let folder;
let page;
let site;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocelli-room-'));
  // The command line was built for the native tests.
  const convert = ['convert', join(root, 'tests/goldens/pg1-hd16'), join(folder, 'f32'), '--dtype', 'f32', '--shard-mib', '0.1'];
  execFileSync(join(root, 'target/debug/ocelli'), convert);
  site = await serve({ port: 0, mounts: { ...mounts, '/packs': folder } });
  browser = await launchChromium();
  page = await browser.newPage();
  await page.addInitScript(watchDevice);
  await page.goto(`${site.url}blank/`);
});

after(async () => {
  await browser?.close();
  await site?.close();
  await rm(folder, { recursive: true });
});

/** Runs in the page, where the models of these tests work: counts what its device makes, and has it refuse a buffer. */
function watchDevice() {
  const live = new Set();
  globalThis.device = { live, refuse: undefined, pipelines: 0 };
  const { createBuffer, createComputePipeline, createComputePipelineAsync } = GPUDevice.prototype;
  const { destroy } = GPUBuffer.prototype;
  GPUDevice.prototype.createBuffer = function (descriptor) {
    if (descriptor.label !== device.refuse) {
      const buffer = createBuffer.call(this, descriptor);
      live.add(buffer);
      return buffer;
    }
    device.refuse = undefined;
    // The browser's own refusal, of a quarter of a terabyte, in whatever error scope is open; and a buffer as it gives
    // one then.
    const { maxTextureDimension2D: side, maxTextureArrayLayers: layers } = this.limits;
    this.createTexture({ size: [side, side, layers], format: 'rgba32float', usage: GPUTextureUsage.TEXTURE_BINDING });
    this.pushErrorScope('validation');
    const buffer = createBuffer.call(this, { ...descriptor, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.MAP_WRITE });
    void this.popErrorScope();
    return buffer;
  };
  GPUBuffer.prototype.destroy = function () {
    live.delete(this);
    destroy.call(this);
  };
  GPUDevice.prototype.createComputePipeline = function (descriptor) {
    device.pipelines++;
    return createComputePipeline.call(this, descriptor);
  };
  GPUDevice.prototype.createComputePipelineAsync = function (descriptor) {
    device.pipelines++;
    return createComputePipelineAsync.call(this, descriptor);
  };
  globalThis.open = async (url) => {
    const { load } = await import('/dist/index.js');
    return load(url, { device: 'gpu', dtype: 'f32', worker: false, cache: false });
  };
  globalThis.told = ({ code, message, remedy, details }) => ({ code, message, remedy, details });
  /** Frees a model; how many buffers stay. */
  globalThis.close = async (model) => {
    model.dispose();
    for (let waited = 0; live.size > 0 && waited < 5000; waited += 50) await new Promise((resolve) => setTimeout(resolve, 50));
    return live.size;
  };
}

for (const refuse of ['decoder.embed', 'k.1', 'scratch 0']) {
  test(`no memory for ${refuse}: the load says so, frees everything, and the next one works`, async () => {
    const shards = [];
    const listen = (request) => request.url().includes('/weights-') && shards.push(request.url());
    page.on('request', listen);
    const { error, left } = await page.evaluate(async (refuse) => {
      device.refuse = refuse;
      const error = await open('/packs/f32/').then(() => undefined, told);
      return { error, left: device.live.size };
    }, refuse);
    page.off('request', listen);
    assert.equal(error?.code, 'OCELLI_OUT_OF_MEMORY', JSON.stringify(error));
    assert.ok(error.message.includes(`the buffer \`${refuse}\``), error.message);
    if (refuse === 'decoder.embed') assert.match(error.message, /the weights take \d+ bytes in f32, \d+ more than the device gave/);
    assert.equal(left, 0, 'buffers stay');
    // The device is opened, and asked for weights and caches, before the first shard is fetched.
    if (refuse !== 'scratch 0') assert.deepEqual(shards, []);
  });
}

test('weights that find no room: the page gets figures, and the dtype that fits', async () => {
  const error = await page.evaluate(async () => {
    device.refuse = 'decoder.norm';
    return open('/models/pg1-hd16/').then(() => undefined, told);
  });
  assert.equal(error?.code, 'OCELLI_OUT_OF_MEMORY', JSON.stringify(error));
  const { needed, available, fits, fitsBytes } = error.details ?? {};
  assert.equal(fits, 'f16', JSON.stringify(error));
  assert.ok(fitsBytes <= available && available < needed, JSON.stringify(error.details));
  assert.ok(error.remedy.includes(`needs ${fitsBytes} bytes`) && error.remedy.endsWith("`dtype: 'f16'`."), error.remedy);
});

test('no memory for an answer on its way back: the call says so, and the next one works', async () => {
  const { error, again, left } = await page.evaluate(async (question) => {
    const model = await open('/packs/f32/');
    device.refuse = 'readback';
    const error = await model.generate(question).then(() => undefined, told);
    const again = await model.generate(question).then(({ tokens }) => tokens, told);
    return { error, again, left: await close(model) };
  }, QUESTION);
  assert.equal(error?.code, 'OCELLI_OUT_OF_MEMORY', JSON.stringify(error));
  assert.ok(error.message.includes('the buffer `readback`'), error.message);
  assert.deepEqual(again, golden.greedy_ids);
  assert.equal(left, 0, 'buffers stay');
});

for (const url of ['/packs/f32/', '/models/pg1-hd16/']) {
  test(`the first question makes no pipeline (${url})`, async () => {
    const { loading, asking, tokens } = await page.evaluate(async ({ url, question }) => {
      device.pipelines = 0;
      const model = await open(url);
      const loading = device.pipelines;
      const { tokens } = await model.generate(question);
      const asking = device.pipelines - loading;
      await close(model);
      return { loading, asking, tokens };
    }, { url, question: QUESTION });
    assert.ok(loading > 10, `${loading} pipelines while it loaded`);
    assert.equal(asking, 0);
    assert.deepEqual(tokens, golden.greedy_ids);
  });
}
