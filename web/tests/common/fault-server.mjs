// A server that misbehaves in every way a download has to survive, always the same way for the same seed, and that keeps
// account of what it sent and of what its own faults made useless.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname } from 'node:path';
import { gzipSync } from 'node:zlib';

import { randomBytes, randomFrom } from './random.mjs';

const WEB = new URL('../../', import.meta.url);
const STATIC = { '/dist/': new URL('dist/', WEB), '/modules/': new URL('modules/', WEB), '/pkg/': new URL('pkg/', WEB), '/pages/': new URL('tests/pages/', WEB) };
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm' };
const PAGE = Buffer.from(`<!doctype html><title>Sign in</title><p>${'Please sign in. '.repeat(20)}</p>`);

/** What can go wrong with an answer that a further try gets over. */
export const FAULTS = ['drop', 'stall', 'busy', 'busy-for', 'no-range', 'long', 'short', 'other-total', 'cut-whole', 'bytes', 'old-etag', 'gzip', 'gzip-part', 'gzip-unsaid', 'page', 'page-unsaid'];

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** A pack of random files: `files` by name, `manifest` as an object, `sums` of tokenizer and shards in order. */
export function makePack({ shards = 30, least = 4_000, most = 40_000, seed = 1 } = {}) {
  const random = randomFrom('pack', seed);
  const files = new Map();
  const add = (file, bytes) => {
    files.set(file, bytes);
    return { file, bytes: bytes.length, sha256: sha256(bytes) };
  };
  const size = () => Math.floor(least + random() * (most - least));
  const listed = Array.from({ length: shards }, (_, index) =>
    add(`weights-${String(index + 1).padStart(5, '0')}.safetensors`, randomBytes(size(), random)));
  const tokenizer = add('tokenizer.json', randomBytes(size(), random));
  const manifest = { format: 1, dtype: 'q8', config: {}, processor: {}, generation: {}, tokenizer, licence: null, shards: listed, source: {} };
  files.set('ocelli.json', Buffer.from(JSON.stringify(manifest)));
  const bytes = [...files].reduce((sum, [name, held]) => sum + (name === 'ocelli.json' ? 0 : held.length), 0);
  return { files, manifest, bytes, sums: [tokenizer, ...listed].map((entry) => entry.sha256) };
}

/** What docs/hosting.md asks of a server for pages of other origins. */
const SHARED = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers': 'ETag, Content-Range, Accept-Ranges, Retry-After',
};

/**
 * Starts the server. Packs are under `/packs/NAME/`, each with its own faults and its own account.
 * @returns {Promise<{ url: string, packs: Map<string, object>, add: Function, close: Function }>} `add(name, pack, plan)`
 *   puts up a pack; `plan(file, nth, request)` names the fault of the nth request for a file, or gives undefined, or
 *   `{ kind, bytes }` for a fault after so many bytes, or `{ kind: 'busy-for', seconds }`; `shared` lets pages of other
 *   origins read them
 */
export async function serveFaults({ latency = 0, shared = false } = {}) {
  const packs = new Map();
  const server = createServer((request, response) => {
    for (const [name, value] of Object.entries(shared ? SHARED : {})) response.setHeader(name, value);
    answer(packs, request, response, latency).catch(() => response.destroy());
  });
  // A keep-alive connection that a fault destroyed must not take an innocent request along.
  server.keepAliveTimeout = 60_000;
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://localhost:${server.address().port}/`,
    packs,
    add(name, pack, plan = () => undefined) {
      const entry = { ...pack, plan, requests: [], open: 0, most: 0, sent: 0, lost: 0, faults: {}, counts: new Map(), state: new Map() };
      packs.set(name, entry);
      return entry;
    },
    close: () => new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    }),
  };
}

async function answer(packs, request, response, latency) {
  const { pathname } = new URL(request.url, 'http://localhost');
  const [, name, file] = /^\/packs\/([^/]+)\/([^/]+)$/.exec(pathname) ?? [];
  const pack = packs.get(name);
  if (!pack) return answerStatic(pathname, response);
  const nth = pack.counts.get(file) ?? 0;
  if (request.method !== 'HEAD') pack.counts.set(file, nth + 1);
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  pack.requests.push({ file, method: request.method, from, ifRange: request.headers['if-range'], at: performance.now() });
  pack.most = Math.max(pack.most, ++pack.open);
  response.on('close', () => pack.open--);
  await new Promise((resolve) => setTimeout(resolve, pack.latency ?? latency));
  const content = pack.files.get(file);
  const planned = request.method === 'HEAD' ? undefined : pack.plan(file, nth, { from, ranged: request.headers.range !== undefined });
  const { kind: fault, ...exactly } = typeof planned === 'object' ? planned : { kind: planned };
  if (fault) pack.faults[fault] = (pack.faults[fault] ?? 0) + 1;
  if (!content || fault === 'missing') return end(response, 404, { 'Content-Type': 'text/plain' }, 'not here');
  send({ pack, name, file, nth, content, from, fault, exactly, request, response });
}

/** Answers as the fault wants it, and books what the client gets and what of it is of no use. */
function send({ pack, name, file, nth, content, from: asked, fault, exactly, request, response }) {
  const random = randomFrom('fault', name, file, nth);
  const tag = fault === 'old-etag' ? `"old-${nth}"` : (pack.tag ?? '"true"');
  // A server that sees another version named than the one it has sends everything.
  const ifRange = request.headers['if-range'];
  const ranged = request.headers.range !== undefined && (ifRange === undefined || ifRange === tag) && fault !== 'no-range';
  const from = ranged ? asked : 0;
  const state = pack.state.get(file) ?? { held: 0, dirty: false };
  pack.state.set(file, state);
  // Wrong bytes made the client throw away what it held.
  if (asked === 0 && state.dirty) {
    pack.lost += state.held;
    Object.assign(state, { held: 0, dirty: false });
  }
  const body = Buffer.from(content.subarray(from));
  const headers = {
    'Content-Type': 'application/octet-stream',
    'Content-Length': body.length,
    ETag: tag,
    ...(ranged && { 'Content-Range': `bytes ${from}-${content.length - 1}/${content.length}` }),
  };
  const status = ranged ? 206 : 200;
  if (request.method === 'HEAD') return end(response, 200, { ...headers, 'Content-Length': content.length });
  const useless = (bytes, text, changed = {}) => {
    pack.sent += bytes.length;
    pack.lost += bytes.length;
    end(response, text, { ...headers, 'Content-Length': bytes.length, ...changed }, bytes);
  };
  /** Sends the first bytes of the answer; they are of use but for those that the client has. */
  const give = (count, then, changed = {}) => {
    pack.sent += count;
    pack.lost += Math.min(count, Math.max(0, asked - from));
    state.held = Math.max(state.held, from + count);
    response.writeHead(status, defined({ ...headers, ...changed }));
    response.write(body.subarray(0, count), () => then());
    if (count === 0) response.flushHeaders();
  };
  const some = exactly.bytes ?? Math.floor(random() * body.length);
  switch (fault) {
    case 'drop':
      // What was sent before should arrive before: otherwise the network lost it, not the client.
      return give(some, () => setTimeout(() => response.destroy(), 15));
    case 'stall':
      return give(some, () => undefined);
    case 'busy':
      return end(response, random() < 0.5 ? 503 : 429, {}, 'busy');
    case 'busy-for':
      return end(response, random() < 0.5 ? 503 : 429, { 'Retry-After': exactly.seconds ? String(exactly.seconds) : random() < 0.5 ? '0' : new Date(Date.now() + 40).toUTCString() }, 'busy');
    case 'long':
      return give(body.length, () => setTimeout(() => response.destroy(), 15), { 'Content-Length': body.length + 1 + Math.floor(random() * 1000) });
    case 'short':
      // Says a smaller length, and keeps to it.
      return give(some, () => response.end(), { 'Content-Length': some });
    case 'other-total':
      return useless(body, 206, { 'Content-Range': `bytes ${asked}-${asked + body.length - 1}/${content.length + 7}` });
    case 'cut-whole':
      return useless(content.subarray(0, Math.max(1, some)), 200, { 'Content-Range': undefined });
    case 'bytes':
      body[some] ^= 1 << Math.floor(random() * 8);
      state.dirty = true;
      break;
    case 'gzip-part':
      return useless(gzipSync(body), 206, { 'Content-Encoding': 'gzip' });
    case 'gzip':
      // Of use only to who did not ask for a range: others get it as it is.
      if (request.headers.range !== undefined) return useless(gzipSync(content), 200, { 'Content-Encoding': 'gzip', 'Content-Range': undefined });
      pack.sent += content.length;
      state.held = content.length;
      return end(response, 200, { ...headers, 'Content-Encoding': 'gzip', 'Content-Length': undefined, 'Content-Range': undefined }, gzipSync(content));
    case 'gzip-unsaid':
      return useless(gzipSync(content), 200, { 'Content-Range': undefined });
    case 'page':
      return useless(PAGE, 200, { 'Content-Type': 'text/html; charset=utf-8', 'Content-Range': undefined });
    case 'page-unsaid':
      return useless(PAGE, 200, { 'Content-Range': undefined });
    case 'forbidden':
      return end(response, 403, {}, 'no');
  }
  give(body.length, () => response.end());
}

function end(response, status, headers, body) {
  response.writeHead(status, defined(headers));
  response.end(body);
}

const defined = (headers) => Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined));

async function answerStatic(pathname, response) {
  const [prefix, folder] = Object.entries(STATIC).find(([start]) => pathname.startsWith(start)) ?? [];
  const body = prefix && !pathname.includes('..') && (await readFile(new URL(pathname.slice(prefix.length), folder)).catch(() => undefined));
  if (!body) return end(response, 404, { 'Content-Type': 'text/plain' }, 'not here');
  end(response, 200, { 'Content-Type': TYPES[extname(pathname)] ?? 'application/octet-stream' }, body);
}
