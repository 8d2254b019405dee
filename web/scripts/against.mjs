// The speed of this checkout against that of another: `./build.sh bench --against DIR`, which builds both first.
//
// `node against.mjs --against DIR [--pairs N] [--repeat N] [--players NAMES] [--dtypes LIST] [--browser]`
// Exit status: 0 nothing is slower, 1 something is, 2 it could not be measured, 3 noise hid it.
// The other checkout is only asked what its own `bench` has always printed.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { judge, LOSS, settle, SPREAD, status } from './verdict.mjs';

const PAIRS = 15;
const FIGURES = ['encode_ms', 'prefill_ms', 'decode_ms_per_token'];
const HERE = fileURLToPath(new URL('../..', import.meta.url));

const { values } = parseArgs({
  options: {
    against: { type: 'string' },
    pairs: { type: 'string', default: String(PAIRS) },
    repeat: { type: 'string', default: '3' },
    players: { type: 'string', default: 'cpu' },
    dtypes: { type: 'string', default: 'f32,f16,q8,q4' },
    browser: { type: 'boolean', default: false },
  },
});

function fail(message) {
  console.error(`against: ${message}`);
  process.exit(2);
}

if (!values.against) fail('--against needs the folder of another checkout');
const number = (name) => {
  const found = Number(values[name]);
  return Number.isInteger(found) && found > 0 ? found : fail(`--${name} is ${values[name]}; expected a whole number above 0`);
};
const [pairs, repeat] = [number('pairs'), number('repeat')];
const checkouts = { before: resolve(values.against), after: resolve(HERE) };
if (checkouts.before === checkouts.after) fail('--against names this checkout itself');
for (const folder of Object.values(checkouts)) {
  if (!existsSync(join(folder, 'target/release/ocelli'))) fail(`${folder} has no target/release/ocelli; build it with: cargo build --release`);
}

/** The last line that a command prints, as JSON. */
function told(command, parameters, cwd) {
  const ran = spawnSync(command, parameters, { cwd, encoding: 'utf8', maxBuffer: 1 << 26 });
  if (ran.error || ran.status !== 0) fail(`${command} ${parameters.join(' ')}, in ${cwd}: ${ran.error ?? ran.stderr + ran.stdout}`);
  return JSON.parse(ran.stdout.trimEnd().split('\n').at(-1));
}

/** Runs the native bench of a checkout for one dtype; rows by their names. */
function native(folder, dtype) {
  const parameters = ['bench', '--json', '--players', values.players, '--dtypes', dtype, '--repeat', String(repeat)];
  const { rows } = told(join(folder, 'target/release/ocelli'), [...parameters, '--model', join(folder, 'target/bench-model')], folder);
  return rows.map((row) => [`${row.player} ${row.dtype}`, row]);
}

/** The same in a tab, on the CPU player. */
function tab(folder, dtype) {
  const { bench } = told('node', [join(folder, 'web/scripts/bench.mjs'), '--runs', String(repeat), '--only', `cpu-${dtype}`], folder);
  return bench.map((row) => [`tab ${row.device} ${row.dtype}`, row]);
}

const sources = values.dtypes.split(',').map((dtype) => (folder) => native(folder, dtype));
// A tab is not asked for every dtype: its code is the same, and loading takes long.
if (values.browser) sources.push((folder) => tab(folder, 'q8'));

/** What a source's figures measured in pairs, by name. */
function measure(source) {
  const all = new Map();
  for (let pair = 0; pair < pairs; pair++) {
    const found = {};
    // Who goes first changes, so that neither always finds what the other left.
    for (const side of pair % 2 ? ['after', 'before'] : ['before', 'after']) found[side] = new Map(source(checkouts[side]));
    for (const [name, row] of found.before) {
      for (const figure of FIGURES) {
        const times = { before: row[figure], after: found.after.get(name)?.[figure] };
        if (!(times.before > 0 && times.after > 0)) fail(`${name}: ${figure} was not measured by both: ${JSON.stringify(times)}`);
        const key = `${name} ${figure}`;
        all.set(key, [...(all.get(key) ?? []), times]);
      }
    }
  }
  return all;
}

if (pairs < PAIRS) console.log(`${pairs} pairs are a hint; ${PAIRS} are a verdict`);
const settled = new Map();
for (const source of sources) {
  const verdicts = new Map();
  const open = () => [...verdicts.values()].some((tries) => !settle(tries));
  do {
    for (const [key, times] of measure(source)) {
      const tries = verdicts.get(key) ?? [];
      if (settle(tries)) continue;
      const { ratio, spread, verdict } = judge(times);
      verdicts.set(key, [...tries, verdict]);
      console.log(`${key.padEnd(36)} ${((ratio - 1) * 100).toFixed(1).padStart(6)} %  spread ${spread.toFixed(2)}  ${verdict}`);
    }
  } while (open());
  for (const [key, tries] of verdicts) settled.set(key, settle(tries));
}
const which = (verdict) => [...settled].filter(([, found]) => found === verdict).map(([key]) => key);
if (which('lost').length) console.log(`slower by more than ${Math.round((LOSS - 1) * 100)} %: ${which('lost').join(', ')}`);
if (which('noisy').length) console.log(`the pairs differ too much (p90/p10 above ${SPREAD}): ${which('noisy').join(', ')}`);
console.log(`${which('kept').length} of ${settled.size} figures are as fast as before`);
process.exit(status([...settled.values()]));
