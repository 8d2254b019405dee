// The demo site as a person uses it: pictures in, questions, answers out, and every state between.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync } from 'node:zlib';

import { ask, chooseTask, ended, pictureName, press, settled, startSite, useModel, visit } from './common/site.mjs';
import { endWorker } from './common/worker-end.mjs';

const CAT = fileURLToPath(new URL('../../tests/pictures/cat.png', import.meta.url));

let started;

before(async () => {
  started = await startSite();
});

after(() => started?.close());

test('the first paint is small, and the module comes only when the page is at rest, or with the first question', async () => {
  // Who saves data gets nothing unasked.
  const { page, context, requests, faults } = await visit(started, {}, { saveData: true });
  await settled(page);
  const own = await page.evaluate(() => {
    const all = performance.getEntriesByType('resource');
    // What the worker asks for is listed with the page's own.
    const worker = all.find(({ name }) => name.endsWith('worker.js'));
    return all.filter(({ name, initiatorType, startTime }) => /\.(js|css)$/.test(name) && initiatorType !== 'fetch' && startTime < worker.startTime).map(({ name }) => name);
  });
  assert.ok(own.length > 5 && own.length < 12 && own.some((url) => url.endsWith('site.js')));
  let sent = 0;
  for (const url of [started.site.url, ...new Set(own)]) sent += brotliCompressSync(Buffer.from(await (await fetch(url)).arrayBuffer())).length;
  assert.ok(sent > 5000 && sent < 50_000, `${sent} bytes of markup, script and style`);
  assert.ok(!requests.some((url) => url.endsWith('.wasm') || url.endsWith('.safetensors')), 'nothing heavy before it is needed');
  assert.equal(await ask(page, 'caption'), 'done');
  assert.ok(requests.some((url) => url.endsWith('.wasm')));
  assert.deepEqual(faults, []);
  await context.close();
});

// Below a found list, on a phone, what was answered before moves by its length.
for (const [shape, viewport, most] of [['wide', { width: 1280, height: 900 }, 0.02], ['narrow', { width: 390, height: 844 }, 0.05]]) {
  test(`nothing moves when answers arrive, on a ${shape} window`, async () => {
    const { page, context } = await visit(started, { viewport });
    await page.evaluate(() => {
      globalThis.moved = 0;
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) if (!entry.hadRecentInput) globalThis.moved += entry.value;
      }).observe({ type: 'layout-shift', buffered: true });
    });
    await settled(page);
    await ask(page, 'caption');
    await ask(page, 'detect');
    const moved = await page.evaluate(() => globalThis.moved);
    assert.ok(moved < most, `layout shift of ${moved}`);
    await context.close();
  });
}

test('pictures come from a file, a drop, the clipboard and as SVG; what is none is told', async () => {
  const { page, context, faults } = await visit(started);
  await page.setInputFiles('#file', CAT);
  await pictureName(page, 'cat.png');
  const hand = (type, name, mime, bytes) => page.evaluate(([kind, file, media, base64]) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], file, { type: media }));
    dispatchEvent(kind === 'paste' ? new ClipboardEvent('paste', { clipboardData: transfer, cancelable: true }) : new DragEvent('drop', { dataTransfer: transfer, cancelable: true }));
  }, [type, name, mime, Buffer.from(bytes).toString('base64')]);
  await hand('drop', 'dropped.png', 'image/png', readFileSync(CAT));
  await pictureName(page, 'dropped.png');
  await hand('paste', 'image.png', 'image/png', readFileSync(CAT));
  await pictureName(page, 'the pasted picture');
  await hand('drop', 'drawn.svg', 'image/svg+xml', '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><circle r="9" cx="9" cy="9"/></svg>');
  await pictureName(page, 'drawn.svg');
  assert.match(await page.textContent('#picture-name'), /1024 × 512/);
  assert.equal(await ask(page, 'caption'), 'done');

  await hand('drop', 'notes.txt', 'text/plain', 'hello');
  await page.waitForSelector('.notice');
  assert.match(await page.textContent('.notice'), /notes\.txt is no picture that this browser can show/);
  await pictureName(page, 'drawn.svg');
  await page.click('.notice button');
  assert.equal(await page.locator('.notice').count(), 0);
  assert.deepEqual(faults, []);
  await context.close();
});

test('the camera gives a picture, and says why where it cannot', async () => {
  const allowed = await startSite({ extra: ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'] });
  try {
    const { page, faults } = await visit(allowed, { permissions: ['camera'] });
    await page.click('#camera');
    await page.click('#camera-dialog .primary:enabled', { timeout: 20_000 });
    await pictureName(page, 'photo.png');

    // A dialog that was closed before its camera came, and opened again: none of its cameras stays on.
    await page.evaluate(() => {
      const { mediaDevices } = navigator;
      const open = mediaDevices.getUserMedia.bind(mediaDevices);
      globalThis.streams = [];
      mediaDevices.getUserMedia = async (wanted) => {
        await new Promise((resolve) => setTimeout(resolve, 400));
        const stream = await open(wanted);
        globalThis.streams.push(stream);
        return stream;
      };
    });
    await page.click('#camera');
    await page.keyboard.press('Escape');
    await page.click('#camera');
    await page.waitForFunction(() => globalThis.streams.length === 2);
    await page.click('#camera-dialog .primary:enabled');
    await page.waitForFunction(() => globalThis.streams.every((stream) => stream.getTracks().every((track) => track.readyState === 'ended')));
    assert.deepEqual(faults, []);
  } finally {
    await allowed.close();
  }
  const { page, context } = await visit(started);
  await page.click('#camera');
  await page.waitForFunction(() => /no camera|not allowed/.test(document.querySelector('#camera-dialog .status').textContent));
  await page.keyboard.press('Escape');
  await pictureName(page, 'harbour.png');
  await context.close();
});

test('several questions on one picture, queued, kept for the visit, forgotten when told', async () => {
  const { page, context, faults } = await visit(started);
  for (const task of ['caption', 'read', 'caption']) {
    await chooseTask(page, task);
    await press(page);
  }
  await page.waitForFunction(() => document.querySelectorAll('.answer-card[data-state=done]').length === 3, undefined, { timeout: 60_000 });
  assert.deepEqual(await page.locator('.answer-card h3').allTextContents(), ['Caption', 'Read the text', 'Caption']);
  await page.click('#samples [data-file="pets.png"]');
  await pictureName(page, 'pets.png');
  assert.equal(await page.locator('.answer-card').count(), 0);
  await ask(page, 'caption');
  assert.deepEqual(await page.locator('#visited .count').allTextContents(), ['3', '1']);
  await page.click('#visited button >> nth=0');
  await pictureName(page, 'harbour.png');
  assert.equal(await page.locator('.answer-card[data-state=done]').count(), 3);
  await page.click('#forget');
  assert.equal(await page.locator('.answer-card').count(), 0);
  assert.ok(await page.locator('#visit').isHidden());
  assert.deepEqual(faults, []);
  await context.close();
});

test('answers are saved as text, JSON and PNG, and copied', async () => {
  const { page, context, faults } = await visit(started, { permissions: ['clipboard-read', 'clipboard-write'], acceptDownloads: true });
  await ask(page, 'caption');
  const saved = async (label) => {
    const [download] = await Promise.all([page.waitForEvent('download'), page.click(`.answer-card button:has-text("${label}")`)]);
    return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
  };
  const text = await saved('Text');
  assert.equal(text.name, 'harbour-caption.txt');
  const record = JSON.parse((await saved('JSON')).bytes);
  assert.equal(`${record.text}\n`, text.bytes.toString());
  assert.deepEqual(record.picture, { name: 'harbour.png', width: 640, height: 640 });
  assert.equal(record.tokens.length, record.logprobs.length);
  assert.ok(record.timings.prefillMs > 0 && record.device === 'cpu' && record.model === 'Embedded');
  const png = await saved('PNG');
  assert.deepEqual([...png.bytes.subarray(1, 4)], [0x50, 0x4e, 0x47]);
  assert.equal(png.bytes.readUInt32BE(16), 640);
  await page.click('.answer-card button:has-text("Copy")');
  await page.waitForFunction(() => document.getElementById('status').textContent === 'Copied.');
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), record.text);
  assert.deepEqual(faults, []);
  await context.close();
});

test('what was found is drawn, pointed at, switched off and saved', async () => {
  const { page, context, faults } = await visit(started, { acceptDownloads: true, reducedMotion: 'reduce' });
  await ask(page, 'caption');
  // A model finds what it finds: here is an answer that is known.
  await page.evaluate(async () => {
    const { Model } = await import('/dist/index.js');
    const mask = new ImageData(new Uint8ClampedArray(4 * 200 * 100).fill(255), 200, 100);
    const objects = [
      { label: 'boat', score: 0.93, box: { xmin: 300, ymin: 200, xmax: 600, ymax: 400 }, mask, origin: { x: 350, y: 250 } },
      { label: 'sun', score: 0.4, box: { xmin: 20, ymin: 20, xmax: 200, ymax: 200 } },
    ];
    const answer = {
      text: '<loc0001> boat', tokens: [5, 1], logprobs: [-0.1, -2], finish: 'eos', objects, dropped: 0, device: 'cpu', adapter: '',
      timings: { imageMs: 1, encodeMs: 1, prefillMs: 1, decodeMsPerToken: 1, downloadMs: 0, loadMs: 0 },
      memory: { weightsBytes: 1, kvBytes: 1, activationBytes: 1 },
    };
    Model.prototype.segment = () => ({ async* [Symbol.asyncIterator]() { yield '<loc0001> bo'; }, answer: Promise.resolve(answer) });
  });
  assert.equal(await ask(page, 'segment'), 'done');
  assert.deepEqual(await page.locator('.tag').allTextContents(), ['boat93 %', 'sun40 %']);
  assert.deepEqual(await page.locator('.object').allTextContents(), ['boat 93 %', 'sun 40 %']);
  assert.equal(await page.textContent('#announce'), 'Outline boat: found 2: boat, sun');

  const at = (selector) => page.locator(selector).boundingBox();
  const [frame, box] = [await at('#frame'), await at('.mark:first-child .box')];
  const near = (a, b) => assert.ok(Math.abs(a - b) < 1.5, `${a}, expected ${b}`);
  near(box.x, frame.x + (300 / 640) * frame.width);
  near(box.height, (200 / 640) * frame.height);

  await page.hover('.object:nth-child(2)');
  assert.match(await page.locator('.mark').nth(1).getAttribute('class'), /pointed/);
  await page.hover('.mark:first-child .box');
  assert.match(await page.locator('.object').nth(0).getAttribute('class'), /pointed/);

  const pixels = async () => {
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('.answer-card:first-child button:has-text("PNG")')]);
    return page.evaluate(async (base64) => {
      const canvas = new OffscreenCanvas(640, 640);
      const image = new Image();
      image.src = `data:image/png;base64,${base64}`;
      await image.decode();
      canvas.getContext('2d').drawImage(image, 0, 0);
      return [[400, 300], [20, 100]].map(([x, y]) => [...canvas.getContext('2d').getImageData(x, y, 1, 1).data.slice(0, 3)].join(' '));
    }, readFileSync(await download.path()).toString('base64'));
  };
  const [masked, edge] = await pixels();
  assert.equal(edge, '251 191 36');
  await page.click('.object:first-child .toggle');
  assert.ok(await page.locator('.mark').nth(0).isHidden());
  assert.equal(await page.getAttribute('.object:first-child .toggle', 'aria-pressed'), 'false');
  const [bare] = await pixels();
  assert.notEqual(masked, bare, 'the mask is drawn, and only while it is on');
  // Another answer takes the place of this one on the picture, and gives it back.
  await page.click('.answer-card:nth-child(2) h3');
  assert.equal(await page.locator('.mark').count(), 0);
  await page.click('.answer-card:nth-child(1) h3');
  assert.equal(await page.locator('.mark').count(), 2);
  assert.deepEqual(faults, []);
  await context.close();
});

test('loading shows how far it is, and can be cancelled and begun again', async () => {
  const { page, context } = await visit(started, { serviceWorkers: 'block' });
  await settled(page);
  let release;
  const held = new Promise((resolve) => {
    release = resolve;
  });
  await context.route('**/*.safetensors', async (route) => {
    await held;
    await route.continue().catch(() => undefined);
  });
  await press(page);
  await page.waitForFunction(() => /Fetching the model · \d+ %/.test(document.querySelector('.loading-line')?.textContent ?? ''));
  assert.match(await page.textContent('#model-chip'), /Embedded · \d+ %/);
  assert.equal(await page.locator('.answer-card progress').count(), 1);
  await page.click('#cancel');
  assert.equal(await ended(page), 'cancelled');
  assert.equal(await page.locator('.answer-card progress').count(), 0);
  assert.equal(await page.textContent('#status'), 'Cancelled.');
  release();
  await page.click('.answer-card button:has-text("Ask again")');
  await page.waitForSelector('.answer-card:first-child[data-state=done]', { timeout: 60_000 });
  assert.match(await page.textContent('#model-chip'), /Embedded · CPU/);
  await context.close();
});

test('a notice never hides a button for good', async () => {
  const { page, context } = await visit(started, { viewport: { width: 390, height: 664 } });
  await useModel(page, { choice: 'another', url: 'models/none/' });
  assert.equal(await ask(page, 'caption'), 'failed');
  await page.setInputFiles('#file', { name: 'notes.png', mimeType: 'image/png', buffer: Buffer.from('no picture') });
  await page.waitForSelector('.notice');
  await page.waitForFunction(() => {
    scrollTo(0, document.documentElement.scrollHeight);
    return document.querySelector('footer').getBoundingClientRect().bottom <= document.querySelector('.notice').getBoundingClientRect().top + 1;
  });
  const hidden = await page.evaluate(() => [...document.querySelectorAll('.answer-card button, footer :is(a, button)')].filter((element) => {
    const { left, top, width, height } = element.getBoundingClientRect();
    return width > 0 && top >= 0 && !element.contains(document.elementFromPoint(left + width / 2, top + height / 2));
  }).map(({ textContent }) => textContent));
  assert.deepEqual(hidden, []);
  await context.close();
});

test('a model that is not there, or elsewhere, is an error with a code and a way on', async () => {
  const { page, context, faults } = await visit(started);
  await useModel(page, { choice: 'another', url: 'models/none/' });
  assert.equal(await ask(page, 'caption'), 'failed');
  assert.match(await page.textContent('.failure'), /does not exist \(status 404\).*OCELLI_NOT_FOUND/s);
  await useModel(page, { choice: 'another', url: 'https://example.com/model/' });
  assert.equal(await ask(page, 'caption'), 'failed');
  assert.match(await page.textContent('.failure'), /another site.*OCELLI_BAD_ARGUMENT/s);
  assert.deepEqual(faults.filter((fault) => fault.startsWith('left the site')), [], 'the policy stops it before it leaves');
  await useModel(page, { choice: 'embedded' });
  assert.equal(await ask(page, 'caption'), 'done');
  await context.close();
});

test('the device is told, and can be chosen and freed', async () => {
  const { page, context, faults } = await visit(started);
  await settled(page);
  assert.match(await page.textContent('#runs'), /software, so answers come from the CPU/);
  await useModel(page, { device: 'gpu' });
  assert.equal(await ask(page, 'caption'), 'done');
  assert.match(await page.textContent('.details summary'), /on the WebGPU/);
  await page.click('#open-model');
  assert.match(await page.textContent('.model-state'), /Runs on WebGPU.*Weights.*MB/s);
  await page.waitForSelector('.kept:has-text("/models/tiny/")');
  await page.click('#model-dialog button:has-text("Free its memory")');
  assert.match(await page.textContent('#model-chip'), /not loaded/);
  assert.deepEqual(faults, []);
  await context.close();
});

test('a model whose worker was ended while nothing was asked is loaded again for the next question', async () => {
  const { page, context, faults } = await visit(started, {}, { saveData: true });
  assert.equal(await ask(page, 'caption'), 'done');
  await endWorker(page);
  assert.match(await page.textContent('#model-chip'), /not loaded/);
  assert.equal(await ask(page, 'caption'), 'done');
  assert.deepEqual(faults, []);
  await context.close();
});

test('without WebGPU answers come from the CPU, and the page says so', async () => {
  const without = await startSite({ adapter: 'none' });
  try {
    const { page, faults } = await visit(without);
    await settled(page);
    assert.match(await page.textContent('#runs'), /No WebGPU here: answers come from the CPU/);
    assert.equal(await ask(page, 'caption'), 'done');
    assert.deepEqual(faults, []);
  } finally {
    await without.close();
  }
});

test('the choice of colours lasts', async () => {
  const { page, context } = await visit(started, { colorScheme: 'light' });
  const ground = () => page.evaluate(() => getComputedStyle(document.querySelector('.card')).backgroundColor);
  assert.equal(await ground(), 'rgb(255, 255, 255)');
  await page.click('#theme');
  await page.click('#theme');
  assert.equal(await page.getAttribute('#theme', 'aria-label'), 'Colours: dark');
  await page.reload();
  assert.equal(await ground(), 'rgb(23, 29, 28)');
  await context.close();
});
