// The page that measures: every device of this browser, every kernel of its GPU, and the figures as JSON.

import { devices } from './dist/index.js';
import { timeKernels } from './parts/bench/kernels.js';
import { timeStages } from './parts/bench/stages.js';
import { kernelRows, stageRow } from './parts/bench/tables.js';
import { $, el } from './parts/dom.js';
import { DTYPES } from './parts/models.js';

const PICTURES = ['samples/harbour.png', 'samples/pets.png'];

let stop;
let record;

/** Measures one thing after the other; `part` is how much of the bar each of `parts` takes. */
async function measure({ url, runs, formats, signal }) {
  const found = await devices();
  const gpu = found.find(({ device }) => device === 'gpu');
  const parts = found.length + (gpu ? formats.length : 0);
  let part = 0;
  const options = { pictures: PICTURES, signal, onProgress: (share, what) => tell((part + share) / parts, what) };
  for (const device of found) {
    const result = await timeStages(device, url, { ...options, runs });
    record.devices.push(result);
    $('rows').append(stageRow(result));
    $('room').hidden = false;
    part++;
  }
  if (!gpu) $('no-kernels').hidden = false;
  for (const dtype of gpu ? formats : []) {
    const result = await timeKernels(url, { ...options, dtype });
    // A pack has its weights in one format, whatever is asked for.
    if (!record.kernels.some((known) => known.dtype === result.dtype)) {
      record.kernels.push(result);
      $('kernel-rows').append(...kernelRows(result));
      $('kernel-room').hidden = false;
    }
    part++;
  }
}

function tell(share, what) {
  $('bar').value = share;
  $('status').textContent = what;
}

$('bench').addEventListener('submit', async (submitted) => {
  submitted.preventDefault();
  stop = new AbortController();
  const url = $('model').value;
  record = { when: new Date().toISOString(), userAgent: navigator.userAgent, cores: navigator.hardwareConcurrency, model: url, devices: [], kernels: [] };
  for (const id of ['rows', 'kernel-rows']) $(id).replaceChildren();
  for (const id of ['out', 'room', 'kernel-room', 'no-kernels']) $(id).hidden = true;
  for (const id of ['bar', 'stop']) $(id).hidden = false;
  $('start').disabled = true;
  try {
    await measure({ url, runs: $('runs-of').valueAsNumber, formats: $('formats').checked ? Object.keys(DTYPES) : [undefined], signal: stop.signal });
    $('status').textContent = 'Done.';
  } catch (error) {
    $('status').textContent = stop.signal.aborted ? 'Stopped.' : `${error.message} ${error.remedy ?? ''}`;
  } finally {
    $('start').disabled = false;
    for (const id of ['bar', 'stop']) $(id).hidden = true;
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
