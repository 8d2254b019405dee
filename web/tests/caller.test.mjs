// The package called from elsewhere than a page of its own site: from a caller's worker, and from another origin.

import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { createServer } from 'node:http';
import { extname } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { cases, mounts } from './common/goldens.mjs';
import { startSite } from './common/site.mjs';

const golden = cases('pg1-hd16').find(({ prompt, pictures: [picture] }) => prompt.startsWith('caption en') && picture === 'cat.png');

let browser;
let close;
let site;

before(async () => {
  ({ site, browser, close } = await startSite({ mounts }));
});

after(() => close?.());

for (const worker of [true, false]) {
  test(`a worker loads and asks, ${worker ? 'in a worker of its own' : 'within itself'}`, async () => {
    const page = await browser.newPage();
    await page.goto(`${site.url}blank/`);
    const told = await page.evaluate((asked) => new Promise((resolve) => {
      const caller = new Worker('/blank/caller.js', { type: 'module' });
      caller.onmessage = ({ data }) => resolve(data);
      caller.onerror = ({ message }) => resolve({ error: message });
      // Relative addresses start at the worker's script.
      caller.postMessage(asked);
    }), { model: '../models/pg1-hd16', image: '../pictures/cat.png', worker });
    const tokens = golden.greedy_ids.slice(0, 8);
    assert.deepEqual(told, { answers: [tokens, tokens, tokens], bad: 'OCELLI_BAD_ARGUMENT', deleted: true });
    await page.close();
  });
}

const WEB = fileURLToPath(new URL('..', import.meta.url));
const TYPES = { '.js': 'text/javascript', '.wasm': 'application/wasm', '.json': 'application/json', '.html': 'text/html' };

/** Starts a server; `answer` gets the path that is asked for. */
async function startHost(answer) {
  const server = createServer(({ url }, response) => answer(new URL(url, 'http://host').pathname, response));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
  return { origin: `http://localhost:${server.address().port}`, close };
}

/** The package alone, which any page may read, as a CDN gives it. */
function givePackage(path, response) {
  if (!/^\/(dist|pkg|models\/tiny)\/[\w./-]+$/.test(path) || path.includes('..')) return response.writeHead(404).end();
  response.writeHead(200, { 'Content-Type': TYPES[extname(path)] ?? 'application/octet-stream', 'Access-Control-Allow-Origin': '*' });
  return createReadStream(WEB + path.slice(1)).on('error', () => response.destroy()).pipe(response);
}

/** Captions a picture in a page that has the package from a CDN, under a policy. */
async function captionFrom(cdn, policy) {
  const host = await startHost((_, response) => {
    response.writeHead(200, { 'Content-Type': 'text/html', 'Content-Security-Policy': policy });
    response.end('<!doctype html><link rel="icon" href="data:,">');
  });
  const page = await browser.newPage();
  const problems = [];
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  try {
    await page.goto(host.origin);
    const outcome = await page.evaluate(async (index) => {
      const { load } = await import(index);
      try {
        const model = await load({ device: 'cpu' });
        const { text, tokens } = await model.caption(new ImageData(32, 32), { maxNewTokens: 8 });
        model.dispose();
        return { text, tokens: tokens.length };
      } catch ({ name, code, message, remedy }) {
        return { name, code, message, remedy };
      }
    }, `${cdn.origin}/dist/index.js`);
    return { outcome, problems };
  } finally {
    await page.close();
    await host.close();
  }
}

test('a page takes the package from another origin', async () => {
  const cdn = await startHost(givePackage);
  const open = `default-src 'self'; script-src ${cdn.origin} 'wasm-unsafe-eval'; connect-src ${cdn.origin}; img-src data:`;
  try {
    const { outcome, problems } = await captionFrom(cdn, `${open}; worker-src blob: ${cdn.origin}`);
    assert.deepEqual(problems, []);
    assert.ok(outcome.tokens > 0 && outcome.tokens <= 8, JSON.stringify(outcome));
    const refused = await captionFrom(cdn, `${open}; worker-src 'self'`);
    assert.equal(refused.outcome.code, 'OCELLI_INTERNAL', JSON.stringify(refused.outcome));
    assert.match(refused.outcome.remedy, /worker-src blob:/);
  } finally {
    await cdn.close();
  }
});
