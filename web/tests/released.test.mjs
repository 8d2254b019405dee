// What a model lets go of once a call is over: the answer, and the bitmaps that were made to send its picture.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launchChromium } from '../scripts/chromium.mjs';
import { serve } from '../scripts/serve.mjs';
import { mounts } from './common/goldens.mjs';

let browser;
let site;

before(async () => {
  site = await serve({ port: 0, mounts });
  browser = await launchChromium({ extra: ['--js-flags=--expose-gc'] });
});

after(async () => {
  await browser?.close();
  await site?.close();
});

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
