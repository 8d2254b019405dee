// What callers without types get wrong, and how it is told: by errors with a code, whose cause is an error as well.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { mounts } from './common/goldens.mjs';
import { startSite } from './common/site.mjs';

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

test('missing options are refused with a code, or are none', async () => {
  const outcomes = await page.evaluate(async () => {
    const { OcelliError, load } = await import('/dist/index.js');
    const model = await load('/models/pg1-hd16', null);
    const outcome = (run) => run().then(() => 'answered', (error) => (error instanceof OcelliError ? error.code : String(error)));
    const picture = '/pictures/cat.png';
    const outcomes = [];
    for (const wrong of [undefined, null, 'caption en', 7, {}, { image: picture }, { prompt: 'caption en' }]) outcomes.push(await outcome(() => model.generate(wrong)));
    for (const call of ['caption', 'describe', 'ocr']) outcomes.push(await outcome(() => model[call](picture, null)));
    outcomes.push(await outcome(() => model.ask(picture, 'what?', null)), await outcome(() => model.detect(picture, 'cat', null)));
    model.dispose();
    return outcomes;
  });
  assert.deepEqual(outcomes, [...Array(7).fill('OCELLI_BAD_ARGUMENT'), ...Array(5).fill('answered')]);
});

for (const worker of [true, false]) {
  test(`a cause is an error, ${worker ? 'also from the worker' : 'in the page too'}`, async () => {
    const causes = await page.evaluate(async (inWorker) => {
      const { load } = await import('/dist/index.js');
      const model = await load('/models/pg1-hd16', { device: 'cpu', worker: inWorker });
      const cause = (image) => model.caption(image).result.catch((error) => error.cause);
      const causes = [await cause(new Blob(['no picture'])), await cause('http://localhost:1/none.png')];
      model.dispose();
      return causes.map((each) => ({ error: each instanceof Error, name: each.name, says: each.message.length > 0 }));
    }, worker);
    assert.deepEqual(causes, [{ error: true, name: 'InvalidStateError', says: true }, { error: true, name: 'TypeError', says: true }]);
  });
}
