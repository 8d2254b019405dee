// The page that measures: every device of this browser, and the figures as JSON.

import { devices, load } from './dist/index.js';
import { $, el } from './parts/dom.js';
import { duration } from './parts/figures.js';

const PICTURES = ['samples/harbour.png', 'samples/pets.png'];

let stop;
let record;

const middle = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** One device: the model loaded on it, and the medians of its runs. */
async function measure({ device, name }, url, runs, signal) {
  $('status').textContent = `Loading on ${name}…`;
  const model = await load(url, { device, signal });
  try {
    const samples = [];
    // The first run of each picture fills caches and compiles; it does not count.
    for (let run = -1; run < runs; run++) {
      $('status').textContent = run < 0 ? `Warming up ${name}…` : `${name}: run ${run + 1} of ${runs}…`;
      // Another picture each time: the one before need not be encoded again.
      const before = performance.now();
      const { timings, tokens } = await model.caption(PICTURES[(run + 1) % 2], { maxNewTokens: 24, signal });
      if (run >= 0) samples.push({ ...timings, wholeMs: performance.now() - before, tokens: tokens.length });
    }
    const of = (key) => middle(samples.map((sample) => sample[key]));
    return {
      device, name: model.info.adapter || name, dtype: model.info.dtype, memory: model.info.memory, loadMs: model.info.loadMs,
      encodeMs: of('encodeMs'), prefillMs: of('prefillMs'), decodeMsPerToken: of('decodeMsPerToken'), wholeMs: of('wholeMs'), samples,
    };
  } finally {
    model.dispose();
  }
}

function row({ device, name, loadMs, encodeMs, prefillMs, decodeMsPerToken, wholeMs }) {
  const figures = [loadMs, encodeMs, prefillMs, decodeMsPerToken, wholeMs].map((ms) => el('td', {}, duration(ms)));
  return el('tr', {}, el('th', { scope: 'row' }, device === 'gpu' ? `WebGPU: ${name}` : 'CPU'), ...figures);
}

$('bench').addEventListener('submit', async (submitted) => {
  submitted.preventDefault();
  stop = new AbortController();
  $('start').disabled = true;
  $('stop').hidden = false;
  $('rows').replaceChildren();
  record = { when: new Date().toISOString(), userAgent: navigator.userAgent, cores: navigator.hardwareConcurrency, model: $('model').value, devices: [] };
  try {
    for (const device of await devices()) {
      const result = await measure(device, $('model').value, $('runs-of').valueAsNumber, stop.signal);
      record.devices.push({ ...result, software: device.software });
      $('rows').append(row(result));
      $('room').hidden = false;
    }
    $('status').textContent = 'Done.';
  } catch (error) {
    $('status').textContent = error.code === 'OCELLI_CANCELLED' ? 'Stopped.' : `${error.message} ${error.remedy ?? ''}`;
  } finally {
    $('start').disabled = false;
    $('stop').hidden = true;
    $('out').hidden = record.devices.length === 0;
  }
});
$('stop').addEventListener('click', () => stop.abort('the button was pressed'));
$('copy').addEventListener('click', async () => {
  const done = await navigator.clipboard.writeText(JSON.stringify(record, null, 2)).then(() => true, () => false);
  $('status').textContent = done ? 'Copied.' : 'The clipboard is not allowed here; download it instead.';
});
$('save').addEventListener('click', () => {
  const link = el('a', { href: URL.createObjectURL(new Blob([JSON.stringify(record, null, 2)], { type: 'application/json' })), download: 'ocelli-bench.json' });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
});
// Until here a press would have sent the form.
$('start').disabled = false;
