// Too little room on the disk or on the device: the card says so, and offers what helps.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { TRIAL, ask, ended, startSite, useModel, visit } from './common/site.mjs';

const TINY = fileURLToPath(new URL('../models/tiny', import.meta.url));
const OTHER = { choice: 'another', url: 'models/other/' };

let started;

before(async () => {
  started = await startSite({ mounts: { '/models/other': TINY } });
});

after(() => started?.close());

const labels = (page) => page.locator('.answer-card:first-child .actions button').allTextContents();
const kept = (page) => page.evaluate(async () => (await (await import('/dist/index.js')).cache.list()).map(({ url }) => new URL(url).pathname));

/** A visitor who keeps the embedded model, and whose browser then gives no more room than that. */
async function cramped() {
  const visitor = await visit(started, {}, { saveData: true });
  const { page, context } = visitor;
  assert.equal(await ask(page, 'caption'), 'done');
  const session = await context.newCDPSession(page);
  const usage = await page.evaluate(async () => (await navigator.storage.estimate()).usage);
  await session.send('Storage.overrideQuotaForOrigin', { origin: new URL(started.site.url).origin, quotaSize: usage + 1e6 });
  await useModel(page, OTHER);
  assert.equal(await ask(page, 'caption'), 'failed');
  return visitor;
}

test('with too little room for a model, a kept one can go, and the question is asked again', async () => {
  const { page, context } = await cramped();
  const told = await page.textContent('.failure');
  assert.match(told, /too little room to keep the model.*\d\.\d MB more are needed.*OCELLI_NO_SPACE/s);
  assert.doesNotMatch(told, /cache\.delete|details/, 'no words for programmers');
  assert.ok((await kept(page)).includes('/models/tiny/'));
  await page.click('.kept-list button:has-text("Delete and ask again")');
  await page.waitForFunction(() => document.querySelectorAll('.answer-card').length === 3);
  assert.equal(await ended(page), 'done');
  assert.deepEqual(await kept(page), ['/models/other/']);
  await context.close();
});

test('with too little room a model can be used without keeping it', async () => {
  const { page, context } = await cramped();
  assert.deepEqual(await labels(page), ['Use it without keeping it', 'Ask again', 'Model and device']);
  await page.click('button:has-text("Use it without keeping it")');
  await page.waitForFunction(() => document.querySelectorAll('.answer-card').length === 3);
  assert.equal(await ended(page), 'done');
  assert.match(await page.textContent('#model-chip'), /other · CPU/);
  assert.ok((await kept(page)).includes('/models/tiny/'));
  await context.close();
});

/** In the worker, before anything else: a device that has no memory beyond so many bytes. */
function holdLess(most) {
  const { createBuffer, destroy } = GPUDevice.prototype;
  const { pushErrorScope, popErrorScope } = GPUDevice.prototype;
  const { destroy: free } = GPUBuffer.prototype;
  let held = 0;
  const scopes = [];
  GPUDevice.prototype.createBuffer = function (descriptor) {
    held += descriptor.size;
    if (held > most) for (const scope of scopes) if (scope.filter === 'out-of-memory') scope.refused = true;
    return createBuffer.call(this, descriptor);
  };
  GPUBuffer.prototype.destroy = function () {
    held -= this.size;
    return free.call(this);
  };
  GPUDevice.prototype.destroy = function () {
    held = 0;
    return destroy.call(this);
  };
  GPUDevice.prototype.pushErrorScope = function (filter) {
    scopes.push({ filter });
    return pushErrorScope.call(this, filter);
  };
  GPUDevice.prototype.popErrorScope = function () {
    const { refused } = scopes.pop();
    const said = popErrorScope.call(this);
    return refused ? said.then(() => new GPUOutOfMemoryError('no memory is left')) : said;
  };
}

/** A visitor whose device is small. */
async function small(most) {
  const visitor = await visit(started, { serviceWorkers: 'block' });
  await visitor.context.route('**/dist/worker.js', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: `(${holdLess})(${most});\n${await response.text()}` });
  });
  await visitor.page.reload();
  await visitor.page.waitForSelector('#samples [aria-pressed=true]');
  return visitor;
}

test('a device without memory for the embedded model leads to the CPU, in one press', async () => {
  const { page, context } = await small(2e6);
  await useModel(page, { device: 'gpu' });
  assert.equal(await ask(page, 'caption'), 'failed');
  assert.match(await page.textContent('.failure'), /the device has no memory for the buffer.*OCELLI_OUT_OF_MEMORY/is);
  assert.deepEqual(await labels(page), ['Use the CPU', 'Ask again', 'Model and device'], 'its weights come in one format');
  await page.click('button:has-text("Use the CPU")');
  await page.waitForFunction(() => document.querySelectorAll('.answer-card').length === 2);
  assert.equal(await ended(page), 'done');
  assert.match(await page.textContent('#model-chip'), /Embedded · CPU/);
  assert.equal(await page.inputValue('#device'), 'cpu', 'the dialog says what is wanted now');
  await context.close();
});

test('a device without memory for wide weights leads to narrower ones', async () => {
  const { page, context } = await small(4e5);
  await useModel(page, { ...TRIAL, device: 'gpu', dtype: 'f32' });
  assert.equal(await ask(page, 'caption'), 'failed');
  // Not the next narrower weights, but the widest that fit into what the device gave.
  assert.deepEqual(await labels(page), ['Use 8 bits', 'Use the CPU', 'Ask again', 'Model and device']);
  await page.click('button:has-text("Use 8 bits")');
  await page.waitForFunction(() => document.querySelectorAll('.answer-card').length === 2);
  await ended(page);
  assert.equal(await page.inputValue('#dtype'), 'q8');
  await context.close();
});

test('the figures of an error are shown where they are of use', async () => {
  const { page, context } = await visit(started, {}, { saveData: true });
  const shown = (details) => page.evaluate(async (given) => {
    const [{ failure }, { StorageError }] = await Promise.all([import('/parts/failure.js'), import('/dist/index.js')]);
    const error = new StorageError({ code: 'OCELLI_NO_SPACE', message: 'm', remedy: 'r', details: given });
    const box = document.createElement('div');
    box.append(...failure(error, { url: 'models/a/', device: 'auto', dtype: 'q8' }, {}));
    return { text: box.textContent, share: box.querySelector('.room-bar')?.style.getPropertyValue('--share') };
  }, details);
  const told = await shown({ needed: 4e9, available: 1e9, offer: [] });
  assert.match(told.text, /4\.00 GB more are needed; there is room for 1\.00 GB\..*Free space on the disk/);
  assert.equal(told.share, '0.25');
  const untrue = await shown({ needed: 1e6, available: 10e9, offer: [] });
  assert.match(untrue.text, /1\.0 MB more are needed\./);
  assert.equal(untrue.share, undefined, 'the browser named more room than it gives');
  await context.close();
});
