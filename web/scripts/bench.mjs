// The speed of both players in headless Chromium, on the random-weight model that `ocelli make-bench-model` writes.
//
// `node bench.mjs [--model DIR] [--runs N] [--only cpu-q8,gpu-f32]` prints a table and then one line of JSON.

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { launchChromium } from './chromium.mjs';
import { serve } from './serve.mjs';

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));

const PROMPT = 'describe photo';
/** The first token comes from the prefill, so this many decode steps and one. */
const DECODE_STEPS = 32;

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: path('../../target/bench-model') },
    runs: { type: 'string', default: '3' },
    only: { type: 'string', default: 'cpu-q8,cpu-f32,gpu-q8,gpu-f32' },
  },
});
const runs = Number(values.runs);
if (!(Number.isInteger(runs) && runs > 0)) fail(`--runs is ${values.runs}; expected a whole number above 0`);
if (!existsSync(`${values.model}/config.json`)) fail(`no model in ${values.model}; make it with: ocelli make-bench-model DIR`);

function fail(message) {
  console.error(`bench: ${message}`);
  process.exit(1);
}

const site = await serve({
  port: 0,
  mounts: { '/bench-model': values.model, '/pictures': path('../../tests/pictures'), '/blank': path('../tests/pages') },
});
const browser = await launchChromium();
const rows = [];
try {
  for (const name of values.only.split(',')) {
    const [device, dtype] = name.split('-');
    const page = await browser.newPage();
    await page.goto(`${site.url}blank/`);
    const { info, answers, promptTokens } = await page.evaluate(measure, { device, dtype, runs, prompt: PROMPT, tokens: DECODE_STEPS + 1 });
    await page.close();
    // The best run: what else the machine does only ever makes a run slower.
    const best = (timing) => Math.min(...answers.map(({ timings }) => timings[timing]));
    rows.push({
      where: 'browser', device, dtype, adapter: info.adapter,
      load_ms: info.loadMs, image_ms: best('imageMs'), encode_ms: best('encodeMs'), prefill_ms: best('prefillMs'),
      decode_ms_per_token: best('decodeMsPerToken'), prompt_tokens: promptTokens,
      decode_steps: Math.min(...answers.map(({ tokens }) => tokens - 1)), weights_bytes: info.memory.weightsBytes,
    });
    print(rows.at(-1), rows.length === 1);
  }
} finally {
  await browser.close();
  await site.close();
}
console.log(JSON.stringify({ bench: rows }));

/** Runs in the page. The first answer, which compiles pipelines and warms caches, is not counted. */
async function measure({ device, dtype, runs, prompt, tokens: maxNewTokens }) {
  const { load } = await import('/dist/index.js');
  const model = await load('/bench-model', { device, dtype });
  // Two pictures by turns: the one seen last is not encoded again.
  const images = await Promise.all(['cat', 'rocket'].map(async (name) => (await fetch(`/pictures/${name}.png`)).blob()));
  const first = await model.generate({ image: images[1], prompt, maxNewTokens: 2 });
  const answers = [];
  for (let run = 0; run < runs; run++) {
    const { timings, tokens } = await model.generate({ image: images[run % 2], prompt, maxNewTokens });
    answers.push({ timings, tokens: tokens.length });
  }
  model.dispose();
  return { info: model.info, answers, promptTokens: first.promptTokens.length };
}

function print(row, first) {
  const columns = { device: 6, dtype: 6, load_ms: 9, image_ms: 9, encode_ms: 10, prefill_ms: 11, decode_ms_per_token: 20, decode_steps: 13 };
  const line = (cell) => Object.entries(columns).map(([name, width]) => cell(name).padStart(width)).join(' ');
  if (first) console.log(line((name) => name));
  console.log(line((name) => (typeof row[name] === 'number' && name !== 'decode_steps' ? row[name].toFixed(1) : String(row[name]))));
}
