// The same interface without a worker: the same answers, cancelled and freed as well.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { cases, mounts } from './common/goldens.mjs';
import { startSite } from './common/site.mjs';

let browser;
let close;
let page;
let site;

before(async () => {
  ({ site, browser, close } = await startSite({ mounts }));
  page = await (await browser.newContext()).newPage();
  await page.goto(`${site.url}blank/`);
});

after(() => close?.());

for (const device of ['cpu', 'gpu']) {
  test(`answers are the reference's in the page too, on the ${device}`, async () => {
    const { pictures: [picture], prompt, max_new_tokens: maxNewTokens, greedy_ids: ids, text } = cases('pg1-hd16')[0];
    const answer = await page.evaluate(async ({ wanted, image, question, most }) => {
      const { load } = await import('/dist/index.js');
      const model = await load('/models/pg1-hd16', { device: wanted, dtype: 'f32', worker: false });
      const run = model.generate({ image, prompt: question, maxNewTokens: most });
      let pieces = '';
      for await (const piece of run) pieces += piece;
      const { tokens, text: whole, device: used } = await run;
      model.dispose();
      return { tokens, whole, used, pieces };
    }, { wanted: device, image: `/pictures/${picture}`, question: prompt, most: maxNewTokens });
    assert.deepEqual(answer, { tokens: ids, whole: text, used: device, pieces: text });
    assert.equal(page.workers().length, 0);
  });
}

test('calls are cancelled, and a model that is disposed of in its work is freed behind it', async () => {
  const { outcomes, sizes } = await page.evaluate(async () => {
    const [{ load }, { default: start }] = await Promise.all([import('/dist/index.js'), import('/pkg/ocelli.js')]);
    const code = (promise) => Promise.resolve(promise).then(() => 'none', (error) => error.code);
    const ask = (model, signal) => model.generate({ image: '/pictures/cat.png', prompt: 'caption en', maxNewTokens: 200, ...(signal && { signal }) });
    const outcomes = [];
    const sizes = [];
    for (let time = 0; time < 12; time++) {
      const model = await load('/models/pg1-hd16', { device: 'cpu', worker: false });
      const stop = new AbortController();
      const stopped = ask(model, stop.signal);
      for await (const _ of stopped) {
        stop.abort();
        break;
      }
      outcomes.push(await code(stopped));
      // Disposed of in the middle.
      const left = ask(model);
      for await (const _ of left) {
        model.dispose();
        break;
      }
      outcomes.push(await code(left), await code(ask(model)));
      sizes.push((await start()).memory.buffer.byteLength);
    }
    return { outcomes, sizes };
  });
  assert.deepEqual([...new Set(outcomes)], ['OCELLI_CANCELLED']);
  assert.equal(outcomes.length, 36);
  assert.equal(sizes.at(-1), sizes[2], `the module's memory grew: ${sizes}`);
});

test('loading is cancelled', async () => {
  const code = await page.evaluate(async () => {
    const { load } = await import('/dist/index.js');
    const stop = new AbortController();
    const loading = load('/models/pg1-hd16', { device: 'cpu', worker: false, cache: false, signal: stop.signal, onProgress: () => stop.abort() });
    return loading.then(() => 'loaded', (error) => error.code);
  });
  assert.equal(code, 'OCELLI_CANCELLED');
});

test('a page\'s own devices are opened as it asks, and its interface is left as it was', async () => {
  const { same, during, own, page: asked } = await page.evaluate(async () => {
    const { load } = await import('/dist/index.js');
    const { prototype } = GPUAdapter;
    const browserOwn = prototype.requestDevice;
    const seen = [];
    // What reaches the browser.
    const recording = prototype.requestDevice = function (descriptor = {}) {
      seen.push({ label: descriptor.label, subgroups: [...(descriptor.requiredFeatures ?? [])].includes('subgroups'), replaced: prototype.requestDevice !== recording });
      return browserOwn.call(this, descriptor);
    };
    const loading = Promise.all([1, 2].map(() => load('/models/pg1-hd16', { device: 'gpu', worker: false })));
    while (seen.length === 0) await new Promise((later) => setTimeout(later));
    const adapter = await navigator.gpu.requestAdapter();
    const device = await adapter.requestDevice({ label: 'of the page' });
    device.destroy();
    for (const model of await loading) model.dispose();
    const same = prototype.requestDevice === recording;
    prototype.requestDevice = browserOwn;
    return { same, during: seen[0].replaced, own: seen.filter(({ label }) => label === 'ocelli'), page: seen.filter(({ label }) => label !== 'ocelli') };
  });
  assert.equal(same, true);
  assert.equal(during, true, 'nothing was replaced: then this test shows nothing');
  assert.deepEqual(own.map(({ subgroups }) => subgroups), [true, true]);
  assert.deepEqual(asked.map(({ subgroups }) => subgroups), [false]);
});
