// Vectors in a page: embeddings, features and labels equal the reference's, on the CPU and on WebGPU; and an index of them.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { mounts, tap } from './common/goldens.mjs';
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

/** Runs in the page: everything that a model makes of a picture. */
async function vectors({ url, options }) {
  const { load } = await import('/dist/index.js');
  const model = await load(url, options);
  const { architecture, tasks, checksum } = model.info;
  const image = '/pictures/cat.png';
  const features = await model.features(image);
  const embedding = tasks.includes('embed') ? await model.embed({ image }, { normalize: false }) : undefined;
  const unit = tasks.includes('embed') ? await model.embed({ image }) : undefined;
  const labels = tasks.includes('classify') ? await model.classify(image, [], { topK: 100 }) : undefined;
  const refused = await model.caption(image).then(() => undefined, ({ code, remedy }) => ({ code, remedy }));
  model.dispose();
  return {
    architecture,
    tasks,
    checksum,
    features: { ...features, values: [...features.values] },
    typed: features.values instanceof Float32Array && embedding instanceof Float32Array,
    embedding: embedding && [...embedding],
    length: unit && Math.hypot(...unit),
    labels,
    refused,
  };
}

/** The largest difference, as a share of the reference's standard deviation. */
function off(found, expected) {
  assert.equal(found.length, expected.length);
  const mean = expected.reduce((sum, value) => sum + value, 0) / expected.length;
  const deviation = Math.sqrt(expected.reduce((sum, value) => sum + (value - mean) ** 2, 0) / expected.length);
  return found.reduce((most, value, n) => Math.max(most, Math.abs(value - expected[n])), 0) / deviation;
}

for (const device of ['cpu', 'gpu']) {
  test(`siglip-vision on the ${device}: the reference's embedding and features`, async () => {
    const url = new URL('models/siglip-vision/', site.url).href;
    const found = await page.evaluate(vectors, { url, options: { device, dtype: 'f32' } });
    assert.deepEqual([found.architecture, found.tasks, found.typed], ['siglip', ['embed', 'features'], true]);
    assert.match(found.checksum, /^[0-9a-f]{64}$/);
    const pooled = tap('siglip-vision', 'image/pooled').subarray(0, found.embedding.length);
    const rows = tap('siglip-vision', 'image/features').subarray(0, found.features.values.length);
    assert.deepEqual([found.features.rows, found.features.width], [9, 48]);
    assert.ok(off(found.features.values, rows) < 1e-3, `features off by ${off(found.features.values, rows)}`);
    assert.ok(off(found.embedding, pooled) < 1e-3, `embedding off by ${off(found.embedding, pooled)}`);
    // Another row must miss, or the comparison says nothing.
    assert.ok(off([...found.embedding].reverse(), pooled) > 0.1);
    assert.ok(Math.abs(found.length - 1) < 1e-5);
    assert.equal(found.refused.code, 'OCELLI_UNSUPPORTED');
    assert.match(found.refused.remedy, /embed, features/);
  });

  test(`vit-hf on the ${device}: the reference's logits of its own labels`, async () => {
    const url = new URL('models/vit-hf/', site.url).href;
    const { labels } = await page.evaluate(vectors, { url, options: { device, dtype: 'f32' } });
    const expected = [...tap('vit-hf', 'logits').subarray(0, 5)].sort((a, b) => b - a);
    assert.ok(off(labels.labels.map(({ logit }) => logit), expected) < 1e-3);
    assert.ok(Math.abs(labels.labels.reduce((sum, { score }) => sum + score, 0) - 1) < 1e-5, 'the scores are shares');
    assert.deepEqual(labels.warnings, []);
  });
}

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
