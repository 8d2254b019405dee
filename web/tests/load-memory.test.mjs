// Runs alone: it measures memory.
//
// What a whole load holds, the module's memory included: never more than three shards above that of a small model, wherever
// the files are kept.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { launchChromium } from '../scripts/chromium.mjs';
import { serve } from '../scripts/serve.mjs';
import { mounts } from './common/goldens.mjs';
import { watchWorker } from './common/worker-memory.mjs';

const MIB = 1 << 20;
const SHARD = 8 * MIB;
const SHARDS = 12;
/** Pieces between network, disk and module, and what the garbage collector has not met yet; the same for shards of any size. */
const ON_THE_WAY = 2 * MIB;
const root = fileURLToPath(new URL('../..', import.meta.url));
const golden = join(root, 'tests/goldens/pg1-hd16');

let browser;
let folder;
let site;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocelli-load-memory-'));
  await enlarge(join(folder, 'source'));
  // The command line was built for the native tests.
  const convert = (source, name, mib) =>
    execFileSync(join(root, 'target/debug/ocelli'), ['convert', source, join(folder, 'packs', name), '--dtype', 'f32', '--shard-mib', String(mib)]);
  convert(golden, 'small', 16);
  convert(join(folder, 'source'), 'large', SHARD / MIB);
  for (const variant of ['plain', 'no-files']) {
    for (const part of ['dist', 'pkg']) await cp(new URL(`../${part}`, import.meta.url), join(folder, variant, part), { recursive: true });
  }
  const worker = join(folder, 'no-files/dist/worker.js');
  await writeFile(worker, `${await readFile(worker, 'utf8')}\ndelete FileSystemFileHandle.prototype.createSyncAccessHandle;\n`);
  site = await serve({ port: 0, mounts: { ...mounts, '/packs': join(folder, 'packs'), '/plain': join(folder, 'plain'), '/no-files': join(folder, 'no-files') } });
  browser = await launchChromium();
});

after(async () => {
  await browser?.close();
  await site?.close();
  await rm(folder, { recursive: true });
});

/** Writes the golden checkpoint with a vocabulary so long that its table fills the shards; the further rows are zero. */
async function enlarge(into) {
  await mkdir(into, { recursive: true });
  for (const file of ['tokenizer.json', 'preprocessor_config.json', 'generation_config.json']) await cp(join(golden, file), join(into, file));
  const whole = await readFile(join(golden, 'model.safetensors'));
  const start = 8 + Number(whole.readBigUInt64LE(0));
  const header = JSON.parse(whole.subarray(8, start).toString());
  const name = Object.keys(header).find((name) => name.endsWith('embed_tokens.weight'));
  const { shape: [, width], data_offsets: [first, end] } = header[name];
  const config = JSON.parse(await readFile(join(golden, 'config.json'), 'utf8'));
  const rows = (SHARDS * SHARD) / (width * 4);
  config.text_config.vocab_size = rows;
  const more = rows * width * 4 - (end - first);
  header[name].shape = [rows, width];
  header[name].data_offsets = [first, end + more];
  for (const [other, { data_offsets }] of Object.entries(header)) {
    if (other !== name && data_offsets?.[0] >= end) header[other].data_offsets = data_offsets.map((at) => at + more);
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const parts = [length, json, whole.subarray(start, start + end), Buffer.alloc(more), whole.subarray(start + end)];
  await writeFile(join(into, 'model.safetensors'), Buffer.concat(parts));
  await writeFile(join(into, 'config.json'), JSON.stringify(config));
}

/** Loads a pack in a page of its own; the most that its worker's heap held, and what its module holds. */
async function load(variant, name, options) {
  const context = await browser.newContext();
  const page = await context.newPage();
  const worker = await watchWorker(page);
  await page.goto(`${site.url}blank/`);
  let done = false;
  let heap = 0;
  let samples = 0;
  const loading = page.evaluate(async ({ variant, name, options }) => {
    const { load } = await import(`/${variant}/dist/index.js`);
    globalThis.model = await load(`/packs/${name}/`, { device: 'gpu', ...options });
  }, { variant, name, options }).finally(() => (done = true));
  loading.catch(() => undefined);
  while (!done) {
    heap = Math.max(heap, await Promise.race([worker.held(), loading.then(() => 0)]));
    samples++;
  }
  await loading;
  // It never shrinks.
  const module = await worker.modules();
  await context.close();
  return { heap, module, samples };
}

for (const [store, variant, options] of [['files', 'plain', {}], ['Cache API', 'no-files', {}], ['memory', 'plain', { cache: false }]]) {
  test(`a load by way of ${store} holds at most three shards`, async (t) => {
    const small = await load(variant, 'small', options);
    const large = await load(variant, 'large', options);
    const [heap, module] = [large.heap - small.heap, large.module - small.module];
    t.diagnostic(`${store}: ${(heap / MIB).toFixed(1)} MiB of heap and ${(module / MIB).toFixed(1)} MiB of the module above a small model, in ${large.samples} samples; a shard has ${SHARD / MIB} MiB`);
    assert.ok(large.samples > 20 && module >= SHARD / 2, 'it was not watched');
    assert.ok(heap + module <= 3 * SHARD + ON_THE_WAY, `${heap} + ${module} bytes`);
  });
}
