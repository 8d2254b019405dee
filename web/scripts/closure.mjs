// Which files of the package a script brings along: by import, and by an address that it names.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** `from"./a.js"`, `import"./a.js"`: fetched together with the script. */
const STATIC = /\b(?:from|import)\s*["'](\.[^"']+)["']/g;
/** `new URL("./a.js", import.meta.url)`: the worker and the module, fetched once they are needed. */
const NAMED = /new URL\(["']([^"']+\.(?:js|wasm))["'],\s*import\.meta\.url\)/g;
/** `import("./a.js")`: fetched by those who ask for another way than the usual one. */
const DYNAMIC = /\bimport\(["'](\.[^"']+)["']\)/g;

/**
 * Every code file that a script asks for, itself first.
 * @param {string} script its path
 * @param {{ dynamic?: boolean }} how `dynamic` follows dynamic imports too
 * @returns {string[]} paths
 */
export function closureOf(script, { dynamic = false } = {}) {
  const found = new Set();
  const follow = (path) => {
    if (found.has(path)) return;
    if (!existsSync(path)) throw new Error(`${path} is named by a script, and is not there`);
    found.add(path);
    if (!path.endsWith('.js')) return;
    const text = readFileSync(path, 'utf8');
    for (const kind of dynamic ? [STATIC, NAMED, DYNAMIC] : [STATIC, NAMED]) {
      for (const [, name] of text.matchAll(kind)) follow(join(dirname(path), name));
    }
  };
  follow(script);
  return [...found];
}
