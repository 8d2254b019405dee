// Runs alone: it measures memory.
//
// What a load holds in memory does not grow with the model: bytes go to the disk in small pieces, and from there one
// shard at a time.

import assert from 'node:assert/strict';
import { createHash, randomFillSync } from 'node:crypto';
import { after, before, test } from 'node:test';

import { launchChromium } from '../scripts/chromium.mjs';
import { serveFaults } from './common/fault-server.mjs';
import { watchWorker } from './common/worker-memory.mjs';

const MIB = 1 << 20;
const SHARD = 8 * MIB;
const SHARDS = 16;

let browser;
let site;

before(async () => {
  site = await serveFaults();
  browser = await launchChromium({ adapter: 'none' });
});

after(async () => {
  await browser?.close();
  await site?.close();
});

/** Shards that differ, cut from one piece of memory. */
function largePack() {
  const files = new Map();
  const all = randomFillSync(Buffer.alloc(SHARD + SHARDS));
  const add = (file, bytes) => {
    files.set(file, bytes);
    return { file, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
  };
  const shards = Array.from({ length: SHARDS }, (_, index) => add(`weights-${index}.safetensors`, all.subarray(index, index + SHARD)));
  const tokenizer = add('tokenizer.json', all.subarray(0, 1000));
  files.set('ocelli.json', Buffer.from(JSON.stringify({ format: 1, dtype: 'q8', tokenizer, shards, licence: null })));
  return { files, sums: [tokenizer, ...shards].map(({ sha256 }) => sha256) };
}

test(`${SHARDS} shards of ${SHARD / MIB} MiB take less than two shards of memory, downloaded or kept`, async (t) => {
  const pack = largePack();
  site.add('large', pack);
  const page = await browser.newPage();
  const worker = await watchWorker(page);
  await page.goto(`${site.url}pages/packs.html`);
  await page.evaluate(() => (globalThis.worker = startWorker()));
  for (const time of ['downloaded', 'kept']) {
    await worker.collect();
    const before = await worker.held();
    let peak = 0;
    let samples = 0;
    let done = false;
    const loading = page.evaluate((url) => globalThis.worker.load({ url }), `${site.url}packs/large/`).finally(() => (done = true));
    while (!done) {
      peak = Math.max(peak, (await worker.held()) - before);
      samples++;
    }
    const { kind, sums, error } = await loading;
    assert.equal(error, undefined);
    assert.equal(kind, 'opfs');
    assert.deepEqual(sums, pack.sums);
    t.diagnostic(`${time}: at most ${(peak / MIB).toFixed(1)} MiB above the start, in ${samples} samples`);
    assert.ok(samples > 20 && peak > SHARD / 2, 'it was not watched');
    // The module holds one more while it puts it on the device: three together.
    assert.ok(peak < 2 * SHARD, `${peak} bytes`);
  }
});
