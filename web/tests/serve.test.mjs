// The server must behave as a static host does: browsers refuse wasm of the wrong type, loaders ask for ranges.

import assert from 'node:assert/strict';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { serve } from '../scripts/serve.mjs';

let folder;
let site;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocelli-serve-'));
  await mkdir(join(folder, 'models'));
  await writeFile(join(folder, 'secret'), 'outside');
  await writeFile(join(folder, 'models', 'model.safetensors'), '0123456789');
  await writeFile(join(folder, 'models', 'module.wasm'), new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]));
  await writeFile(join(folder, 'models', 'index.html'), '<title>models</title>');
  await writeFile(join(folder, 'models', 'empty.json'), '');
  site = await serve({ port: 0, mounts: { '/models': join(folder, 'models') } });
});

after(async () => {
  await site.close();
  await rm(folder, { recursive: true });
});

/** fetch() tidies an address before it sends it; an attacker's client does not. */
function rawStatus(path) {
  const { port } = new URL(site.url);
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path }, (response) => resolve(response.resume().statusCode)).on('error', reject).end();
  });
}

test('names media types, so that streaming compilation and modules work', async () => {
  const type = async (name) => (await fetch(`${site.url}models/${name}`)).headers.get('content-type');
  assert.equal(await type('module.wasm'), 'application/wasm');
  assert.equal(await type('empty.json'), 'application/json');
  assert.equal(await type('model.safetensors'), 'application/octet-stream');
  assert.equal(await type(''), 'text/html; charset=utf-8');
});

test('sends the strict policy with every file', async () => {
  const policy = (await fetch(`${site.url}models/`)).headers.get('content-security-policy');
  assert.match(policy, /default-src 'self'; script-src 'self' 'wasm-unsafe-eval';/);
  assert.doesNotMatch(policy, /unsafe-inline|[^-]unsafe-eval/);
});

test('answers ranges exactly', async () => {
  const url = `${site.url}models/model.safetensors`;
  for (const [range, status, text, where] of [
    ['bytes=2-4', 206, '234', 'bytes 2-4/10'],
    ['bytes=8-', 206, '89', 'bytes 8-9/10'],
    ['bytes=-3', 206, '789', 'bytes 7-9/10'],
    ['bytes=-30', 206, '0123456789', 'bytes 0-9/10'],
    ['bytes=5-500', 206, '56789', 'bytes 5-9/10'],
    ['bytes=10-', 416, 'range not satisfiable\n', 'bytes */10'],
    ['bytes=-0', 416, 'range not satisfiable\n', 'bytes */10'],
    ['pages=1-2', 200, '0123456789', null],
  ]) {
    const response = await fetch(url, { headers: { range } });
    assert.equal(response.status, status, range);
    assert.equal(await response.text(), text, range);
    assert.equal(response.headers.get('content-range'), where, range);
  }
});

test('resumes only the version that it has', async () => {
  const url = `${site.url}models/model.safetensors`;
  const tag = (await fetch(url)).headers.get('etag');
  assert.match(tag, /^"[0-9a-f-]+"$/);
  for (const [version, status, text] of [[tag, 206, '6789'], ['"another"', 200, '0123456789']]) {
    const response = await fetch(url, { headers: { range: 'bytes=6-', 'if-range': version } });
    assert.deepEqual([response.status, await response.text()], [status, text]);
  }
});

test('sends empty files, and the head alone when asked', async () => {
  assert.equal(await (await fetch(`${site.url}models/empty.json`)).text(), '');
  const head = await fetch(`${site.url}models/model.safetensors`, { method: 'HEAD' });
  assert.equal(head.headers.get('content-length'), '10');
  assert.equal(await head.text(), '');
});

test('refuses what is missing, malformed, or outside its folders', async () => {
  assert.equal((await fetch(`${site.url}models/none.json`)).status, 404);
  assert.equal((await fetch(`${site.url}models/`, { method: 'POST' })).status, 405);
  for (const path of ['/models/../secret', '/models/%2e%2e/secret', '/models/..%2fsecret', '/models/%00', '/models/%ff', '//', '/models']) {
    assert.equal(await rawStatus(path), 404, path);
  }
});

test('says so when the port is taken', async () => {
  const port = Number(new URL(site.url).port);
  await assert.rejects(serve({ port }), new RegExp(`port ${port} is taken; choose another with --port`));
});
