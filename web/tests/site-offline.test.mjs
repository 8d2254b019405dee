// The site without a network and on other hosts: it works after one visit, from one folder, under any path, and no host's
// headers are needed to keep its word that nothing leaves it.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { POLICY, serve } from '../scripts/serve.mjs';
import { gather } from '../scripts/site.mjs';
import { ask, pictureName, settled, startSite, useModel, visit } from './common/site.mjs';

let started;

before(async () => {
  started = await startSite();
});

after(() => started?.close());

test('after a visit that asked nothing the site opens, answers and measures without a network', async () => {
  const { page, context, requests } = await visit(started);
  await settled(page);
  await page.waitForSelector('#offline-ready', { state: 'visible' });
  assert.ok(requests.some((url) => url.endsWith('.wasm')) && requests.some((url) => url.endsWith('.safetensors')), 'the line is true');
  await context.setOffline(true);
  await page.waitForSelector('.notice');
  await page.reload();
  await page.waitForSelector('#samples [aria-pressed=true]');
  for (const sample of ['pets.png', 'harbour.png']) {
    await page.click(`#samples [data-file="${sample}"]`);
    await pictureName(page, sample);
    assert.equal(await ask(page, 'caption'), 'done');
  }
  assert.match(await page.textContent('#notices'), /You are offline/);
  await page.click('text=Measure this device');
  await page.waitForSelector('#start:enabled');
  await page.fill('#runs-of', '1');
  await page.click('#start');
  // The devices come first, and then the kernels, whose script no visit before has needed.
  await page.waitForSelector('#kernel-rows tr', { timeout: 120_000 });
  await context.close();
});

test('on a host that sends no headers the page keeps its own policy', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ocelli-bare-'));
  gather(folder);
  const site = await serve({ port: 0, mounts: { '/': folder }, bare: true });
  try {
    assert.equal((await fetch(site.url)).headers.get('content-security-policy'), null);
    for (const name of ['index.html', 'bench.html']) assert.ok(readFileSync(join(folder, name), 'utf8').includes(`content="${POLICY}"`), `${name} says another policy`);
    const { page, context, faults, requests } = await visit({ ...started, site });
    await page.waitForSelector('#offline-ready', { state: 'visible' });
    assert.equal(await ask(page, 'caption'), 'done');
    assert.ok(requests.length > 30);
    assert.deepEqual(faults, []);

    const refused = await page.evaluate(async () => {
      const tries = {
        fetch: () => fetch('https://example.com/'),
        script: () => {
          document.head.append(Object.assign(document.createElement('script'), { textContent: 'globalThis.ran = true' }));
          if (!globalThis.ran) throw new Error('refused');
        },
        picture: () => Object.assign(new Image(), { src: 'https://example.com/a.png' }).decode(),
      };
      const outcomes = await Promise.all(Object.entries(tries).map(async ([name, run]) => [name, await Promise.resolve().then(run).then(() => 'went out', () => 'refused')]));
      return Object.fromEntries(outcomes);
    });
    assert.deepEqual(refused, { fetch: 'refused', script: 'refused', picture: 'refused' });
    await useModel(page, { choice: 'another', url: 'https://example.com/model/' });
    assert.equal(await ask(page, 'caption'), 'failed');
    assert.match(await page.textContent('.failure'), /another site.*OCELLI_BAD_ARGUMENT/s);
    // A worker inherits no policy: the service worker holds it.
    const worker = await page.evaluate(async () => {
      const { load } = await import('./dist/index.js');
      return load('https://example.com/model/').then(() => 'loaded', ({ code }) => code);
    });
    assert.equal(worker, 'OCELLI_IO');
    assert.ok(!requests.some((url) => new URL(url).origin !== new URL(site.url).origin && !url.startsWith('https://example.com/')), 'nothing else was tried');
    await context.close();
  } finally {
    await site.close();
    rmSync(folder, { recursive: true });
  }
});

test('the site runs from one folder under any path', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ocelli-site-'));
  gather(folder);
  const site = await serve({ port: 0, mounts: { '/some/where': folder } });
  try {
    const { page, context, faults, requests } = await visit({ ...started, site: { url: `${site.url}some/where/` } });
    await page.waitForSelector('#offline-ready', { state: 'visible' });
    assert.equal(await ask(page, 'caption'), 'done');
    assert.ok(requests.every((url) => url.startsWith(`${site.url}some/where/`)), requests.find((url) => !url.startsWith(`${site.url}some/where/`)));
    assert.deepEqual(faults, []);
    await context.close();
  } finally {
    await site.close();
    rmSync(folder, { recursive: true });
  }
});
