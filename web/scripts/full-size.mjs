// A model of PaliGemma 3B's size and random weights, made, converted, and loaded by every player: what each step takes.
//
// `node full-size.mjs --cli OCELLI --dir DIR [--dtype q4] [--answer cpu,lavapipe] [--small]` prints a table, checks it, and
// prints one line of JSON. DIR takes 8 GB; what is complete there is not made again. `--answer` has these players answer,
// too. `--small` takes the bench's model and a smaller limit, to see whether the script itself works.

import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { watchWorker } from '../tests/common/worker-memory.mjs';
import { launchChromium } from './chromium.mjs';
import { serve } from './serve.mjs';

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));

const { values } = parseArgs({
  options: {
    cli: { type: 'string', default: path('../../target/release/ocelli') },
    dir: { type: 'string', default: path('../../target/full-size') },
    dtype: { type: 'string', default: 'q4' },
    answer: { type: 'string', default: 'cpu' },
    small: { type: 'boolean', default: false },
  },
});
const source = join(values.dir, 'checkpoint');
const pack = join(values.dir, values.dtype);
const PICTURE = path('../../tests/pictures/cat.png');
/** The largest tensor of the source: the table of embeddings, in f16. */
const LARGEST = values.small ? 32_768 * 640 * 2 : 257_216 * 2048 * 2;
/** What WebGPU gives every page. */
const BINDING_MIB = values.small ? 4 : 128;
/** How often the memory of a process is read, in ms. */
const INTERVAL = 50;

const faults = [];
const rows = [];

/** Runs the command line; its answer, and the most memory that it was seen to hold. */
async function run(step, args) {
  const started = performance.now();
  const child = spawn(values.cli, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (text) => (said += text));
  let anonymous = 0;
  let resident = 0;
  const watch = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      const bytes = (name) => Number(status.match(new RegExp(`${name}:\\s+(\\d+) kB`))?.[1] ?? 0) * 1024;
      anonymous = Math.max(anonymous, bytes('RssAnon'));
      resident = Math.max(resident, bytes('VmHWM'));
    } catch {
      // The process has ended.
    }
  }, INTERVAL);
  const code = await new Promise((resolve) => child.on('close', resolve));
  clearInterval(watch);
  if (code !== 0) throw new Error(`${step} failed: ${said}`);
  const row = { step, seconds: (performance.now() - started) / 1000, anonymous, resident };
  rows.push(row);
  return { row, answer: said ? JSON.parse(said) : undefined };
}

/** Notes what a device holds, and checks that it is little more than the weights. */
function weigh(row, { weights, loaded, table }) {
  Object.assign(row, { weights, loaded, table });
  if (loaded > 1.05 * weights) faults.push(`${row.step}: ${loaded} bytes on the device for ${weights} of weights`);
}

async function natively(player, device) {
  const asked = values.answer.split(',').includes(player);
  const args = ['weigh', pack, ...device, '--max-binding-mib', String(BINDING_MIB), ...(asked ? ['--image', PICTURE] : [])];
  const { row, answer } = await run(`load, ${player}`, args);
  weigh(row, { weights: answer.weights_bytes, loaded: answer.loaded_bytes, table: answer.table_rows });
  Object.assign(row, { adapter: answer.adapter, ...answer.answered });
  if (answer.table_rows.length < 2) faults.push(`${row.step}: the table is one buffer, beyond ${BINDING_MIB} MiB`);
}

async function inBrowser() {
  const site = await serve({ port: 0, mounts: { '/full-size/': pack, '/blank': path('../tests/pages') } });
  const browser = await launchChromium();
  try {
    const page = await browser.newPage();
    const worker = await watchWorker(page);
    await page.goto(`${site.url}blank/`);
    const started = performance.now();
    let held = 0;
    let done = false;
    const loading = page.evaluate(load).finally(() => (done = true));
    while (!done) {
      await new Promise((resolve) => setTimeout(resolve, INTERVAL));
      held = Math.max(held, await worker.held().catch(() => 0));
    }
    const { memory, adapter } = await loading;
    const row = { step: 'load, Chromium', seconds: (performance.now() - started) / 1000, adapter, heap: held, module: await worker.modules() };
    rows.push(row);
    const { weightsBytes: weights, kvBytes, activationBytes } = memory;
    weigh(row, { weights, loaded: weights + kvBytes + activationBytes });
  } finally {
    await browser.close();
    await site.close();
  }
}

/** Runs in the page. */
async function load() {
  const { load } = await import('/dist/index.js');
  // Not kept: a context of no profile has too little room for it.
  const model = await load('/full-size/', { device: 'gpu', cache: false });
  return model.info;
}

const mb = (bytes) => (bytes === undefined ? '' : (bytes / 1e6).toFixed(0));

function print() {
  const columns = {
    step: 20, seconds: 8, 'anonymous MB': 13, 'resident MB': 12, 'weights MB': 11, 'device MB': 10, 'JS heap MB': 11, 'wasm MB': 8,
  };
  const line = (cells) => Object.values(columns).map((width, index) => String(cells[index] ?? '').padStart(width)).join(' ');
  console.log(line(Object.keys(columns)));
  for (const row of rows) {
    const { step, seconds, anonymous, resident, weights, loaded, heap, module } = row;
    console.log(line([step, seconds.toFixed(0), ...[anonymous, resident, weights, loaded, heap, module].map(mb)]));
  }
}

await run('make', ['make-bench-model', source, ...(values.small ? [] : ['--full-size'])]);
if (!existsSync(join(pack, 'ocelli.json'))) {
  const { row } = await run(`convert to ${values.dtype}`, ['convert', source, pack, '--dtype', values.dtype, '--json']);
  if (row.anonymous > 2 * LARGEST) faults.push(`the conversion held ${row.anonymous} bytes, and the largest tensor has ${LARGEST}`);
}
await natively('cpu', ['--device', 'cpu']);
await natively('lavapipe', ['--device', 'gpu', '--adapter', 'llvmpipe']);
await inBrowser();
print();
console.log(JSON.stringify({ 'full size': rows }));
for (const fault of faults) console.error(`full size: ${fault}`);
process.exitCode = faults.length > 0 ? 1 : 0;
