// Pipelines: transformers.js's arguments, results and progress, for each task, for one picture and for several.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { mounts } from './common/goldens.mjs';
import { startSite } from './common/site.mjs';
import { endWorker, workersOf } from './common/worker-end.mjs';

const PICTURE = '/samples/pets.png';

let browser;
let close;
let page;
let site;

before(async () => {
  ({ site, browser, close } = await startSite({ mounts }));
  page = await browser.newPage();
  await page.goto(`${site.url}blank/`);
});

after(() => close?.());

/** Runs a pipeline in the page, once for each list of arguments; an error is its code. */
function results(task, calls, model = null) {
  return page.evaluate(async ([wanted, from, all]) => {
    const { pipeline } = await import('/dist/transformers.js');
    const pipe = await pipeline(wanted, from, { device: 'wasm' });
    const results = [];
    for (const values of all) results.push(await pipe(...values).catch(({ code, message }) => ({ code, message })));
    await pipe.dispose();
    return results.map((result) => JSON.parse(JSON.stringify(result, (_, value) => (ArrayBuffer.isView(value) ? { length: value.length, values: [...new Set(value)].sort() } : value))));
  }, [task, model, calls]);
}

function assertBoxes(found, { labels, least = 0, most = Infinity }) {
  for (const { score, label, box, ...rest } of found) {
    assert.deepEqual(rest, {});
    assert.ok(labels.includes(label), label);
    assert.ok(score >= least && score <= 1, `a score of ${score}`);
    assert.deepEqual(Object.keys(box), ['xmin', 'ymin', 'xmax', 'ymax']);
    for (const edge of Object.values(box)) assert.ok(edge >= 0 && edge <= most, `an edge at ${edge}`);
  }
}

test('image-to-text', async () => {
  const [one, several, none] = await results('image-to-text', [[PICTURE, { max_new_tokens: 8 }], [[PICTURE, '/samples/harbour.png'], { max_new_tokens: 8 }], [[]]]);
  assert.equal(one.length, 1);
  assert.deepEqual(Object.keys(one[0]), ['generated_text']);
  assert.ok(one[0].generated_text.length > 0);
  assert.equal(several.length, 2);
  assert.deepEqual(several[0], one);
  assert.notDeepEqual(several[1], one);
  assert.deepEqual(none, []);
});

test('visual-question-answering', async () => {
  const [one, several] = await results('visual-question-answering', [[PICTURE, 'what is this?'], [[PICTURE, PICTURE], 'what is this?']]);
  assert.deepEqual(Object.keys(one[0]), ['answer', 'score']);
  assert.ok(one[0].answer.length > 0 && one[0].score > 0 && one[0].score <= 1);
  assert.deepEqual(several, [one, one]);
});

test('object-detection', async () => {
  const labels = ['dog', 'cat'];
  const all = { candidate_labels: labels, threshold: 0 };
  const [every, sure, half, several, shares, own, ownSure] = await results('object-detection', [
    [PICTURE, all], [PICTURE, { candidate_labels: labels }], [PICTURE, { candidate_labels: labels, threshold: 0.5 }], [[PICTURE, PICTURE], all],
    [PICTURE, { ...all, percentage: true }], [PICTURE, { threshold: 0 }], [PICTURE],
  ]);
  assert.ok(every.length > 0);
  assertBoxes(every, { labels });
  assert.deepEqual(sure, every.filter(({ score }) => score >= 0.5));
  assert.ok(sure.length > 0, 'the default leaves something of a picture that the model knows');
  assert.deepEqual(half, sure);
  assert.deepEqual(several, [every, every]);
  assertBoxes(shares, { labels, most: 1 });
  // The embedded model's own nouns, of which its description names some.
  const nouns = await page.evaluate(async () => (await fetch('/models/tiny/labels.json')).json());
  assert.ok(own.length > 0);
  assertBoxes(own, { labels: nouns });
  assert.deepEqual(ownSure, own.filter(({ score }) => score >= 0.5));
});

test('zero-shot-object-detection', async () => {
  const labels = ['dog', 'cat'];
  const [found, first, several, none] = await results('zero-shot-object-detection', [[PICTURE, labels], [PICTURE, labels, { top_k: 1 }], [[PICTURE], labels], [PICTURE, labels, { threshold: 1.1 }]]);
  assert.ok(found.length > 0);
  assertBoxes(found, { labels, least: 0.1 });
  const scores = found.map(({ score }) => score);
  assert.deepEqual(scores, scores.toSorted((a, b) => b - a));
  assert.deepEqual(first, found.slice(0, 1));
  assert.deepEqual(several, [found]);
  assert.deepEqual(none, []);
});

test('image-segmentation', async () => {
  const all = { candidate_labels: ['dog'], threshold: 0 };
  const [found, sure, several, bare, own] = await results('image-segmentation', [[PICTURE, all], [PICTURE, { candidate_labels: ['dog'] }], [[PICTURE], all], [PICTURE, { ...all, mask_threshold: 2 }], [PICTURE, { threshold: 0 }]]);
  const { width, height } = await page.evaluate(async (address) => createImageBitmap(await (await fetch(address)).blob()).then(({ width, height }) => ({ width, height })), PICTURE);
  assert.ok(found.length > 0);
  for (const { score, label, mask, ...rest } of found) {
    assert.deepEqual(rest, {});
    assert.equal(label, 'dog');
    assert.ok(score >= 0 && score <= 1);
    assert.deepEqual({ ...mask, data: mask.data.length }, { width, height, channels: 1, data: width * height });
    assert.deepEqual(mask.data.values, [0, 255]);
  }
  assert.deepEqual(sure, found.filter(({ score }) => score >= 0.5));
  assert.deepEqual(several, [found]);
  assert.deepEqual(bare.map(({ mask }) => mask.data.values), found.map(() => [0]));
  assert.ok(own.length > 0);
});

test('a model that has no nouns of its own says what is missing', async () => {
  for (const task of ['object-detection', 'image-segmentation']) {
    const [fault] = await results(task, [[PICTURE]], '/models/pg1-hd16');
    assert.equal(fault.code, 'OCELLI_BAD_ARGUMENT');
    assert.match(fault.message, /candidate_labels/);
  }
});

test('loading is told of file by file, from initiate to ready', async () => {
  const events = await page.evaluate(async () => {
    const { pipeline } = await import('/dist/transformers.js');
    const events = [];
    const pipe = await pipeline('image-to-text', '/models/pg1-hd16', { device: 'wasm', progress_callback: (event) => events.push(event) });
    await pipe.dispose();
    return events;
  });
  const name = '/models/pg1-hd16';
  assert.deepEqual(events.at(-1), { status: 'ready', task: 'image-to-text', model: name });
  const files = new Map();
  for (const { status, file, ...rest } of events.slice(0, -1)) {
    assert.equal(rest.name, name);
    files.set(file, [...(files.get(file) ?? []), status]);
  }
  assert.ok(files.has('config.json'), [...files.keys()].join());
  for (const [file, statuses] of files) assert.match(statuses.join(' '), /^initiate download( progress)+ done$/, file);
  const progress = events.filter(({ status }) => status === 'progress').map((event) => event.progress);
  assert.deepEqual(progress, progress.toSorted((a, b) => a - b));
  assert.ok(progress.at(-1) > 99.9 && progress.at(-1) <= 100);
});

test('a pipeline whose model broke down loads it anew for the next call, until it is disposed of', async () => {
  const ask = () => page.evaluate(() => globalThis.pipe('/pictures/cat.png', { max_new_tokens: 4 }).catch(({ code }) => code));
  await page.evaluate(async () => {
    const { pipeline } = await import('/dist/transformers.js');
    globalThis.statuses = [];
    globalThis.pipe = await pipeline('image-to-text', '/models/pg1-hd16', { device: 'wasm', progress_callback: ({ status }) => globalThis.statuses.push(status) });
  });
  const first = await ask();
  await endWorker(page);
  assert.deepEqual(await ask(), first);
  assert.equal(await workersOf(page, 1), 1);
  assert.equal(await page.evaluate(() => globalThis.statuses.filter((status) => status === 'ready').length), 2);
  await page.evaluate(() => globalThis.pipe.dispose());
  assert.equal(await ask(), 'OCELLI_CANCELLED');
  assert.equal(await workersOf(page, 0), 0);
});

test('a task that there is none of', async () => {
  const code = await page.evaluate(async () => (await import('/dist/transformers.js')).pipeline('translation').catch((error) => error.code));
  assert.equal(code, 'OCELLI_BAD_ARGUMENT');
});
