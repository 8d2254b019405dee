// How the browser is asked to compile: beside the thread that draws pages, each kernel once, and what it says against one.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { cases, mounts } from './common/goldens.mjs';
import { startSite } from './common/site.mjs';

const { pictures: [picture], prompt, max_new_tokens: maxNewTokens, greedy_ids: ids } = cases('pg1-hd16')[0];
const QUESTION = { image: `/pictures/${picture}`, prompt, maxNewTokens };

let browser;
let close;
let site;

before(async () => {
  ({ site, browser, close } = await startSite({ mounts }));
});

after(() => close?.());

/**
 * Runs `work(question, open, seen)` in a page of its own: `open` loads a model there, without a worker, and `seen` is what
 * the browser was asked for meanwhile.
 */
async function inPage(work) {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.goto(`${site.url}blank/`);
    await page.evaluate(() => {
      const { prototype } = GPUDevice;
      const { createComputePipeline, createComputePipelineAsync } = prototype;
      globalThis.seen = { devices: new Set(), asked: [], plain: 0 };
      prototype.createComputePipeline = function (descriptor) {
        globalThis.seen.plain++;
        return createComputePipeline.call(this, descriptor);
      };
      prototype.createComputePipelineAsync = function (descriptor) {
        globalThis.seen.devices.add(this);
        globalThis.seen.asked.push(descriptor.label);
        return createComputePipelineAsync.call(this, descriptor);
      };
    });
    return await page.evaluate(`(async () => {
      const { load } = await import('/dist/index.js');
      const open = () => load('/models/pg1-hd16', { device: 'gpu', dtype: 'f32', worker: false });
      return (${work})(${JSON.stringify(QUESTION)}, open, globalThis.seen);
    })()`);
  } finally {
    await context.close();
  }
}

test('every kernel is compiled once and aside, and the device is left as it was', async () => {
  const { asked, plain, own, tokens } = await inPage(async (question, open, seen) => {
    const model = await open();
    const { tokens } = await model.generate(question).answer;
    model.dispose();
    return { asked: seen.asked, plain: seen.plain, tokens, own: [...seen.devices].map((device) => Object.getOwnPropertyNames(device)) };
  });
  assert.deepEqual(tokens, ids);
  assert.equal(plain, 0);
  assert.ok(asked.length >= 10, asked.join(', '));
  assert.equal(new Set(asked).size, asked.length, 'a kernel was compiled twice');
  assert.deepEqual(own, [[]]);
});

test('a browser without the asynchronous method compiles all the same', async () => {
  const { plain, tokens } = await inPage(async (question, open, seen) => {
    delete GPUDevice.prototype.createComputePipelineAsync;
    const model = await open();
    const { tokens } = await model.generate(question).answer;
    model.dispose();
    return { plain: seen.plain, tokens };
  });
  assert.deepEqual(tokens, ids);
  assert.ok(plain >= 10);
});

test('a kernel that the browser refuses is named, with what the browser says', async () => {
  const { refused, invalid, tokens } = await inPage(async (question, open) => {
    const { prototype } = GPUDevice;
    const { createComputePipelineAsync, createShaderModule } = prototype;
    const told = ({ code, message }) => ({ code, message });
    prototype.createComputePipelineAsync = function (descriptor) {
      if (descriptor.label !== 'patchify') return createComputePipelineAsync.call(this, descriptor);
      return Promise.reject(new GPUPipelineError('out of registers', { reason: 'internal' }));
    };
    const refused = await open().then(() => undefined, told);
    prototype.createComputePipelineAsync = createComputePipelineAsync;
    prototype.createShaderModule = function (descriptor) {
      const code = descriptor.label === 'patchify' ? 'no shader' : descriptor.code;
      return createShaderModule.call(this, { ...descriptor, code });
    };
    const invalid = await open().then(() => undefined, told);
    prototype.createShaderModule = createShaderModule;
    const model = await open();
    const { tokens } = await model.generate(question).answer;
    model.dispose();
    return { refused, invalid, tokens };
  });
  for (const { code, message } of [refused, invalid]) {
    assert.equal(code, 'OCELLI_INTERNAL');
    assert.match(message, /the kernel `patchify` does not compile on this device/);
  }
  assert.match(refused.message, /out of registers/);
  assert.match(invalid.message, /no shader|expected/i);
  assert.deepEqual(tokens, ids);
});
