// What a model lets go of once a call is over: the answer, and the bitmaps that were made to send its picture.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { mounts } from './common/goldens.mjs';
import { startSite } from './common/site.mjs';

let browser;
let close;
let site;

before(async () => {
  ({ site, browser, close } = await startSite({ mounts, extra: ['--js-flags=--expose-gc'] }));
});

after(() => close?.());

async function openPage() {
  const page = await (await browser.newContext()).newPage();
  await page.goto(`${site.url}blank/`);
  return page;
}

test('answers that nobody holds are collected while the model lives', async () => {
  const page = await openPage();
  const { alive, again } = await page.evaluate(async () => {
    const { load } = await import('/dist/index.js');
    const model = await load('/models/pg1-hd16', { device: 'cpu' });
    const ask = () => model.generate({ image: '/pictures/cat.png', prompt: 'caption en', maxNewTokens: 2 }).answer;
    const answers = [];
    for (let time = 0; time < 20; time++) answers.push(new WeakRef(await ask()));
    // A reference stays strong until its task is over.
    await new Promise((later) => setTimeout(later, 50));
    globalThis.gc();
    await new Promise((later) => setTimeout(later, 50));
    const alive = answers.filter((answer) => answer.deref() !== undefined).length;
    return { alive, again: (await ask()).tokens.length };
  });
  assert.equal(again, 2);
  assert.ok(alive <= 1, `${alive} of 20 answers are still held`);
  await page.context().close();
});

for (const worker of [true, false]) {
  test(`bitmaps made for a call are closed, the caller's own stay open (${worker ? 'in a worker' : 'in the page'})`, async () => {
    const page = await openPage();
    const threads = [page];
    page.on('worker', (thread) => threads.push(thread));
    await page.evaluate(async (inWorker) => {
      const { load } = await import('/dist/index.js');
      globalThis.model = await load('/models/pg1-hd16', { device: 'cpu', worker: inWorker });
    }, worker);
    // In each thread: every bitmap that is made there, or comes with a message.
    for (const thread of threads) {
      await thread.evaluate(() => {
        globalThis.bitmaps = [];
        const make = globalThis.createImageBitmap;
        globalThis.createImageBitmap = async (...values) => {
          const bitmap = await make(...values);
          globalThis.bitmaps.push(bitmap);
          return bitmap;
        };
        globalThis.addEventListener('message', ({ data }) => globalThis.bitmaps.push(...(data?.pictures ?? []).filter((each) => each instanceof ImageBitmap)));
      });
    }
    const { own, codes } = await page.evaluate(async () => {
      const canvas = Object.assign(document.createElement('canvas'), { width: 64, height: 64 });
      const context = canvas.getContext('2d');
      const video = Object.assign(document.createElement('video'), { muted: true, srcObject: canvas.captureStream(30) });
      const own = new OffscreenCanvas(8, 8);
      own.getContext('2d');
      const bitmap = own.transferToImageBitmap();
      const ask = (image, options) => globalThis.model.generate({ image, prompt: 'caption en', maxNewTokens: 2, ...options }).then(() => 'answered', ({ code }) => code);
      const playing = video.play();
      context.fillRect(0, 0, 8, 8);
      await playing;
      const codes = [];
      for (let time = 0; time < 4; time++) {
        context.fillRect(time, 0, 8, 8);
        codes.push(await ask(canvas), await ask(video), await ask([bitmap, bitmap]));
      }
      // Calls that come to nothing at each stage.
      const stop = new AbortController();
      // Long enough that the next one waits for it, however fast the machine.
      const first = ask(canvas, { maxNewTokens: 300 });
      const waiting = ask(canvas, { signal: stop.signal });
      await new Promise((later) => setTimeout(later, 20));
      stop.abort();
      codes.push(await first, await waiting, await ask([canvas, new Image()]), await ask(canvas, { topP: 7 }), await ask(canvas, { logits: true }));
      return { own: bitmap.width, codes };
    });
    assert.deepEqual([...new Set(codes.slice(0, 12))], ['answered'], String(codes));
    assert.deepEqual(codes.slice(12), ['answered', 'OCELLI_CANCELLED', 'OCELLI_BAD_IMAGE', 'OCELLI_BAD_ARGUMENT', 'OCELLI_BAD_ARGUMENT']);
    assert.equal(own, 8);
    const counts = [];
    for (const thread of threads) counts.push(await thread.evaluate(() => ({ made: globalThis.bitmaps.length, open: globalThis.bitmaps.filter(({ width }) => width > 0).length })));
    assert.ok(counts.every(({ made }) => made >= 16), JSON.stringify(counts));
    assert.deepEqual(counts.map(({ open }) => open), worker ? [0, 0] : [0]);
    await page.context().close();
  });
}
