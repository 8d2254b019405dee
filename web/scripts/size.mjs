// The size budget: all code that a page downloads, compressed as a static host would send it, and what fills it.

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants } from 'node:zlib';

import { partsOf } from './wasm-parts.mjs';

const BUDGET = 600 * 1000;
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const brotli = (bytes) =>
  brotliCompressSync(bytes, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
  }).length;

const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} KB`.padStart(11);

const code = ['web/pkg', 'web/dist'].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true })
    .filter((name) => /\.(js|wasm)$/.test(name))
    .sort()
    .map((name) => {
      const bytes = readFileSync(join(ROOT, folder, name));
      return { name: join(folder, name), raw: bytes.length, sent: brotli(bytes) };
    }),
);

console.log('         raw     brotli  file');
for (const { name, raw, sent } of code) console.log(`${kilobytes(raw)}${kilobytes(sent)}  ${name}`);
const sent = code.reduce((sum, file) => sum + file.sent, 0);
console.log(`${kilobytes(code.reduce((sum, file) => sum + file.raw, 0))}${kilobytes(sent)}  together; budget ${kilobytes(BUDGET).trim()}`);

console.log('\n  share        raw  of the module before wasm-opt takes the names out');
const parts = partsOf(readFileSync(join(ROOT, 'web/build/ocelli_named.wasm')));
const all = parts.reduce((sum, part) => sum + part.bytes, 0);
for (const { name, bytes } of parts.filter((part) => part.bytes > all / 100)) {
  console.log(`${((100 * bytes) / all).toFixed(1).padStart(6)}%${kilobytes(bytes)}  ${name}`);
}

if (sent > BUDGET) {
  console.error(`size: the page's code is ${sent} bytes after brotli; at most ${BUDGET} are allowed`);
  process.exitCode = 1;
}
