// Makes the scripts that browsers fetch: of the package's modules (web/modules, as tsc wrote them) into web/dist, and the demo
// site into web/build/site. Fetched file by file, each import would be found only after the one before it had arrived.

import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

const WEB = fileURLToPath(new URL('..', import.meta.url));
const SITE = join(WEB, 'build/site');
const SCRIPTS = { absWorkingDir: WEB, minify: true, format: 'esm', target: 'es2022', logLevel: 'warning' };
/** One script an entry, and what entries share beside them. */
const BUNDLES = { ...SCRIPTS, bundle: true, splitting: true };

/** Of all that names the package, wherever it is in the site, only its address is kept. */
const packageBeside = {
  name: 'package-beside',
  setup({ onResolve }) {
    onResolve({ filter: /\/dist\/index\.js$/ }, () => ({ path: './dist/index.js', external: true }));
  },
};

// The glue stays a file of its own: that is how bundlers find the module beside it.
await build({ ...SCRIPTS, entryPoints: ['pkg/ocelli.js', 'pkg/ocelli_extra.js'], outdir: 'pkg', allowOverwrite: true });
const entries = ['index', 'element', 'react', 'transformers', 'search', 'worker', 'extra', 'extra-worker'];
await build({ ...BUNDLES, entryPoints: entries.map((name) => `modules/${name}.js`), outdir: 'dist', external: ['react', '../pkg/*'] });

rmSync(SITE, { recursive: true, force: true });
cpSync(join(WEB, 'demo'), SITE, { recursive: true, filter: (path) => !/\.js$|\/parts$/.test(path) });
await build({ ...BUNDLES, entryPoints: ['demo/site.js', 'demo/bench.js'], outdir: SITE, plugins: [packageBeside] });
await build({ ...SCRIPTS, entryPoints: ['demo/theme.js', 'demo/keep.js'], outdir: SITE });
