// Before `npm pack`: puts the licence and the changelog beside the package, and refuses to pack what was not built or has no model.

import { copyFileSync, existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const web = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

const missing = ['dist/index.js', 'dist/element.js', 'pkg/ocelli_bg.wasm', 'models/tiny/ocelli.json'].filter((path) => !existsSync(web(path)));
if (missing.length > 0) {
  console.error(`prepack: ${missing.join(', ')} missing; run ./build.sh build first`);
  process.exitCode = 1;
}
for (const page of ['LICENSE', 'CHANGELOG.md']) copyFileSync(web(`../${page}`), web(page));
