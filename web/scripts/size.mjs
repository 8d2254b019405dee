// The size budgets: what a page downloads to load the model and caption a picture, and all code of the package, compressed as
// a static host would send it; and what fills it.

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants } from 'node:zlib';

import { closureOf } from './closure.mjs';
import { partsOf } from './wasm-parts.mjs';

/** The code that `load()` and `caption()` ask for. */
const CAPTION_BUDGET = 400 * 1000;
/** All modules together. */
const BUDGET = 800 * 1000;
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
const sum = (files, of) => files.reduce((all, file) => all + file[of], 0);

console.log('         raw     brotli  file');
for (const { name, raw, sent } of code) console.log(`${kilobytes(raw)}${kilobytes(sent)}  ${name}`);
const sent = sum(code, 'sent');
console.log(`${kilobytes(sum(code, 'raw'))}${kilobytes(sent)}  together; budget ${kilobytes(BUDGET).trim()}`);

/** The files behind an entry of the package. */
function behind(entry, how) {
  const paths = new Set(closureOf(join(ROOT, 'web/dist', `${entry}.js`), how));
  return code.filter(({ name }) => paths.has(join(ROOT, name)));
}

console.log('\n       usual    at most  of each entry, with all that it asks for');
for (const entry of ['index', 'element', 'react', 'transformers', 'search', 'extra']) {
  const [usual, most] = [behind(entry), behind(entry, { dynamic: true })];
  console.log(`${kilobytes(sum(usual, 'sent'))}${kilobytes(sum(most, 'sent'))}  ${entry}: ${usual.map(({ name }) => name.replace(/^.*\//, '')).join(', ')}`);
}
const caption = sum(behind('index'), 'sent');
console.log(`${kilobytes(caption)}             load() and caption(); budget ${kilobytes(CAPTION_BUDGET).trim()}`);

console.log('\n  share        raw  of the module before wasm-opt takes the names out');
const parts = partsOf(readFileSync(join(ROOT, 'web/build/ocelli_named.wasm')));
const all = parts.reduce((sum, part) => sum + part.bytes, 0);
for (const { name, bytes } of parts.filter((part) => part.bytes > all / 100)) {
  console.log(`${((100 * bytes) / all).toFixed(1).padStart(6)}%${kilobytes(bytes)}  ${name}`);
}

for (const [what, bytes, most] of [['load() and caption() ask for', caption, CAPTION_BUDGET], ['all modules are', sent, BUDGET]]) {
  if (bytes <= most) continue;
  console.error(`size: ${what} ${bytes} bytes of code after brotli; at most ${most} are allowed`);
  process.exitCode = 1;
}
