// The hooks in a real React application: a model is loaded once it is wanted, asked anew when its picture changes, and gone
// with its component, twice mounted or not; one that breaks down is told of, and loaded anew when that is wanted.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

import { launchChromium } from '../scripts/chromium.mjs';
import { serve } from '../scripts/serve.mjs';
import { endWorker, workersOf } from './common/worker-end.mjs';

/** The package stays as it is served: its worker is found beside it. */
const asServed = {
  name: 'as-served',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/chunk-/ }, ({ path }) => ({ path: path.replace('.', '/dist'), external: true }));
  },
};

test('a component captions, changes its picture, gets another model where its own broke down, and leaves nothing behind', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ocelli-react-'));
  await build({
    entryPoints: [fileURLToPath(new URL('pages/react.jsx', import.meta.url))], outfile: join(folder, 'app.js'), bundle: true, format: 'esm',
    define: { 'process.env.NODE_ENV': '"development"' }, plugins: [asServed], logLevel: 'error',
  });
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>react</title><link rel="icon" href="data:,"><div id="root"></div><script type="module" src="app.js"></script>');
  const site = await serve({ port: 0, mounts: { '/react': folder } });
  const browser = await launchChromium();
  try {
    const page = await browser.newPage();
    const problems = [];
    page.on('pageerror', (error) => problems.push(String(error)));
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
    await page.goto(`${site.url}react/`);
    const done = (image) => page.waitForSelector(`#caption[data-state=done][data-image="${image}"]`, { state: 'attached', timeout: 60_000 });
    const caption = await done('/samples/harbour.png');
    assert.equal(await caption.textContent(), await caption.getAttribute('data-text'));
    assert.equal(page.workers().length, 1, 'of the two mounts one is left');
    await page.click('#other');
    await done('/samples/pets.png');
    assert.equal(page.workers().length, 1, 'the model stays');
    await endWorker(page);
    await page.waitForSelector('#caption[data-state="failed OCELLI_INTERNAL"]', { state: 'attached' });
    await page.click('#reload');
    await done('/samples/pets.png');
    assert.equal(await workersOf(page, 1), 1, 'it was loaded anew');
    await page.click('#away');
    await page.waitForFunction(() => document.getElementById('caption') === null);
    await page.waitForTimeout(200);
    assert.equal(page.workers().length, 0);
    assert.deepEqual(problems, []);
  } finally {
    await browser.close();
    await site.close();
    rmSync(folder, { recursive: true });
  }
});
