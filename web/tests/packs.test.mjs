// Packs in a page, made by the real converter: streamed to the device, the same answers as from the checkpoint, typed
// tasks on top, and nothing from the network once they are there.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { launchChromium } from '../scripts/chromium.mjs';
import { serve } from '../scripts/serve.mjs';
import { serveFaults } from './common/fault-server.mjs';
import { mounts } from './common/goldens.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'ocelli-packs-'));

let browser;
let page;
let site;

before(async () => {
  // The command line was built for the native tests.
  const convert = (name, ...options) =>
    execFileSync(join(root, 'target/debug/ocelli'), ['convert', join(root, 'tests/goldens/pg1-hd16'), join(folder, name), ...options]);
  convert('q8', '--dtype', 'q8', '--shard-mib', '0.03');
  convert('f32', '--dtype', 'f32');
  cpSync(join(folder, 'q8'), join(folder, 'bad'), { recursive: true });
  const shard = join(folder, 'bad/weights-00003.safetensors');
  const bytes = readFileSync(shard);
  bytes[bytes.length - 1] ^= 1;
  writeFileSync(shard, bytes);
  site = await serve({ port: 0, mounts: { ...mounts, '/packs': folder } });
  browser = await launchChromium();
  page = await (await browser.newContext()).newPage();
  await page.goto(`${site.url}blank/`);
});

after(async () => {
  await browser?.close();
  await site?.close();
  rmSync(folder, { recursive: true });
});

/** Runs in the page: the answer to a question, with what loading told of itself. */
async function answerOf({ url, options, question }) {
  const { load } = await import('/dist/index.js');
  const events = [];
  const model = await load(url, { ...options, onProgress: (event) => events.push(event) });
  const { tokens, logprobs } = await model.generate(question);
  model.dispose();
  return { info: model.info, tokens, logprobs, events };
}

const question = { image: '/pictures/cat.png', prompt: 'caption en', maxNewTokens: 8 };

for (const device of ['cpu', 'gpu']) {
  for (const dtype of ['f32', 'q8']) {
    test(`a ${dtype} pack on the ${device} answers as its checkpoint does`, async () => {
      const options = { device, dtype, cache: false };
      const whole = await page.evaluate(answerOf, { url: '/models/pg1-hd16/', options, question });
      // The dtype asked for is for checkpoints.
      const pack = await page.evaluate(answerOf, { url: `/packs/${dtype}/ocelli.json`, options: { ...options, dtype: 'f16' }, question });
      assert.equal(pack.info.dtype, dtype);
      assert.equal(pack.info.device, device);
      assert.deepEqual(pack.tokens, whole.tokens);
      assert.deepEqual(pack.logprobs, whole.logprobs);
      assert.equal(pack.info.memory.weightsBytes, whole.info.memory.weightsBytes);
    });
  }
}

test('progress goes through all phases and never back', async () => {
  const { events } = await page.evaluate(answerOf, { url: '/packs/q8/', options: { device: 'cpu', cache: false }, question });
  assert.ok(readdirSync(join(folder, 'q8')).length > 10);
  const order = ['wait', 'download', 'verify', 'upload', 'warmup'];
  for (const [index, event] of events.entries()) {
    const before = events[index - 1];
    if (!before) continue;
    assert.ok(order.indexOf(event.phase) >= order.indexOf(before.phase), `${before.phase} then ${event.phase}`);
    assert.ok(event.fraction >= before.fraction);
    if (event.phase === before.phase) assert.ok(event.done >= before.done);
  }
  assert.equal(events.at(-1).fraction, 1);
});

test('a kept pack loads and answers without a network', async () => {
  const once = await page.evaluate(answerOf, { url: '/packs/q8/', options: { device: 'cpu' }, question });
  const asked = [];
  await page.context().route('**/packs/**', (route) => {
    asked.push(route.request().url());
    return route.abort('internetdisconnected');
  });
  const again = await page.evaluate(answerOf, { url: '/packs/q8/', options: { device: 'cpu' }, question });
  await page.context().unroute('**/packs/**');
  assert.deepEqual(again.tokens, once.tokens);
  assert.ok(asked.every((url) => url.endsWith('/ocelli.json')), `${asked}`);
});

for (const device of ['cpu', 'gpu']) {
  test(`the tower looks at the first picture while the decoder is on its way (${device})`, async () => {
    // The last shard does not come before the picture was fetched.
    let open;
    const gate = new Promise((resolve) => (open = resolve));
    const shards = readdirSync(join(folder, 'q8')).filter((file) => file.startsWith('weights-')).sort();
    const order = [];
    await page.context().route(`**/packs/q8/${shards.at(-1)}`, async (route) => {
      await gate;
      order.push('the last shard');
      await route.continue();
    });
    await page.context().route('**/pictures/first.png', async (route) => {
      order.push('the picture');
      await route.fulfill({ path: join(root, 'tests/pictures/cat.png') });
      open();
    });
    try {
      const load = async ({ image, question, device }) => {
        const { load } = await import('/dist/index.js');
        const model = await load('/packs/q8/', { device, cache: false, image });
        const { tokens, timings } = await model.generate(question);
        model.dispose();
        return { tokens, encodeMs: timings.encodeMs };
      };
      const looked = await page.evaluate(load, { image: '/pictures/first.png', question, device });
      assert.deepEqual(order, ['the picture', 'the last shard']);
      const usual = await page.evaluate(load, { question, device });
      assert.deepEqual(looked.tokens, usual.tokens);
      assert.ok(looked.encodeMs < usual.encodeMs / 3, `${looked.encodeMs} ms, and ${usual.encodeMs} ms without`);
      const broken = await page.evaluate(load, { image: new URL('/missing.png', site.url).href, question, device });
      assert.deepEqual(broken.tokens, usual.tokens, 'a picture that cannot be had does not keep a model from loading');
    } finally {
      open();
      await page.context().unrouteAll();
    }
  });
}

test('a load does not wait for a picture that never comes', async () => {
  await page.context().route('**/pictures/never.png', () => undefined);
  try {
    const tokens = await page.evaluate(async (question) => {
      const { load } = await import('/dist/index.js');
      const shown = Object.assign(new Image(), { src: '/pictures/none.png' });
      const counts = [];
      for (const image of ['/pictures/never.png', shown]) {
        const model = await load('/packs/q8/', { device: 'cpu', cache: false, image });
        counts.push((await model.generate(question)).tokens.length);
        model.dispose();
      }
      return counts;
    }, question);
    assert.ok(tokens.every((count) => count > 0), `${tokens}`);
  } finally {
    await page.context().unrouteAll();
  }
});

test('one part alone is fetched without the others, and the rest later', async () => {
  const files = new Map(readdirSync(join(folder, 'q8')).map((file) => [file, readFileSync(join(folder, 'q8', file))]));
  const manifest = JSON.parse(files.get('ocelli.json'));
  const named = (list) => list.map(({ file }) => file);
  const [vision, decoder] = ['vision', 'decoder'].map((name) => named(manifest.parts.find((part) => part.name === name).shards));
  assert.ok(vision.length > 1 && decoder.length > 1);
  const faults = await serveFaults();
  const page = await (await browser.newContext()).newPage();
  try {
    const { requests } = faults.add('q8', { files });
    await page.goto(`${faults.url}pages/packs.html`);
    await page.waitForFunction(() => globalThis.ready);
    await page.evaluate(() => (globalThis.worker = startWorker()));
    const fetched = () => requests.splice(0).filter(({ method, file }) => method === 'GET' && file !== 'ocelli.json').map(({ file }) => file).sort();
    const load = (parts) => page.evaluate((job) => worker.load(job), { url: `${faults.url}packs/q8/`, parts });
    const some = await load(['vision']);
    assert.deepEqual(fetched(), [manifest.tokenizer.file, ...vision].sort());
    const sizes = new Map(manifest.parts.flatMap((part) => part.shards).map(({ file, bytes }) => [file, bytes]));
    const wanted = vision.reduce((sum, file) => sum + sizes.get(file), manifest.tokenizer.bytes);
    assert.equal(some.events.filter(({ phase }) => phase === 'download').at(-1).total, wanted, 'progress counts what is wanted');
    assert.equal(some.sums.length, 1 + vision.length);
    const all = await load();
    assert.deepEqual(fetched(), decoder.toSorted());
    assert.deepEqual(all.sums.slice(0, some.sums.length), some.sums);
    assert.equal((await load(['ears'])).error.code, 'OCELLI_BAD_ARGUMENT');
    assert.deepEqual(fetched(), []);
  } finally {
    await page.context().close();
    await faults.close();
  }
});

test('a damaged shard is named', async () => {
  const error = await page.evaluate(async () => {
    const { load } = await import('/dist/index.js');
    return load('/packs/bad/', { device: 'cpu', cache: false }).catch(({ name, code, message, remedy }) => ({ name, code, message, remedy }));
  });
  assert.equal(error.code, 'OCELLI_BAD_DOWNLOAD', error.message);
  assert.match(error.message, /weights-00003\.safetensors is damaged/);
  assert.ok(error.remedy);
});

test('tasks are prompts with typed results', async () => {
  const found = await page.evaluate(async () => {
    const { load } = await import('/dist/index.js');
    const model = await load('/packs/f32/', { device: 'cpu' });
    const image = '/pictures/rocket.png';
    const prompt = async (prompt, maxNewTokens = 20) => (await model.generate({ image, prompt, maxNewTokens })).tokens;
    // Random weights write no objects by themselves.
    const short = { maxNewTokens: 20, constrained: false };
    const pairs = {
      caption: [(await model.caption(image, short)).tokens, await prompt('caption en')],
      'caption de': [(await model.caption(image, { language: 'de', ...short })).tokens, await prompt('caption de')],
      describe: [(await model.describe(image, short)).tokens, await prompt('describe en')],
      ask: [(await model.ask(image, 'what is it', short)).tokens, await prompt('answer en what is it')],
      ocr: [(await model.ocr(image, short)).tokens, await prompt('ocr')],
      detect: [(await model.detect(image, ['rocket', 'cloud'], short).answer).tokens, await prompt('detect rocket ; cloud')],
      segment: [(await model.segment(image, 'rocket', short).answer).tokens, await prompt('segment rocket')],
    };
    const objects = await model.detect(image, ['rocket', 'cloud'], short);
    const none = await model.detect(image, []);
    const failed = [];
    for (const wrong of [() => model.ask(image, ' '), () => model.detect(image, ['a ; b']), () => model.detect(image, [7]), () => model.caption(image, { language: 'e n' }), () => model.ask(image)]) {
      failed.push(await wrong().then(() => 'none', ({ code }) => code));
    }
    model.dispose();
    return { pairs, objects, none, failed };
  });
  for (const [task, [tokens, expected]] of Object.entries(found.pairs)) assert.deepEqual(tokens, expected, task);
  assert.ok(Array.isArray(found.objects));
  assert.deepEqual(found.none, []);
  assert.deepEqual(found.failed, Array(5).fill('OCELLI_BAD_ARGUMENT'));
});

test('whatever shows a picture is a picture', async () => {
  const texts = await page.evaluate(async () => {
    const { load } = await import('/dist/index.js');
    const model = await load('/packs/f32/', { device: 'cpu' });
    const address = '/pictures/cat.png';
    const blob = await (await fetch(address)).blob();
    const element = new Image();
    element.src = address;
    await element.decode();
    const draw = (canvas) => {
      canvas.width = element.naturalWidth;
      canvas.height = element.naturalHeight;
      canvas.getContext('2d').drawImage(element, 0, 0);
      return canvas;
    };
    const canvas = draw(document.createElement('canvas'));
    const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const frame = new VideoFrame(canvas, { timestamp: 0 });
    const kinds = {
      address, url: new URL(address, location.href), blob, file: new File([blob], 'cat.png'), element, canvas, pixels,
      offscreen: draw(new OffscreenCanvas(1, 1)), bitmap: await createImageBitmap(blob), frame,
    };
    const texts = {};
    for (const [kind, image] of Object.entries(kinds)) texts[kind] = (await model.caption(image, { maxNewTokens: 8 })).text;
    texts.unloaded = await model.caption(new Image()).then(() => 'an answer', ({ code }) => code);
    frame.close();
    model.dispose();
    return texts;
  });
  const { unloaded, ...answers } = texts;
  assert.equal(unloaded, 'OCELLI_BAD_IMAGE');
  assert.equal(Object.keys(answers).length, 10);
  assert.equal(new Set(Object.values(answers)).size, 1, JSON.stringify(answers));
});
