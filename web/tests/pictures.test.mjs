// Whatever a page calls a picture, the model sees the same pixels.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { cases, mounts } from './common/goldens.mjs';
import { startSite } from './common/site.mjs';

let browser;
let close;
let page;
let site;

before(async () => {
  ({ site, browser, close } = await startSite({ mounts }));
  page = await (await browser.newContext()).newPage();
  await page.goto(`${site.url}blank/`);
  await page.evaluate(async () => {
    const { load } = await import('/dist/index.js');
    globalThis.model = await load('/models/pg1-hd16', { device: 'cpu', dtype: 'f32' });
  });
  const draw = await page.evaluateHandle(`(${drawn})`);
  await page.evaluate((made) => Object.assign(globalThis, { drawn: made }), draw);
});

after(() => close?.());

const ADDRESS = '/pictures/cat.png';
const { prompt, max_new_tokens: maxNewTokens, greedy_ids: ids } = cases('pg1-hd16').find(({ pictures: [picture] }) => ADDRESS.endsWith(picture));

/** Makes a picture of each kind, in the page. */
const KINDS = {
  'an address': (address) => address,
  'a URL': (address) => new URL(address, document.baseURI),
  'a Blob': async (address) => (await fetch(address)).blob(),
  'a File': async (address) => new File([await (await fetch(address)).blob()], 'cat.png', { type: 'image/png' }),
  'an ImageBitmap': async (address) => createImageBitmap(await (await fetch(address)).blob()),
  'an <img>': (address) => Object.assign(new Image(), { src: address }),
  'a <canvas>': async (address) => globalThis.drawn(address, document.createElement('canvas')),
  'an OffscreenCanvas': async (address) => globalThis.drawn(address, new OffscreenCanvas(1, 1)),
  'an ImageData': async (address) => {
    const canvas = await globalThis.drawn(address, new OffscreenCanvas(1, 1));
    return canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  },
  'a VideoFrame': async (address) => new VideoFrame(await globalThis.drawn(address, new OffscreenCanvas(1, 1)), { timestamp: 0 }),
};

/** In the page. */
async function drawn(from, canvas) {
  const bitmap = await createImageBitmap(await (await fetch(from)).blob());
  Object.assign(canvas, { width: bitmap.width, height: bitmap.height });
  canvas.getContext('2d').drawImage(bitmap, 0, 0);
  return canvas;
}

for (const [kind, make] of Object.entries(KINDS)) {
  test(`${kind} gives the reference's tokens`, async () => {
    // The page's policy allows no eval: what makes the picture goes there as the function it is.
    const picture = await page.evaluateHandle(make, ADDRESS);
    const tokens = await page.evaluate(async ([image, question, most]) => (await globalThis.model.generate({ image, prompt: question, maxNewTokens: most })).tokens, [picture, prompt, maxNewTokens]);
    assert.deepEqual(tokens, ids);
  });
}

test('a <video> is taken as it stands', async () => {
  const { tokens, size } = await page.evaluate(async ([address, question]) => {
    const canvas = await globalThis.drawn(address, document.createElement('canvas'));
    const video = Object.assign(document.createElement('video'), { muted: true, srcObject: canvas.captureStream(5) });
    await video.play();
    // A canvas that does not change sends no frame.
    canvas.getContext('2d').fillRect(0, 0, 1, 1);
    if (video.readyState < 2) await new Promise((resolve) => video.addEventListener('loadeddata', resolve, { once: true }));
    const { tokens } = await globalThis.model.generate({ image: video, prompt: question, maxNewTokens: 4 });
    return { tokens, size: [video.videoWidth, video.videoHeight] };
  }, [ADDRESS, prompt]);
  assert.equal(tokens.length, 4);
  assert.ok(size[0] > 1 && size[1] > 1);
});

test('a picture of an origin that does not share it is an error with a code, and keeps no model from loading', async () => {
  const context = await browser.newContext({ bypassCSP: true });
  try {
    await context.route('http://elsewhere.example/cat.png', (route) => route.fulfill({ path: fileURLToPath(new URL('../../tests/pictures/cat.png', import.meta.url)) }));
    const page = await context.newPage();
    await page.goto(`${site.url}blank/`);
    const found = await page.evaluate(async (text) => {
      const { load } = await import('/dist/index.js');
      const image = Object.assign(new Image(), { src: 'http://elsewhere.example/cat.png' });
      const model = await load('/models/pg1-hd16', { device: 'cpu', dtype: 'f32', image });
      const canvas = Object.assign(document.createElement('canvas'), { width: image.width, height: image.height });
      canvas.getContext('2d').drawImage(image, 0, 0);
      const codes = [];
      for (const each of [image, canvas]) codes.push(await model.generate({ image: each, prompt: text, maxNewTokens: 1 }).then(() => 'answered', ({ code }) => code));
      return { size: image.width, codes };
    }, prompt);
    assert.ok(found.size > 0, 'it is shown');
    assert.deepEqual(found.codes, ['OCELLI_BAD_IMAGE', 'OCELLI_BAD_IMAGE']);
  } finally {
    await context.close();
  }
});

test('an <img> without a picture, and a canvas without a size, are errors with a code', async () => {
  const codes = await page.evaluate(async () => {
    const code = (image) => Promise.resolve(globalThis.model.caption(image)).then(() => 'none', (error) => error.code);
    return [await code(new Image()), await code(Object.assign(new Image(), { src: '/pictures/none.png' })), await code(new OffscreenCanvas(0, 0)), await code(document.createElement('video')), await code({}), await code(null)];
  });
  assert.deepEqual(codes, ['OCELLI_BAD_IMAGE', 'OCELLI_BAD_IMAGE', 'OCELLI_BAD_IMAGE', 'OCELLI_BAD_IMAGE', 'OCELLI_BAD_ARGUMENT', 'OCELLI_BAD_ARGUMENT']);
});
