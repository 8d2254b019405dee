// Serves the demo page and the built package as any static host would, under the strictest policy they must run with.
//
// `node serve.mjs [--port N]`, or from a test: `const site = await serve({ port: 0, mounts: { '/models': dir } })`,
// then `site.url` and `await site.close()`.

import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const WEB = fileURLToPath(new URL('..', import.meta.url));

/** The address prefixes of the site and the folders behind them; the longest prefix that fits wins. */
export const SITE = {
  '/': join(WEB, 'build/site'),
  '/dist/': join(WEB, 'dist'),
  '/pkg/': join(WEB, 'pkg'),
  '/models/tiny/': join(WEB, 'models/tiny'),
};

/** What tests and checks reach by address besides: no part of the site. */
const TRIALS = {
  '/modules/': join(WEB, 'modules'),
  '/parts/': join(WEB, 'demo/parts'),
  '/samples/pictures/': join(WEB, '../tests/pictures'),
  '/samples/pg1-hd16/': join(WEB, '../tests/goldens/pg1-hd16'),
};

const MEDIA_TYPES = {
  '.css': 'text/css; charset=utf-8',
  '.gif': 'image/gif',
  '.html': 'text/html; charset=utf-8',
  '.jpeg': 'image/jpeg',
  '.jpg': 'image/jpeg',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.mjs': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.safetensors': 'application/octet-stream',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
  '.webp': 'image/webp',
};

/** The pages say it too, for hosts that send no headers of their own. */
export const POLICY =
  "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; img-src 'self' blob: data:; " +
  "style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'";

/**
 * Starts a server on this machine only.
 * @param {{ port?: number, mounts?: Record<string, string>, bare?: boolean }} options port 0 takes any free one; `mounts` adds
 *   folders to the site, by address prefix; `bare` sends no policy, as hosts that know nothing of this site
 * @returns {Promise<{ url: string, close: () => Promise<void> }>} rejects where the port is taken
 */
export async function serve({ port = 8080, mounts = {}, bare = false } = {}) {
  const slashed = Object.entries(mounts).map(([prefix, folder]) => [prefix.endsWith('/') ? prefix : `${prefix}/`, folder]);
  const table = Object.entries({ ...SITE, ...TRIALS, ...Object.fromEntries(slashed) })
    .sort(([a], [b]) => b.length - a.length);
  const server = createServer((request, response) => {
    answer(table, bare, request, response).catch((error) => {
      if (!response.headersSent) response.writeHead(500);
      response.end(String(error));
    });
  });
  await new Promise((resolve, reject) => {
    server.once('error', (error) => {
      reject(error.code === 'EADDRINUSE' ? new Error(`port ${port} is taken; choose another with --port`) : error);
    });
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://localhost:${server.address().port}/`,
    close: () => new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    }),
  };
}

async function answer(table, bare, request, response) {
  if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(response, 405, 'only GET and HEAD');
  const path = fileBehind(table, request.url);
  const found = path && (await stateOf(path));
  if (!found) return refuse(response, 404, 'not found');

  const { size, tag } = found;
  const { range: wanted, 'if-range': version = tag } = request.headers;
  // Who resumes another version than this one gets all of it.
  const range = wanted && version === tag ? parseRange(wanted, size) : undefined;
  if (range === null) return refuse(response, 416, 'range not satisfiable', { 'Content-Range': `bytes */${size}` });
  const [first, last] = range ?? [0, size - 1];
  response.writeHead(range ? 206 : 200, {
    'Accept-Ranges': 'bytes',
    'Cache-Control': 'no-cache',
    'Content-Length': last - first + 1,
    ETag: tag,
    'Content-Type': MEDIA_TYPES[extname(path)] ?? 'application/octet-stream',
    ...(!bare && { 'Content-Security-Policy': POLICY, 'X-Content-Type-Options': 'nosniff' }),
    ...(range && { 'Content-Range': `bytes ${first}-${last}/${size}` }),
  });
  if (request.method === 'HEAD' || size === 0) return response.end();
  createReadStream(path, { start: first, end: last })
    .on('error', () => response.destroy())
    .pipe(response);
}

function refuse(response, status, text, headers = {}) {
  response.writeHead(status, { 'Content-Type': 'text/plain', ...headers });
  response.end(`${text}\n`);
}

/** The file an address names, or undefined where it names none or points out of its folder. */
function fileBehind(table, url) {
  let address;
  try {
    address = decodeURIComponent(new URL(url, 'http://localhost').pathname);
  } catch {
    return undefined;
  }
  if (address.includes('\0')) return undefined;
  if (address.endsWith('/')) address += 'index.html';
  const [prefix, folder] = table.find(([start]) => address.startsWith(start));
  const path = normalize(join(folder, address.slice(prefix.length)));
  return path.startsWith(normalize(folder) + sep) ? path : undefined;
}

async function stateOf(path) {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() ? { size: found.size, tag: `"${found.size.toString(16)}-${Math.round(found.mtimeMs).toString(16)}"` } : undefined;
}

/** `bytes=a-b`, `bytes=a-` or `bytes=-n` as [first, last]; undefined for a form to ignore, null for one out of reach. */
function parseRange(header, size) {
  const [, from, to] = /^bytes=(\d*)-(\d*)$/.exec(header) ?? [];
  if (from === undefined || (from === '' && to === '')) return undefined;
  const first = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const last = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1);
  return first <= last && first < size ? [first, last] : null;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const { values } = parseArgs({ options: { port: { type: 'string', default: '8080' } } });
    const port = Number(values.port);
    if (!Number.isInteger(port) || port < 0 || port > 65535) throw new Error(`--port ${values.port} is no port number`);
    const site = await serve({ port });
    console.log(`the demo page is at ${site.url} (Ctrl-C stops it)`);
  } catch (error) {
    console.error(`serve: ${error.message}`);
    process.exitCode = 1;
  }
}
