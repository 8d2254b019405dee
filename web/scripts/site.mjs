// Puts the whole demo site into one folder, for any static host and under any path. `node site.mjs DIR`, after a build.

import { cpSync, existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { SITE } from './serve.mjs';

/** Copies the site, without what only tests reach. @param {string} folder new, or to be overwritten */
export function gather(folder) {
  for (const [prefix, from] of Object.entries(SITE)) {
    if (!existsSync(from)) throw new Error(`${from} is missing; run ./build.sh build first`);
    // How the model was trained is no part of the site.
    cpSync(from, join(folder, prefix), { recursive: true, filter: (path) => !path.endsWith('/recipe') });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder] = process.argv.slice(2);
  if (folder) gather(resolve(folder));
  else {
    console.error('usage: node site.mjs DIR');
    process.exitCode = 2;
  }
}
