// Runs alone: it measures time.
//
// How soon cancelled work stops: within one token while it writes, and within one layer while it looks and reads.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { cases, mounts } from './common/goldens.mjs';
import { startSite } from './common/site.mjs';

const { vision_config: vision, text_config: text } = JSON.parse(readFileSync(new URL('../../tests/goldens/pg1-hd16/config.json', import.meta.url)));
const LAYERS = vision.num_hidden_layers + text.num_hidden_layers;
const golden = cases('pg1-hd16').find(({ prompt, pictures: [picture] }) => prompt.startsWith('caption en') && picture === 'cat.png');

let browser;
let close;
let page;
let site;

before(async () => {
  ({ site, browser, close } = await startSite({ mounts }));
  page = await browser.newPage();
  await page.goto(`${site.url}blank/`);
});

after(() => close?.());

/** Starts the worker with a model in it. */
async function start(device) {
  const loaded = await page.evaluate(async ([wanted, url]) => {
    globalThis.worker?.terminate();
    globalThis.worker = new Worker('/blank/cancel-worker.js', { type: 'module' });
    globalThis.tell = (message) => new Promise((resolve, reject) => {
      globalThis.worker.onmessage = ({ data }) => resolve(data);
      globalThis.worker.onerror = ({ message: why }) => reject(new Error(why));
      globalThis.worker.postMessage(message);
    });
    return globalThis.tell({ load: { url, options: { device: wanted, dtype: 'f32', mirrors: [], connections: 1, cache: false } } });
  }, [device, `${site.url}models/pg1-hd16/`]);
  assert.equal(loaded, 'loaded');
}

/** Asks about a picture, a fresh one where none is named, and cancels as planned. */
function ask(plan, maxNewTokens = 400, picture = undefined) {
  return page.evaluate(([message]) => globalThis.tell(message), [{
    plan, ask: { ...(picture && { pictures: [`${site.url}pictures/${picture}`] }), task: { prompt: { text: golden.prompt } }, options: { maxNewTokens }, logits: false },
  }]);
}

for (const device of ['cpu', 'gpu']) {
  test(`on the ${device}, writing stops within a token`, async (t) => {
    await start(device);
    for (const at of [1, 2, 5]) {
      const { type, code, told, counts } = await ask({ what: 'pieces', at });
      assert.deepEqual([type, code], ['failed', 'OCELLI_CANCELLED']);
      assert.ok(counts.pieces - told.pieces <= 1, `${counts.pieces - told.pieces} pieces came after all`);
    }
    const { tokens } = await ask(undefined, golden.max_new_tokens, 'cat.png');
    assert.deepEqual(tokens, golden.greedy_ids);
  });

  test(`on the ${device}, looking and reading stop within a layer`, async (t) => {
    await start(device);
    const what = device === 'cpu' ? 'chances' : 'submissions';
    const { counts: { first } } = await ask(undefined, 4);
    t.diagnostic(`${first[what]} ${what} before the first piece; ${LAYERS} layers`);
    const moments = Array.from({ length: first[what] - 1 }, (_, index) => index + 1);
    if (device === 'cpu') assert.ok(first[what] >= LAYERS, `${first[what]} chances to stop in ${LAYERS} layers`);
    for (const at of moments) {
      const { type, code, told, counts } = await ask({ what, at });
      assert.deepEqual([type, code], ['failed', 'OCELLI_CANCELLED']);
      assert.equal(counts.pieces, 0);
      assert.ok(counts[what] - told[what] <= 1, `${counts[what] - told[what]} ${what} came after all`);
    }
    const { tokens } = await ask(undefined, golden.max_new_tokens, 'cat.png');
    assert.deepEqual(tokens, golden.greedy_ids);
  });
}
