// The site behind a slow line, whose pace a test sets while a visitor is on it.

import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import { serve } from '../../scripts/serve.mjs';

/** Bytes that are sent at a time on a slow line. */
const PIECE = 16 * 1024;

/**
 * Starts the site; what `slow` matches comes at `line.rate` bytes a second, everything else at once.
 * @param {RegExp} slow of addresses
 * @param {Record<string, string>} [mounts] more folders of the site
 * @returns {Promise<{ url: string, line: { rate: number, asked: { path: string, from: number, sent: number, broken: boolean }[] }, close: () => Promise<void> }>}
 */
export async function serveSlowly(slow, mounts) {
  const site = await serve({ port: 0, mounts });
  const line = { rate: 400_000, asked: [] };
  const server = createServer((asked, response) => {
    const { url: path, method, headers } = asked;
    const upstream = request(new URL(path, site.url), { method, headers }, (given) => {
      response.writeHead(given.statusCode, given.headers);
      if (slow.test(path) && method === 'GET') void trickle(line, path, headers.range, given, response);
      else given.pipe(response);
    });
    upstream.on('error', () => response.destroy());
    upstream.end();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://localhost:${server.address().port}/`,
    line,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await site.close();
    },
  };
}

async function trickle(line, path, range = '', given, response) {
  const entry = { path, from: Number(/^bytes=(\d+)-/.exec(range)?.[1] ?? 0), sent: 0, broken: false };
  line.asked.push(entry);
  for await (const chunk of given) {
    for (let at = 0; at < chunk.length && !response.destroyed; at += PIECE) {
      const piece = chunk.subarray(at, at + PIECE);
      if (Number.isFinite(line.rate)) await sleep((1000 * piece.length) / line.rate);
      if (!response.write(piece) && !response.destroyed) await ready(response);
      entry.sent += piece.length;
    }
    if (response.destroyed) break;
  }
  entry.broken = response.destroyed;
  response.end();
}

/** Resolves when it takes more, or has gone. */
async function ready(response) {
  const stop = new AbortController();
  const { signal } = stop;
  await Promise.race([once(response, 'drain', { signal }), once(response, 'close', { signal })]).finally(() => stop.abort());
}
