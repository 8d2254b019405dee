// The page: the parts, and how they speak to each other.

import { CancelledError, devices } from './dist/index.js';
import { takePhoto } from './parts/camera.js';
import { Card } from './parts/card.js';
import { watchTheme } from './parts/colours.js';
import { Composer } from './parts/composer.js';
import { $, el } from './parts/dom.js';
import { percent, size } from './parts/figures.js';
import { drawIcons } from './parts/icons.js';
import { LoadingView } from './parts/loading.js';
import { ModelDialog } from './parts/model-dialog.js';
import { Models } from './parts/models.js';
import { deviceLine, makeRoom, notice, watchNetwork } from './parts/notices.js';
import { keepOpened, keepRest, offerInstall } from './parts/offline.js';
import { coloursOf } from './parts/palette.js';
import { pasted, take, watch } from './parts/picture.js';
import { Question } from './parts/question.js';
import { SAMPLES } from './parts/samples.js';
import { Stage } from './parts/stage.js';
import { Visit } from './parts/visit.js';

drawIcons();
watchTheme();
makeRoom();
watchNetwork();
offerInstall();

const stage = new Stage();
const visit = new Visit();
const models = new Models();
const composer = new Composer();
/** @type {import('../src/types.js').DeviceReport[]} */
let known = [];
const modelDialog = new ModelDialog(models, () => known);
/** @type {Card[]} */
let cards = [];
/** The question whose objects are on the stage. */
let looked;
let loadingView;

const behavior = matchMedia('(prefers-reduced-motion: reduce)').matches ? 'instant' : 'smooth';

const say = (text) => {
  $('status').textContent = text;
};

// Pictures.

/** @param {import('./parts/picture.js').Shown} picture */
function show(picture) {
  visit.show(picture);
  stage.show(picture);
  composer.hints = picture.hints;
  for (const button of $('samples').querySelectorAll('button')) button.setAttribute('aria-pressed', String(button.dataset.file === picture.file));
  cards = visit.questions(picture).map(cardOf);
  drawThread();
  looked = undefined;
  const latest = visit.questions(picture).find(({ answer }) => answer?.objects.length > 0);
  if (latest) look(latest);
}

async function open(blob, about) {
  try {
    show(await take(blob, about));
    say('');
    notice('picture', undefined);
  } catch (error) {
    notice('picture', `${error.message} ${error.remedy ?? ''}`);
  }
}

async function openSample(sample) {
  const asked = visit.find(sample.file);
  if (asked) return show(asked);
  const response = await fetch(`samples/${sample.file}`).catch(() => undefined);
  if (!response?.ok) return notice('picture', `The sample ${sample.file} cannot be fetched now.`);
  await open(await response.blob(), { name: sample.file, file: sample.file, says: sample.says, hints: sample });
}

$('samples').append(...SAMPLES.map((sample) => el('li', {}, el('button', {
  type: 'button', class: 'thumb', 'data-file': sample.file, 'aria-label': `Sample: ${sample.says}`, 'aria-pressed': 'false', on: { click: () => void openSample(sample) },
}, el('img', { src: `samples/${sample.file}`, alt: '', width: 96, height: 96 })))));

const file = /** @type {HTMLInputElement} */ ($('file'));
file.addEventListener('change', () => {
  const [chosen] = file.files;
  if (chosen) void open(chosen, { name: chosen.name });
  file.value = '';
});
watch($('stage'), (blob, name) => void open(blob, { name }));
$('paste').addEventListener('click', async () => {
  const blob = await pasted().catch(() => null);
  if (blob) await open(blob, { name: 'pasted.png' });
  else notice('picture', blob === null ? 'The clipboard is not allowed here. Press Ctrl+V instead.' : 'There is no picture on the clipboard.');
});
$('camera').addEventListener('click', async () => {
  const blob = await takePhoto();
  if (blob) await open(blob, { name: 'photo.png' });
});
visit.addEventListener('open', ({ detail }) => show(detail));
visit.addEventListener('forget', () => visit.current && show(visit.current));

// Questions.

/** @param {Question} question */
function cardOf(question) {
  return new Card(question, {
    look, point, say,
    again: ({ asked, options }, change) => {
      if (change) modelDialog.change(change);
      void ask(asked, options);
    },
    reveal: () => $('stage').scrollIntoView({ block: 'start', behavior }),
    models: () => modelDialog.open(),
  });
}

function drawThread() {
  $('thread').replaceChildren(...cards.map(({ element }) => element));
  $('no-answers').hidden = cards.length > 0;
  drawLoading();
}

/** Shows what one answer found. @param {Question} question @param {boolean} [again] also where it is shown already */
function look(question, again = false) {
  if (question === looked && !again) return;
  if (question.picture !== visit.current || !question.answer) return;
  looked = question;
  const { objects } = question.answer;
  stage.mark(objects, coloursOf(objects), question.hidden);
  for (const card of cards) card.element.classList.toggle('looked', card.question === question && objects.length > 0);
}

function point(index) {
  stage.point(index);
  cards.find(({ question }) => question === looked)?.point(index);
}
stage.addEventListener('point', ({ detail }) => point(detail));

async function ask(asked, options) {
  const picture = visit.current;
  if (!picture) return say('Choose a picture first.');
  const question = new Question(picture, asked, options);
  visit.add(question);
  cards = [cardOf(question), ...cards];
  drawThread();
  // On a phone the answers are below the question.
  cards[0].element.scrollIntoView({ block: 'nearest', behavior });
  question.addEventListener('change', drawRunning);
  drawRunning();
  await question.run(models);
  drawRunning();
  if (question.state === 'done') {
    look(question);
    // Whoever does not see the card hears it.
    $('announce').textContent = `${question.title}: ${summary(question.answer)}`;
  }
  const spoken = { done: 'Done.', cancelled: 'Cancelled.', failed: 'That did not work.' };
  say(visit.open.length === 0 ? spoken[question.state] ?? '' : '');
}

function summary({ objects, text }) {
  return objects.length > 0 ? `found ${objects.length}: ${objects.map(({ label }) => label).join(', ')}` : text;
}

composer.addEventListener('ask', ({ detail }) => void ask(detail.asked, detail.options));
composer.addEventListener('incomplete', ({ detail }) => say(detail));
$('cancel').addEventListener('click', () => {
  for (const question of visit.open) question.cancel();
  if (models.state === 'loading') models.cancel();
});

function drawRunning() {
  const open = visit.open.length;
  $('cancel').hidden = open === 0;
  if (open > 0 && models.state !== 'loading') say(open > 1 ? `Answering; ${open - 1} more waiting.` : 'Answering…');
}

// The model.

models.addEventListener('change', () => {
  const { state } = models;
  const loading = state === 'loading';
  if (loading && !loadingView) {
    loadingView = new LoadingView();
    say('Getting the model…');
  }
  if (!loading && loadingView) {
    loadingView = undefined;
    say('');
  }
  drawLoading();
  $('model-dot').className = `dot ${{ ready: 'ready', loading: 'busy', failed: 'bad' }[state] ?? ''}`;
  drawChip();
});
/** In the card of the question that has waited longest. */
function drawLoading() {
  const waiting = cards.filter(({ question }) => question.state === 'waiting');
  for (const card of cards) card.loading(card === waiting.at(-1) ? loadingView?.element : undefined);
}

models.addEventListener('progress', ({ detail }) => {
  loadingView?.show(detail);
  drawChip();
});

/** The model in a few words, fewer on a phone. */
function drawChip() {
  const { state, name, model, progress } = models;
  const { device } = model?.info ?? {};
  const { memory } = models;
  const short = {
    none: () => [name, ' · not loaded'], failed: () => [name, ' · failed'], loading: () => [`${name} · ${percent(progress?.fraction ?? 0)}`, ''],
    ready: () => [`${name} · ${device === 'gpu' ? 'WebGPU' : 'CPU'}`, ` · ${size(memory.weightsBytes + memory.kvBytes + memory.activationBytes)}`],
  };
  const [first, more] = short[state]();
  $('model-chip').replaceChildren(first, el('span', { class: 'chip-more' }, more));
}
drawChip();

// What takes time comes after the first picture is there.

$('run').disabled = false;
await openSample(SAMPLES[0]);
const idle = globalThis.requestIdleCallback ?? setTimeout;
idle(async () => {
  // First, so that the worker's own files are kept on their way.
  const keeps = await keepOpened();
  try {
    known = await devices();
    deviceLine(known);
  } catch (error) {
    if (!(error instanceof CancelledError)) notice('device', `The worker of this page does not start: ${error.message}`);
  }
  if (keeps) idle(() => keepRest(models));
});
