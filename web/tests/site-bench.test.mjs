// The page that measures: every device, every kernel of the GPU, told as it goes, stopped when told, and given as JSON.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { inspect } from './common/looks.mjs';
import { startSite, visit } from './common/site.mjs';

let started;

before(async () => {
  started = await startSite();
});

after(() => started?.close());

async function open(context = {}, site = started) {
  const visitor = await visit(site, context, { saveData: true });
  await visitor.page.click('text=Measure this device');
  await visitor.page.waitForSelector('#start:enabled');
  await visitor.page.fill('#runs-of', '1');
  return visitor;
}

const over = (page) => page.waitForSelector('#start:enabled', { timeout: 400_000 });

test('gives figures of every device and of every kernel as JSON', async () => {
  const { page, context, faults } = await open({ acceptDownloads: true, permissions: ['clipboard-read', 'clipboard-write'], bypassCSP: true });
  await page.evaluate(() => {
    globalThis.shares = [];
    const watch = () => {
      if (!document.getElementById('bar').hidden) globalThis.shares.push(document.getElementById('bar').value);
    };
    new MutationObserver(watch).observe(document.getElementById('status'), { childList: true });
  });
  await page.click('#start');
  await over(page);
  assert.equal(await page.textContent('#status'), 'Done.');
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('#save')]);
  const record = JSON.parse(readFileSync(await download.path()));
  assert.deepEqual(record.devices.map(({ device }) => device), ['gpu', 'cpu']);
  for (const { encodeMs, prefillMs, wholeMs } of record.devices) assert.ok(encodeMs > 0 && prefillMs > 0 && wholeMs >= encodeMs + prefillMs);

  const [{ dtype, kernels }] = record.kernels;
  assert.equal(record.kernels.length, 1, 'a pack has one format');
  assert.equal(dtype, 'q8');
  for (const { kernel, calls, grid, msEach } of kernels) assert.ok(calls > 0 && grid.length === 3 && msEach > 0 && msEach < 60_000, kernel);
  const names = kernels.map(({ kernel }) => kernel);
  for (const family of ['matmul', 'matvec', 'attention', 'rms_norm', 'layer_norm', 'embed', 'rope', 'argmax']) {
    assert.ok(names.some((name) => name.startsWith(family)), `no ${family} among ${[...new Set(names)].join(', ')}`);
  }
  assert.equal(new Set(kernels.map(({ stage }) => stage)).size, 3, 'the picture, the question and the token');
  assert.equal(await page.locator('#kernel-rows tr').count(), new Set(kernels.map(({ kernel, stage }) => `${stage} ${kernel}`)).size);

  const shares = await page.evaluate(() => globalThis.shares);
  assert.ok(shares.length > kernels.length && shares.every((share, index) => share >= (shares[index - 1] ?? 0) && share <= 1), 'the bar only goes on');
  await page.click('#copy');
  await page.waitForFunction(() => document.getElementById('status').textContent === 'Copied.');
  assert.deepEqual(JSON.parse(await page.evaluate(() => navigator.clipboard.readText())), record);
  assert.deepEqual(faults, []);
  await inspect(page, 'with everything measured');
  await context.close();
});

test('is stopped in the middle, keeps what it has, and begins again', async () => {
  const { page, context, faults } = await open();
  await page.click('#start');
  await page.waitForSelector('#rows tr', { timeout: 120_000 });
  await page.click('#stop');
  await over(page);
  assert.equal(await page.textContent('#status'), 'Stopped.');
  assert.ok(await page.locator('#copy').isVisible());
  assert.ok(await page.locator('#bar').isHidden());
  await page.click('#start');
  assert.equal(await page.locator('#rows tr').count(), 0);
  await page.click('#stop');
  await over(page);
  assert.deepEqual(faults, []);
  await context.close();
});

test('without WebGPU the CPU is measured by whole passes, and the page says so', async () => {
  const other = await startSite({ adapter: 'none' });
  try {
    const { page, context, faults } = await open({ acceptDownloads: true }, other);
    assert.match(await page.textContent('.bench .hint'), /On the CPU only whole passes are timed/);
    assert.ok(await page.locator('#no-kernels').isHidden());
    await page.click('#start');
    await over(page);
    assert.equal(await page.textContent('#status'), 'Done.');
    assert.deepEqual(await page.locator('#rows th').allTextContents(), ['CPU']);
    assert.ok(await page.locator('#kernel-room').isHidden());
    assert.match(await page.locator('#no-kernels:visible').textContent(), /no table of kernels/);
    assert.deepEqual(faults, []);
    await context.close();
  } finally {
    await other.close();
  }
});

test('a directory is measured in every weight format', async () => {
  const { page, context } = await open({ acceptDownloads: true });
  await page.fill('#model', 'samples/pg1-hd16/');
  await page.check('#formats');
  await page.click('#start');
  await over(page);
  assert.equal(await page.textContent('#status'), 'Done.');
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('#save')]);
  const { kernels } = JSON.parse(readFileSync(await download.path()));
  assert.deepEqual(kernels.map(({ dtype }) => dtype), ['f32', 'f16', 'q8', 'q4']);
  const products = kernels.map((result) => result.kernels.map(({ kernel }) => kernel).filter((name) => /^mat(mul|vec)/.test(name)).sort().join());
  assert.equal(new Set(products).size, 4, 'each format has kernels of its own');
  await context.close();
});
