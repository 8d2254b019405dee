// Runs alone: it keeps every core busy.
//
// A page that asks again and again takes no more memory after the five hundredth caption than after the first ones.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { launchChromium } from '../scripts/chromium.mjs';
import { serve } from '../scripts/serve.mjs';
import { watchWorker } from './common/worker-memory.mjs';

let browser;
let site;

before(async () => {
  site = await serve({ port: 0 });
  browser = await launchChromium();
});

after(async () => {
  await browser?.close();
  await site?.close();
});

/** In the page: asks so often, of two pictures in turn, each time the model looks anew; bytes on the device at the end. */
async function askOften(times) {
  let memory;
  for (let time = 0; time < times; time++) {
    const image = `/samples/${time % 2 === 0 ? 'harbour' : 'pets'}.png`;
    const run = time % 10 === 9 ? globalThis.model.segment(image, ['boat', 'cat']) : globalThis.model.caption(image, { maxNewTokens: 4 });
    ({ memory } = await run.answer);
  }
  return memory.weightsBytes + memory.kvBytes + memory.activationBytes;
}

// Each device has a page and a worker of its own, and of those the memory is taken.
describe('both devices', { concurrency: true }, () => {
  for (const [device, times] of [['cpu', 500], ['gpu', 28]]) {
    test(`${times} answers on the ${device} leave memory as it was, within 2 %`, async (t) => {
      const page = await (await browser.newContext()).newPage();
      const worker = await watchWorker(page);
      await page.goto(`${site.url}bench.html`);
      await page.evaluate(async (wanted) => {
        const { load } = await import('/dist/index.js');
        globalThis.model = await load({ device: wanted });
      }, device);
      const session = await page.context().newCDPSession(page);
      const look = async () => {
        await worker.collect();
        await session.send('HeapProfiler.collectGarbage');
        const { usedSize, backingStorageSize } = await session.send('Runtime.getHeapUsage');
        return { worker: (await worker.held()) + (await worker.modules()), page: usedSize + backingStorageSize };
      };
      const warmUp = Math.max(10, times / 10);
      const onDevice = await page.evaluate(askOften, warmUp);
      const held = await look();
      const onDeviceAfter = await page.evaluate(askOften, times - warmUp);
      const heldAfter = await look();
      t.diagnostic(`device ${onDevice} and then ${onDeviceAfter} bytes; worker ${held.worker} and then ${heldAfter.worker}; page ${held.page} and then ${heldAfter.page}`);
      assert.ok(held.worker > 4e6, 'the module is part of what is counted');
      assert.ok(held.page > 5e5, 'the page has a heap');
      assert.ok(Math.abs(onDeviceAfter - onDevice) <= 0.02 * onDevice);
      for (const of of ['worker', 'page']) assert.ok(heldAfter[of] - held[of] <= 0.02 * held[of], `${of}: ${held[of]} bytes became ${heldAfter[of]}`);
      await page.context().close();
    });
  }
});
