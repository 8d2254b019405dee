// The demo page: one picture, one prompt, one answer, by nothing but the package's public face.

import { CancelledError, OcelliError, load } from '../dist/index.js';

const SAMPLE_MODEL = 'samples/pg1-hd16/';
const SAMPLES = [
  { file: 'cat.png', says: 'a cat', prompt: 'caption en' },
  { file: 'rocket.png', says: 'a rocket on its launch pad', prompt: 'detect rocket ; cloud' },
  { file: 'coffee-alpha.png', says: 'a cup of coffee, fading to nothing at its edge', prompt: 'answer en what is on the table' },
  { file: 'astronaut-grey.png', says: 'an astronaut, in grey', prompt: 'ocr' },
];

const $ = (id) => document.getElementById(id);

let picture;
let pictureUrl;
/** The loaded model and what it was loaded for. */
let loaded = { model: undefined, key: '' };
let running;

function show(id, visible) {
  $(id).hidden = !visible;
}

function say(text) {
  $('status').textContent = text;
}

/** @param {Blob} blob */
function choose(blob, alt) {
  picture = blob;
  if (pictureUrl) URL.revokeObjectURL(pictureUrl);
  pictureUrl = URL.createObjectURL(blob);
  $('preview').src = pictureUrl;
  $('preview').alt = alt;
  show('preview', true);
  show('drop-text', false);
  for (const button of $('samples').children) button.setAttribute('aria-pressed', 'false');
}

async function chooseSample({ file, says, prompt }, button) {
  const response = await fetch(`samples/pictures/${file}`);
  if (!response.ok) return complain(new Error(`the sample ${file} is not there (status ${response.status})`));
  choose(await response.blob(), says);
  button.setAttribute('aria-pressed', 'true');
  $('prompt').value = prompt;
}

for (const sample of SAMPLES) {
  const button = document.createElement('button');
  button.type = 'button';
  button.dataset.file = sample.file;
  button.setAttribute('aria-pressed', 'false');
  const image = document.createElement('img');
  image.src = `samples/pictures/${sample.file}`;
  image.alt = sample.says;
  button.append(image);
  button.addEventListener('click', () => void chooseSample(sample, button));
  $('samples').append(button);
}

$('file').addEventListener('change', () => {
  const [file] = $('file').files;
  if (file) choose(file, file.name);
});
for (const type of ['dragenter', 'dragover']) {
  $('drop').addEventListener(type, (event) => {
    event.preventDefault();
    $('drop').classList.add('over');
  });
}
$('drop').addEventListener('dragleave', () => $('drop').classList.remove('over'));
$('drop').addEventListener('drop', (event) => {
  event.preventDefault();
  $('drop').classList.remove('over');
  const [file] = event.dataTransfer?.files ?? [];
  if (file) choose(file, file.name);
});
$('model').addEventListener('input', () => show('sample-note', $('model').value === SAMPLE_MODEL));

function complain(error) {
  const known = error instanceof OcelliError;
  $('error-message').textContent = known ? error.message : String(error);
  $('error-remedy').textContent = known ? error.remedy : '';
  $('error-code').textContent = known ? error.code : '';
  show('error', true);
  say('That did not work.');
}

const PHASES = {
  wait: 'Another tab is fetching the model; waiting for it',
  download: 'Fetching the model',
  verify: 'Checking the files',
  upload: 'Preparing the weights',
  warmup: 'Preparing the device',
};

function onProgress({ phase, done, total, secondsLeft, fraction }) {
  const megabytes = (bytes) => (bytes / 1e6).toFixed(1);
  $('progress').value = fraction;
  const amount = done ? `: ${megabytes(done)}${total ? ` of ${megabytes(total)}` : ''} MB` : '';
  say(PHASES[phase] + amount + (secondsLeft > 3 ? `, ${Math.round(secondsLeft)} s left` : ''));
}

/** The model that the form asks for, loaded again only where something changed. */
async function wantedModel(signal) {
  const [url, device, dtype] = ['model', 'device', 'dtype'].map((id) => $(id).value);
  const key = [url, device, dtype].join('\n');
  if (loaded.key === key) return loaded.model;
  loaded.model?.dispose();
  loaded = { model: undefined, key: '' };
  show('progress', true);
  try {
    const model = await load(url, { device, dtype, signal, onProgress });
    loaded = { model, key };
    return model;
  } finally {
    show('progress', false);
  }
}

function showFacts({ device, adapter, timings, memory, tokens }) {
  const ms = (value) => (value >= 1000 ? `${(value / 1000).toFixed(2)} s` : `${value.toFixed(value < 10 ? 2 : 0)} ms`);
  const facts = {
    'fetching the model': ms(timings.downloadMs),
    'preparing it': ms(timings.loadMs),
    'reading the picture': ms(timings.imageMs),
    'seeing it': ms(timings.encodeMs),
    'reading the prompt': ms(timings.prefillMs),
    'each token': ms(timings.decodeMsPerToken),
    'memory in use': `${((memory.weightsBytes + memory.kvBytes + memory.activationBytes) / 1e6).toFixed(1)} MB`,
  };
  $('device-line').textContent = `${device.toUpperCase()}, ${adapter}`;
  $('timings').replaceChildren(
    ...Object.entries(facts).map(([name, value]) => {
      const entry = document.createElement('div');
      const term = document.createElement('dt');
      const definition = document.createElement('dd');
      term.textContent = name;
      definition.textContent = value;
      entry.append(term, definition);
      return entry;
    }),
  );
  $('tokens').textContent = tokens.join(' ');
  show('facts', true);
}

async function ask(signal) {
  if (!picture) throw new Error('Choose a picture first.');
  const model = await wantedModel(signal);
  say('Looking at the picture…');
  const run = model.generate({ image: picture, prompt: $('prompt').value, maxNewTokens: $('limit').valueAsNumber, signal });
  for await (const piece of run) {
    $('answer').textContent += piece;
    say('Answering…');
  }
  const answer = await run;
  $('answer').textContent = answer.text;
  showFacts(answer);
  say({ eos: 'Done.', stop: 'Done.', length: 'Done: the allowed number of tokens is reached.' }[answer.finish]);
}

$('form').addEventListener('submit', async (event) => {
  event.preventDefault();
  if (running) return;
  running = new AbortController();
  $('run').disabled = true;
  $('cancel').disabled = false;
  $('answer').textContent = '';
  show('error', false);
  show('facts', false);
  try {
    await ask(running.signal);
  } catch (error) {
    // A device that went away takes its model along; the next question loads it again.
    if (!(error instanceof CancelledError)) {
      loaded.model?.dispose();
      loaded = { model: undefined, key: '' };
      complain(error);
    } else say('Cancelled.');
  } finally {
    running = undefined;
    $('run').disabled = false;
    $('cancel').disabled = true;
  }
});
$('cancel').addEventListener('click', () => running?.abort('the button was pressed'));

await chooseSample(SAMPLES[0], $('samples').children[0]);
