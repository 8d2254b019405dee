// Every button and field that no other test of the site presses.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { TRIAL, ask, chooseTask, ended, pictureName, press, settled, startSite, useModel, visit } from './common/site.mjs';

const CAT = fileURLToPath(new URL('../../tests/pictures/cat.png', import.meta.url));

let started;

before(async () => {
  started = await startSite();
});

after(() => started?.close());

const come = (context = {}) => visit(started, context, { saveData: true });
const status = (page, text) => page.waitForFunction((wanted) => document.getElementById('status').textContent === wanted, text);

test('Paste takes a picture from the clipboard, and says where there is none or it is not allowed', async () => {
  const { page, context, faults } = await come({ permissions: ['clipboard-read', 'clipboard-write'] });
  await page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    await navigator.clipboard.write([new ClipboardItem({ 'image/png': new Blob([bytes], { type: 'image/png' }) })]);
  }, readFileSync(CAT).toString('base64'));
  await page.click('#paste');
  await pictureName(page, 'pasted.png');
  await page.evaluate(() => navigator.clipboard.writeText('words'));
  await page.click('#paste');
  await page.waitForSelector('.notice:has-text("There is no picture on the clipboard")');
  await context.clearPermissions();
  await page.evaluate(() => {
    navigator.clipboard.read = () => Promise.reject(new DOMException('no', 'NotAllowedError'));
  });
  await page.click('#paste');
  await page.waitForSelector('.notice:has-text("Press Ctrl+V instead")');
  assert.deepEqual(faults, []);
  await context.close();
});

test('the site can be installed, and is where the browser offers it', async () => {
  const { page, context } = await come();
  const session = await context.newCDPSession(page);
  const { data, errors } = await session.send('Page.getAppManifest');
  assert.deepEqual(errors, []);
  const { name, start_url: start, display, icons } = JSON.parse(data);
  assert.ok(name && start === './' && display === 'standalone');
  for (const { src, sizes, type } of icons.filter(({ sizes }) => sizes !== 'any')) {
    const response = await fetch(`${started.site.url}${src}`);
    assert.equal(response.headers.get('content-type'), type);
    const bytes = Buffer.from(await response.arrayBuffer());
    assert.equal(`${bytes.readUInt32BE(16)}x${bytes.readUInt32BE(20)}`, sizes, src);
  }
  assert.ok(await page.locator('#install').isHidden());
  await page.evaluate(() => {
    const offered = new Event('beforeinstallprompt', { cancelable: true });
    offered.prompt = () => {
      globalThis.prompted = offered.defaultPrevented;
    };
    dispatchEvent(offered);
  });
  await page.click('#install');
  assert.equal(await page.evaluate(() => globalThis.prompted), true);
  assert.ok(await page.locator('#install').isHidden());
  await context.close();
});

test('the dialog loads the model, stops loading, tries again, and deletes what is kept', async () => {
  const { page, context } = await come({ serviceWorkers: 'block' });
  await settled(page);
  const held = [];
  await context.route('**/weights-*', (route) => void held.push(route));
  await page.click('#open-model');
  await page.click('#model-dialog button:has-text("Load it now")');
  await page.waitForFunction(() => /Fetching/.test(document.querySelector('#model-dialog .loading-line')?.textContent));
  await page.click('#model-dialog button:has-text("Cancel")');
  await page.waitForSelector('#model-dialog button:has-text("Load it now")');
  assert.match(await page.textContent('#model-chip'), /not loaded/);

  await context.unroute('**/weights-*');
  // The smaller files may be kept already.
  await context.route('**/weights-*', (route) => route.fulfill({ status: 403 }));
  await page.click('#model-dialog button:has-text("Load it now")');
  await page.waitForSelector('#model-dialog .failure:has-text("OCELLI_IO")');
  await context.unroute('**/weights-*');
  await page.click('#model-dialog button:has-text("Try again")');
  await page.waitForSelector('#model-dialog .kept-list:has-text("/models/tiny/")', { timeout: 60_000 });
  assert.equal(await page.locator('#model-dialog .failure').count(), 0);

  await page.click('#model-dialog button:has-text("Delete")');
  await page.waitForFunction(() => !document.querySelector('#model-dialog .kept-list'));
  assert.deepEqual(await page.evaluate(async () => (await import('/dist/index.js')).cache.list()), []);
  await page.click('#model-dialog button:has-text("Close")');
  assert.equal(await ask(page, 'caption'), 'done', 'what is loaded goes on working');
  await context.close();
});

test('one of several questions is cancelled by the button of its own card', async () => {
  const { page, context } = await come();
  // Noise has no end of its own, and a software adapter takes its time.
  await useModel(page, { ...TRIAL, device: 'gpu' });
  assert.equal(await ask(page, 'caption'), 'done');
  await page.click('#options summary');
  // Long enough that the second is not over before its button is pressed.
  await page.fill('#limit', '400');
  for (let count = 0; count < 3; count++) await press(page);
  await page.click('.answer-card:nth-child(2) button:has-text("Cancel")');
  await page.waitForSelector('.answer-card:nth-child(2)[data-state=cancelled]');
  await page.waitForFunction(() => document.querySelectorAll('.answer-card[data-state=done]').length === 3, undefined, { timeout: 120_000 });
  assert.equal(await page.getAttribute('.answer-card:nth-child(2)', 'data-state'), 'cancelled');
  await context.close();
});

test('on a phone, what was found is shown on the picture at the press of a button', async () => {
  const { page, context } = await come({ viewport: { width: 390, height: 664 }, reducedMotion: 'reduce' });
  await page.evaluate(async () => {
    const { Model } = await import('/dist/index.js');
    const objects = [{ label: 'boat', score: 0.9, box: { xmin: 100, ymin: 100, xmax: 300, ymax: 300 } }];
    const answer = {
      text: 'boat', tokens: [1], logprobs: [-1], finish: 'eos', objects, dropped: 0, device: 'cpu', adapter: '',
      timings: { imageMs: 1, encodeMs: 1, prefillMs: 1, decodeMsPerToken: 1 }, memory: { weightsBytes: 1, kvBytes: 1, activationBytes: 1 },
    };
    Model.prototype.detect = () => ({ async* [Symbol.asyncIterator]() { yield 'boat'; }, answer: Promise.resolve(answer) });
  });
  assert.equal(await ask(page, 'detect'), 'done');
  await page.locator('.to-stage').scrollIntoViewIfNeeded();
  await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
  await page.click('.to-stage');
  await page.waitForFunction(() => {
    const { top, bottom } = document.querySelector('.mark .box').getBoundingClientRect();
    return top >= 0 && bottom <= innerHeight;
  });
  await context.close();
});

test('length, language, temperature, beams, seed and limit reach the model', async () => {
  const { page, context, faults } = await come();
  await page.evaluate(async () => {
    const { Model } = await import('/dist/index.js');
    globalThis.asked = [];
    for (const call of ['caption', 'describe']) {
      const original = Model.prototype[call];
      Model.prototype[call] = function (image, { signal, ...options }) {
        globalThis.asked.push([call, options]);
        return original.call(this, image, { signal, ...options });
      };
    }
  });
  assert.equal(await ask(page, 'caption'), 'done');
  await page.click('label[for=long]');
  await page.click('#options summary');
  await page.selectOption('#language', 'de');
  for (const [field, value] of [['limit', '6'], ['temperature', '0.7'], ['beams', '1'], ['seed', '11']]) await page.fill(`#${field}`, value);
  assert.equal(await ask(page, 'caption'), 'done');
  assert.equal(await page.textContent('.answer-card:first-child h3'), 'Describe in German');
  await page.fill('#temperature', '0');
  await page.fill('#beams', '2');
  assert.equal(await ask(page, 'caption'), 'done');
  assert.deepEqual(await page.evaluate(() => globalThis.asked), [
    ['caption', { language: 'en', temperature: 0, beams: 1, seed: 0 }],
    ['describe', { language: 'de', maxNewTokens: 6, temperature: 0.7, beams: 1, seed: 11 }],
    ['describe', { language: 'de', maxNewTokens: 6, temperature: 0, beams: 2, seed: 11 }],
  ]);
  // Out of range: the field says so, and nothing is asked.
  await page.fill('#temperature', '9');
  await page.click('#run');
  assert.equal(await page.evaluate(() => document.querySelector('#temperature:invalid') !== null), true);
  assert.equal(await page.locator('.answer-card').count(), 3);
  assert.deepEqual(faults, []);
  await context.close();
});

test('the same seed draws the same words, and another one others', async () => {
  const { page, context } = await come();
  await useModel(page, TRIAL);
  await page.click('#options summary');
  await page.fill('#limit', '8');
  await page.fill('#temperature', '2');
  const tokens = [];
  for (const seed of ['1', '1', '2']) {
    await page.fill('#seed', seed);
    assert.equal(await ask(page, 'caption'), 'done');
    tokens.push(await page.locator('.answer-card:first-child .tokens').textContent());
  }
  assert.equal(tokens[0], tokens[1]);
  assert.notEqual(tokens[0], tokens[2]);
  await context.close();
});

test('a question is asked again as it was', async () => {
  const { page, context } = await come();
  await useModel(page, { choice: 'another', url: 'models/none/' });
  await chooseTask(page, 'ask');
  await page.fill('#question', 'is there a boat?');
  await page.keyboard.press('Enter');
  assert.equal(await ended(page), 'failed');
  await useModel(page, {});
  await page.click('.answer-card:first-child button:has-text("Ask again")');
  await page.waitForFunction(() => document.querySelectorAll('.answer-card').length === 2);
  assert.equal(await ended(page), 'done');
  assert.deepEqual(await page.locator('.answer-card h3').allTextContents(), ['is there a boat?', 'is there a boat?']);
  await status(page, 'Done.');
  await context.close();
});

test('nothing moves by itself for who wants less motion', async () => {
  for (const [reducedMotion, moving] of [['no-preference', true], ['reduce', false]]) {
    const { page, context } = await come({ reducedMotion });
    const seen = await page.evaluate(() => {
      document.getElementById('thread').innerHTML = '<li class="answer streaming">a boat</li>';
      document.getElementById('overlay').innerHTML = '<div class="mark"></div>';
      const style = (selector, pseudo) => getComputedStyle(document.querySelector(selector), pseudo);
      return {
        cursor: style('.answer.streaming', '::after').animationName !== 'none',
        mark: style('.mark').animationName !== 'none',
        button: style('#paste').transitionDuration !== '0s',
      };
    });
    assert.deepEqual(seen, { cursor: moving, mark: moving, button: moving });
    await context.close();
  }
});
