// Labels and vectors in a page: what a model can do is told, and an index of vectors is searched.

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

test('a model of vectors is refused by the captioning module, with what it knows', async () => {
  for (const name of ['siglip-vision', 'vit-hf', 'vit-timm-map']) {
    const url = new URL(`models/${name}/`, site.url).href;
    const refused = await page.evaluate(async (url) => {
      const { load } = await import('/dist/index.js');
      return load(url, { device: 'cpu' }).then(() => undefined, ({ code, message, remedy }) => ({ code, message, remedy }));
    }, url);
    assert.equal(refused?.code, 'OCELLI_UNSUPPORTED', JSON.stringify(refused));
    assert.match(refused.remedy, /paligemma/);
    assert.doesNotMatch(refused.remedy, /siglip|vit/);
  }
});

test('labels are scored as answers, and what a model cannot do is told with what it can', async () => {
  const found = await page.evaluate(async () => {
    const { load } = await import('/dist/index.js');
    const model = await load({ device: 'cpu' });
    const { architecture, tasks, checksum } = model.info;
    const image = '/pictures/cat.png';
    const { labels, warnings } = await model.classify(image, ['boat', 'cat', 'house']);
    const [best] = (await model.classify(image, ['boat', 'cat', 'house'], { topK: 1 })).labels;
    const code = ({ code, remedy }) => ({ code, remedy });
    const refused = await Promise.all([
      model.embed({ text: 'a cat' }).then(() => undefined, code),
      model.features(image).then(() => undefined, code),
      model.classify(image).then(() => undefined, code),
      model.classify(image, ['cat', ' ']).then(() => undefined, code),
    ]);
    const stop = new AbortController();
    stop.abort();
    const stopped = await model.classify(image, ['cat'], { signal: stop.signal }).catch(({ code }) => code);
    model.dispose();
    return { architecture, tasks, checksum, labels, warnings, best, refused, stopped };
  });
  assert.equal(found.architecture, 'paligemma');
  assert.ok(found.tasks.includes('classify') && !found.tasks.includes('embed'));
  assert.match(found.checksum, /^[0-9a-f]{64}$/);
  assert.deepEqual(found.labels.map(({ label }) => label).sort(), ['boat', 'cat', 'house']);
  assert.ok(Math.abs(found.labels.reduce((sum, { score }) => sum + score, 0) - 1) < 1e-5, 'the scores are shares');
  assert.deepEqual(found.best, found.labels[0]);
  assert.deepEqual(found.warnings, []);
  assert.deepEqual(found.refused.map(({ code }) => code), ['OCELLI_UNSUPPORTED', 'OCELLI_UNSUPPORTED', 'OCELLI_BAD_ARGUMENT', 'OCELLI_BAD_ARGUMENT']);
  assert.match(found.refused[0].remedy, /caption, describe, ask/);
  assert.equal(found.stopped, 'OCELLI_CANCELLED');
});

test('an index finds, forgets, is kept, and tells of another model and of damage', async () => {
  const found = await page.evaluate(async () => {
    const { SearchIndex } = await import('/dist/search.js');
    const model = { checksum: 'a'.repeat(64), dtype: 'q8' };
    let state = 1;
    const random = () => (state = (state * 48271) % 2147483647) / 2147483647 - 0.5;
    const rows = Array.from({ length: 200 }, () => Float32Array.from({ length: 96 }, random));
    const index = await SearchIndex.open('holiday / 2026', { model, width: 96 });
    for (const [n, row] of rows.entries()) await index.add(`${n}.jpg`, row, { size: n, modified: 1000 + n });
    const [self] = await index.search(rows[7]);
    const none = await index.search(rows[7].map((value) => -value), { least: 0.9 });
    await index.remove('7.jpg');
    const [other] = await index.search(rows[7], { top: 1 });
    await index.add('again.jpg', rows[11]);
    const doubles = await index.doubles();
    await index.save();
    const bad = await index.add('x', new Float32Array(95)).catch(({ code }) => code);
    await index.close();
    const reopened = await SearchIndex.open('holiday / 2026', { model, width: 96 });
    const [again] = await reopened.search(rows[11]);
    const { size } = reopened.sources.get('199.jpg');
    await reopened.close();
    const foreign = await SearchIndex.open('holiday / 2026', { model: { ...model, dtype: 'f32' }, width: 96 }).catch(({ code, message }) => ({ code, message }));
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('ocelli-indexes');
    const handle = await folder.getFileHandle(`${encodeURIComponent('holiday / 2026')}.index`);
    const bytes = await (await handle.getFile()).arrayBuffer();
    const writable = await handle.createWritable();
    await writable.write(bytes.slice(0, bytes.byteLength - 100));
    await writable.close();
    const cut = await SearchIndex.open('holiday / 2026', { model, width: 96 }).catch(({ code, message }) => ({ code, message }));
    const deleted = [await SearchIndex.delete('holiday / 2026'), await SearchIndex.delete('holiday / 2026')];
    const fresh = await SearchIndex.open('holiday / 2026', { model, width: 96 });
    return { self, none, other, doubles, bad, again, size, foreign, cut, deleted, left: fresh.sources.size };
  });
  assert.equal(found.self.source, '7.jpg');
  assert.ok(Math.abs(found.self.score - 1) < 1e-4);
  assert.deepEqual(found.none, []);
  assert.notEqual(found.other.source, '7.jpg');
  assert.deepEqual(found.doubles, [['11.jpg', 'again.jpg']]);
  assert.equal(found.bad, 'OCELLI_BAD_ARGUMENT');
  assert.deepEqual([found.again.source, found.size], ['11.jpg', 199]);
  assert.equal(found.foreign.code, 'OCELLI_BAD_ARGUMENT');
  assert.match(found.foreign.message, /another model/);
  assert.equal(found.cut.code, 'OCELLI_BAD_MODEL_FILE');
  assert.match(found.cut.message, /cut off/);
  assert.deepEqual(found.deleted, [true, false]);
  assert.equal(found.left, 0);
});

test('a search among 100,000 vectors of 768 takes a blink', async (t) => {
  const times = await page.evaluate(async () => {
    const { SearchIndex } = await import('/dist/search.js');
    const index = await SearchIndex.open('many', { model: { checksum: 'a', dtype: 'q8' }, width: 768, keep: false });
    let state = 1;
    const random = () => (state = (state * 48271) % 2147483647) / 2147483647 - 0.5;
    const row = Float32Array.from({ length: 768 }, random);
    // Not awaited one by one: the worker takes them as they come.
    let adding = [];
    for (let n = 0; n < 100_000; n++) {
      for (let k = 0; k < 16; k++) row[Math.floor((random() + 0.5) * 768)] = random();
      adding.push(index.add(String(n), row));
      if (adding.length === 1000) {
        await Promise.all(adding);
        adding = [];
      }
    }
    const times = [];
    for (let n = 0; n < 12; n++) {
      const began = performance.now();
      await index.search(row);
      times.push(performance.now() - began);
    }
    await index.close();
    return times.slice(2).sort((a, b) => a - b);
  });
  t.diagnostic(`${times[5].toFixed(1)} ms`);
  // What it should take is 30 ms on a core to itself; here others compute, too.
  assert.ok(times[0] < 120, `${times}`);
});
