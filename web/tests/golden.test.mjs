// From a picture to words in a page: the reference's own tokens, on the CPU and on WebGPU.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { cases, mounts } from './common/goldens.mjs';
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

/** Runs in the page: loads a model and asks it everything; gives each answer with its pieces. */
async function askAll({ url, options, questions }) {
  const { load } = await import('/dist/index.js');
  const model = await load(url, options);
  const answers = [];
  for (const question of questions) {
    const run = model.generate(question);
    const pieces = [];
    for await (const piece of run) pieces.push(piece);
    const { logits, ...answer } = await run;
    answers.push({ ...answer, pieces, logits: logits && [...logits] });
  }
  model.dispose();
  return { info: model.info, answers };
}

const question = ({ pictures, prompt, max_new_tokens: maxNewTokens }) => {
  const image = pictures.map((name) => `/pictures/${name}`);
  return { image: image.length === 1 ? image[0] : image, prompt, maxNewTokens };
};

const first = (image, prompt = 'caption en') => ({ image, prompt, maxNewTokens: 1, logits: true });

const largestDifference = (a, b) => a.reduce((most, value, index) => Math.max(most, Math.abs(value - b[index])), 0);

for (const device of ['cpu', 'gpu']) {
  for (const checkpoint of ['pg1-hd16', 'pg1-hd72', 'pg2-gqa']) {
    test(`${checkpoint} on the ${device}: the reference's tokens, log-probabilities and logits`, async (t) => {
      const goldens = cases(checkpoint);
      const questions = goldens.flatMap((golden) => [question(golden), { ...question(golden), maxNewTokens: 1, logits: true }]);
      const { info, answers } = await page.evaluate(askAll, { url: `/models/${checkpoint}`, options: { device, dtype: 'f32' }, questions });
      assert.equal(info.device, device);
      let worst = 0;
      for (const [index, golden] of goldens.entries()) {
        const [answer, first] = answers.slice(2 * index, 2 * index + 2);
        assert.deepEqual(answer.tokens, golden.greedy_ids, golden.name);
        assert.equal(answer.text, golden.text, golden.name);
        assert.equal(answer.pieces.join(''), golden.text, golden.name);
        assert.ok(answer.pieces.length > 1, `${golden.name} came in ${answer.pieces.length} piece`);
        assert.equal(answer.finish, golden.stop, golden.name);
        assert.deepEqual(answer.promptTokens, golden.promptTokens, golden.name);
        assert.equal(answer.device, device);
        assert.ok(largestDifference(answer.logprobs, golden.logprobs) < 2e-3, `${golden.name}: log-probabilities ${answer.logprobs}`);
        assert.equal(first.logits.length, golden.logits.length);
        const error = largestDifference(first.logits, golden.logits) / golden.logits_std[0];
        assert.ok(error < 1e-3, `${golden.name}: logits differ by ${error} of their deviation`);
        worst = Math.max(worst, error);
      }
      t.diagnostic(`logits within ${worst.toExponential(1)} of their deviation`);
    });
  }
}

test('weights cut into many bindings give the same tokens', async () => {
  const [golden] = cases('pg1-hd16');
  for (const device of ['cpu', 'gpu']) {
    const options = { device, dtype: 'f32', maxBindingMib: 0.0625 };
    const { answers } = await page.evaluate(askAll, { url: '/models/pg1-hd16', options, questions: [question(golden)] });
    assert.deepEqual(answers[0].tokens, golden.greedy_ids, device);
  }
});

test('the kernels of a real GPU give the same tokens and logits, in every format of weights', async (t) => {
  const [golden] = cases('pg2-gqa');
  const ask = async (options, questions) => {
    const { answers } = await page.evaluate(askAll, { url: '/models/pg2-gqa', options: { device: 'gpu', asRealGpu: true, ...options }, questions });
    return answers;
  };
  const [{ tokens }] = await ask({ dtype: 'f32' }, [question(golden)]);
  assert.deepEqual(tokens, golden.greedy_ids);
  const questions = [first('/pictures/cat.png')];
  for (const [dtype, tolerance] of [['f32', 1e-3], ['f16', 1e-3], ['q8', 2e-2], ['q4', 2e-2]]) {
    const [{ logits }] = await ask({ dtype }, questions);
    const { answers: [{ logits: expected }] } = await page.evaluate(askAll, { url: '/models/pg2-gqa', options: { device: 'cpu', dtype }, questions });
    const apart = largestDifference(logits, expected) / golden.logits_std[0];
    t.diagnostic(`${dtype}: ${apart.toExponential(1)} of a deviation from the CPU`);
    assert.ok(apart < tolerance, `${dtype}: ${apart} deviations from the CPU`);
  }
});

test('both devices draw the same sample from the same seed, and another from another', async () => {
  const [golden] = cases('pg1-hd16');
  const draw = async (device, seed) => {
    const questions = [{ ...question(golden), temperature: 1, seed }];
    const { answers } = await page.evaluate(askAll, { url: '/models/pg1-hd16', options: { device, dtype: 'f32' }, questions });
    return answers[0].tokens;
  };
  const drawn = await draw('cpu', 5);
  assert.deepEqual(await draw('gpu', 5), drawn);
  assert.notDeepEqual(await draw('cpu', 6), drawn);
});

test('the same picture in every form gives the same tokens', async () => {
  const [golden] = cases('pg1-hd16');
  const found = await page.evaluate(async ({ prompt, maxNewTokens }) => {
    const { load } = await import('/dist/index.js');
    const model = await load('/models/pg1-hd16', { device: 'cpu', dtype: 'f32' });
    const blob = await (await fetch('/pictures/cat.png')).blob();
    const bitmap = await createImageBitmap(blob);
    const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
    context.drawImage(bitmap, 0, 0);
    const pixels = context.getImageData(0, 0, bitmap.width, bitmap.height);
    const forms = { blob, bitmap, pixels, url: new URL('/pictures/cat.png', location.href), bitmapAgain: bitmap };
    const entries = [];
    for (const [name, image] of Object.entries(forms)) {
      entries.push([name, (await model.generate({ image, prompt, maxNewTokens })).tokens]);
    }
    model.dispose();
    return entries;
  }, question(golden));
  for (const [name, tokens] of found) assert.deepEqual(tokens, golden.greedy_ids, name);
});

test('weights in every other format come to the same on both devices', async (t) => {
  const [golden] = cases('pg1-hd72');
  const logits = async (device, dtype) => {
    const { answers } = await page.evaluate(askAll, { url: '/models/pg1-hd72', options: { device, dtype }, questions: [first('/pictures/cat.png')] });
    return answers[0].logits;
  };
  for (const [dtype, tolerance] of [['f16', 1e-3], ['q8', 2e-2], ['q4', 2e-2]]) {
    const [cpu, gpu] = [await logits('cpu', dtype), await logits('gpu', dtype)];
    const apart = largestDifference(cpu, gpu) / golden.logits_std[0];
    const off = largestDifference(gpu, golden.logits) / golden.logits_std[0];
    t.diagnostic(`${dtype}: devices ${apart.toExponential(1)} apart, ${off.toExponential(1)} off the reference`);
    assert.ok(apart < tolerance, `${dtype}: the devices are ${apart} deviations apart`);
    // The checkpoint is stored in f16, so f16 loses nothing.
    if (dtype === 'f16') assert.ok(off < 1e-3, `${dtype}: ${off} deviations off`);
  }
});

test('file formats, and a camera turned on its side', async (t) => {
  const questions = ['cat-small.bmp', 'cat-small.webp', 'rocket.png', 'rocket-exif6.jpg', 'cat.png', 'cat.jpg'].map((name) => first(`/pictures/${name}`));
  const { answers } = await page.evaluate(askAll, { url: '/models/pg1-hd16', options: { device: 'cpu', dtype: 'f32' }, questions });
  const [bmp, webp, rocket, turned, cat, jpeg] = answers.map(({ logits }) => logits);
  assert.deepEqual(bmp, webp);
  // The same photographs but for what JPEG loses.
  const apart = [largestDifference(rocket, turned), largestDifference(cat, jpeg), largestDifference(cat, rocket)];
  t.diagnostic(`logits apart: ${apart.map((value) => value.toFixed(3)).join(', ')}`);
  assert.ok(apart[0] < apart[2] / 4 && apart[1] < apart[2] / 4, `${apart}`);
});
