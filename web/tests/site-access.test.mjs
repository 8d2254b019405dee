// The demo site for everyone: axe finds nothing in any state, wide and narrow, light and dark; and it works by keyboard.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { inspect } from './common/looks.mjs';
import { TRIAL, ask, chooseTask, ended, press, settled, startSite, useModel, visit } from './common/site.mjs';

let started;

before(async () => {
  started = await startSite({ extra: ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'] });
});

after(() => started?.close());

/** How to get there; `{ page, context }` are a visitor's who has just come. */
const STATES = {
  'at first': async () => undefined,
  'with every task answered': async ({ page }) => {
    for (const task of ['caption', 'ask', 'read', 'detect', 'segment']) {
      if (task === 'ask') {
        await chooseTask(page, task);
        await page.click('.suggestion');
        await ended(page);
      } else await ask(page, task);
    }
    await page.click('.answer-card .details summary');
    await page.click('#options summary');
  },
  'with things found': async ({ page }) => {
    await ask(page, 'caption');
    await showObjects(page);
  },
  'with a failed question and a notice': async ({ page }) => {
    await useModel(page, { choice: 'another', url: 'models/none/' });
    await ask(page, 'caption');
    await page.setInputFiles('#file', { name: 'notes.png', mimeType: 'image/png', buffer: Buffer.from('no picture') });
    await page.waitForSelector('.notice');
  },
  'choosing a model': async ({ page }) => {
    await page.click('#open-model');
    await page.click('label[for=model-another]');
  },
  'with a model loaded': async ({ page }) => {
    await page.click('#open-model');
    await page.click('text=Load it now');
    await page.waitForSelector('.kept-list li', { timeout: 60_000 });
  },
  'loading the model': async ({ page, context }) => {
    await context.route('**/weights-*', () => undefined);
    await press(page);
    await page.waitForFunction(() => /Fetching/.test(document.querySelector('.loading-line')?.textContent));
  },
  'with an answer under way': async ({ page }) => {
    await page.evaluate(async () => {
      const { Model } = await import('/dist/index.js');
      Model.prototype.caption = () => ({
        async* [Symbol.asyncIterator]() {
          yield 'a boat on the water, with a red fish';
          await new Promise(() => undefined);
        },
      });
    });
    await press(page);
    await page.waitForSelector('.answer.streaming', { timeout: 60_000 });
  },
  'with a cancelled question': async ({ page, context }) => {
    await context.route('**/weights-*', () => undefined);
    await press(page);
    await page.click('#cancel');
    await ended(page);
  },
  'without room to keep a model': async ({ page, context }) => {
    await useModel(page, TRIAL);
    await ask(page, 'caption');
    const session = await context.newCDPSession(page);
    const usage = await page.evaluate(async () => (await navigator.storage.estimate()).usage);
    await session.send('Storage.overrideQuotaForOrigin', { origin: new URL(started.site.url).origin, quotaSize: usage + 3e6 });
    await useModel(page, { choice: 'embedded' });
    await ask(page, 'caption');
    await page.waitForSelector('.kept-list li');
  },
  'without a network': async ({ page, context }) => {
    await context.setOffline(true);
    await page.waitForSelector('.notice');
  },
  'with a picture dragged over it': ({ page }) => page.evaluate(() => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File(['x'], 'a.png', { type: 'image/png' }));
    dispatchEvent(new DragEvent('dragenter', { dataTransfer }));
  }),
  'with the camera open': async ({ page }) => {
    await page.click('#camera');
    await page.waitForSelector('#camera-dialog .primary:enabled', { timeout: 20_000 });
  },
  'where it measures': async ({ page }) => {
    await page.goto(`${started.site.url}bench.html`);
    await page.waitForSelector('#start:enabled');
  },
};

// Most of the time goes into waiting for the page to have moved: three visitors at once do not disturb each other.
describe('every state', { concurrency: 3 }, () => {
  for (const [name, reach] of Object.entries(STATES)) {
    test(`axe finds nothing ${name}, wide and narrow, light and dark`, async () => {
      const visitor = await visit(started, { bypassCSP: true, permissions: ['camera'], serviceWorkers: 'block' });
      await settled(visitor.page);
      await reach(visitor);
      await inspect(visitor.page, name);
      await visitor.context.close();
    });
  }
});

test('axe finds nothing without WebGPU, wide and narrow, light and dark', async () => {
  const without = await startSite({ adapter: 'none' });
  try {
    const { page } = await visit(without, { bypassCSP: true, serviceWorkers: 'block' });
    await settled(page);
    await inspect(page, 'without WebGPU');
  } finally {
    await without.close();
  }
});

test('a question is asked and read by keyboard alone', async () => {
  const { page, context, faults } = await visit(started, { reducedMotion: 'reduce' });
  await settled(page);
  await page.focus('#task-caption');
  await page.keyboard.press('ArrowRight');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'task-ask');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'question');
  await page.keyboard.type('what is this?');
  await page.keyboard.press('Enter');
  assert.equal(await ended(page), 'done');
  assert.equal(await page.locator('.answer-card h3').first().textContent(), 'what is this?');
  assert.equal(await page.locator('#status').textContent(), 'Done.');

  // A dialog holds the focus, and gives it back.
  await page.focus('#open-model');
  await page.keyboard.press('Enter');
  assert.ok(await page.evaluate(() => document.getElementById('model-dialog').contains(document.activeElement)));
  await page.keyboard.press('Escape');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'open-model');
  assert.deepEqual(faults, []);
  await context.close();
});

test('names become chips by keyboard, and go again', async () => {
  const { page, context } = await visit(started);
  await chooseTask(page, 'detect');
  const chips = () => page.locator('.chip').allTextContents();
  assert.deepEqual(await chips(), ['boat']);
  await page.focus('#label');
  await page.keyboard.type('red car');
  await page.keyboard.press('Enter');
  await page.keyboard.type('dog, cup,');
  assert.deepEqual(await chips(), ['boat', 'red car', 'dog', 'cup']);
  await page.keyboard.press('Backspace');
  assert.deepEqual(await chips(), ['boat', 'red car', 'dog']);
  assert.equal(await page.evaluate(() => document.activeElement.id), 'label');
  await context.close();
});

/** Puts made-up objects on the stage: what a model finds is its own affair. */
async function showObjects(page) {
  await page.evaluate(async () => {
    const [{ Stage }, { Card }, { coloursOf }] = await Promise.all(['stage', 'card', 'palette'].map((name) => import(`/parts/${name}.js`)));
    const mask = new ImageData(new Uint8ClampedArray(4 * 100 * 80).fill(255), 100, 80);
    const objects = [
      { label: 'boat', score: 0.93, box: { xmin: 300, ymin: 150, xmax: 600, ymax: 440 }, mask, origin: { x: 400, y: 250 } },
      { label: 'sun', score: 0.4, box: { xmin: 30, ymin: 30, xmax: 200, ymax: 200 } },
    ];
    const picture = { url: document.getElementById('picture').src, name: 'harbour.png', says: '', width: 640, height: 640 };
    const stage = new Stage();
    stage.show(picture);
    stage.mark(objects, coloursOf(objects), new Set());
    const answer = {
      text: 'x', tokens: [5, 1], logprobs: [-0.1, -2], finish: 'eos', objects, dropped: 1, device: 'cpu', adapter: '',
      timings: { imageMs: 1, encodeMs: 1, prefillMs: 1, decodeMsPerToken: 1 },
    };
    const question = Object.assign(new EventTarget(), { picture, asked: { task: 'detect', labels: ['boat', 'sun'] }, title: 'Find boat, sun', state: 'done', answer, text: '', hidden: new Set() });
    document.getElementById('thread').prepend(new Card(question, { look() {}, point() {}, say() {} }).element);
  });
}
