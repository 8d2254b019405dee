// The package as others install it: packed, put into a fresh project, checked in strict TypeScript, built with Vite and with
// webpack, served as plain files, and run in a browser under the strict policy.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { launchChromium } from '../scripts/chromium.mjs';
import { serve } from '../scripts/serve.mjs';

const WEB = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'ocelli-package-'));
const project = join(folder, 'project');

let browser;
let packed;

before(async () => {
  const [told] = JSON.parse(execFileSync('npm', ['pack', '--json', '--pack-destination', folder], { cwd: WEB, stdio: ['ignore', 'pipe', 'ignore'] }));
  packed = told;
  cpSync(join(WEB, 'tests/package'), project, { recursive: true });
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'project', private: true, type: 'module' }));
  writeFileSync(join(project, 'index.html'), '<!doctype html><title>project</title><body><script type="module" src="/main.ts"></script>');
  execFileSync('npm', ['install', '--offline', '--no-audit', '--no-fund', join(folder, told.filename)], { cwd: project, stdio: 'ignore' });
  browser = await launchChromium();
});

after(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true });
});

/** Opens a built project, and waits for what its script makes of the package. */
async function outcomeIn(built, path = '') {
  const site = await serve({ port: 0, mounts: { '/app': built } });
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    const problems = [];
    page.on('pageerror', (error) => problems.push(String(error)));
    // A worker that is ended with its model takes its last requests along.
    page.on('requestfailed', (request) => request.failure()?.errorText !== 'net::ERR_ABORTED' && problems.push(`${request.url()} ${request.failure()?.errorText}`));
    context.on('request', (request) => /^https?:/.test(request.url()) && !request.url().startsWith(site.url) && problems.push(`left the site: ${request.url()}`));
    await page.goto(`${site.url}app/${path}`);
    await page.waitForFunction(() => globalThis.outcome !== undefined, undefined, { timeout: 120_000 });
    assert.deepEqual(problems, []);
    return await page.evaluate(() => globalThis.outcome);
  } finally {
    await context.close();
    await site.close();
  }
}

function assertOutcome({ text, joined, tokens, ...rest }) {
  assert.deepEqual(rest, { prefilled: true, found: true, outlined: true, cancelled: true, same: true, element: 'captioned' });
  assert.equal(joined, text);
  assert.ok(tokens > 0 && tokens <= 8);
}

test('the tarball holds what is needed and nothing else', () => {
  const files = packed.files.map(({ path }) => path);
  for (const needed of ['README.md', 'LICENSE', 'dist/index.js', 'dist/index.d.ts', 'dist/react.js', 'pkg/ocelli_bg.wasm', 'models/tiny/ocelli.json', 'models/tiny/weights-00001.safetensors']) {
    assert.ok(files.includes(needed), needed);
  }
  assert.deepEqual(files.filter((path) => /recipe|tests|demo|scripts|\.map$|\.ts$/.test(path) && !path.endsWith('.d.ts')), []);
  const { dependencies, scripts = {} } = JSON.parse(readFileSync(join(project, 'node_modules/ocelli/package.json')));
  assert.equal(dependencies, undefined);
  assert.deepEqual(Object.keys(scripts).filter((name) => /install/.test(name)), []);
});

test('the embedded model is named as its files are', () => {
  const { tokenizer, shards } = JSON.parse(readFileSync(join(WEB, 'models/tiny/ocelli.json')));
  const source = readFileSync(join(WEB, 'src/embedded.ts'), 'utf8');
  const named = [...source.matchAll(/models\/tiny\/([\w.-]+)\?/g)].map(([, file]) => file);
  assert.deepEqual(named.toSorted(), ['ocelli.json', tokenizer.file, ...shards.map(({ file }) => file)].toSorted());
});

test('no script needs eval', () => {
  for (const part of ['dist', 'pkg']) {
    for (const name of readdirSync(join(WEB, part), { recursive: true }).filter((file) => file.endsWith('.js'))) {
      assert.doesNotMatch(readFileSync(join(WEB, part, name), 'utf8'), /\beval\(|new Function\(/, name);
    }
  }
});

test('a project in strict TypeScript compiles against its types', () => {
  execFileSync(join(WEB, 'node_modules/.bin/tsc'), ['--project', project], { encoding: 'utf8' });
});

test('Vite builds a project with it, and the project runs', async () => {
  execFileSync(join(WEB, 'node_modules/.bin/vite'), ['build', project, '--base', './', '--logLevel', 'warn', '--outDir', join(folder, 'vite')], { cwd: project, stdio: ['ignore', 'ignore', 'inherit'] });
  assertOutcome(await outcomeIn(join(folder, 'vite')));
});

test('webpack builds a project with it, and the project runs', async () => {
  const out = join(folder, 'webpack');
  // Webpack reads no TypeScript of its own: the compiler strips the types first.
  const plain = join(project, 'plain');
  execFileSync(join(WEB, 'node_modules/.bin/esbuild'), [join(project, 'main.ts'), `--outfile=${join(plain, 'main.js')}`, '--log-level=error']);
  const { default: webpack } = await import('webpack');
  const stats = await new Promise((resolve, reject) => {
    webpack({ mode: 'production', context: project, entry: join(plain, 'main.js'), output: { path: out, publicPath: 'auto' }, performance: { hints: false } },
      (error, done) => (error ? reject(error) : resolve(done)));
  });
  assert.deepEqual(stats.toJson({ all: false, errors: true, warnings: true }), { errors: [], warnings: [] });
  writeFileSync(join(out, 'index.html'), '<!doctype html><title>project</title><body><script defer src="main.js"></script>');
  assertOutcome(await outcomeIn(out));
});

test('plain files run without any bundler', async () => {
  const out = join(folder, 'plain');
  mkdirSync(out);
  cpSync(join(project, 'node_modules/ocelli'), join(out, 'ocelli'), { recursive: true });
  const script = readFileSync(join(project, 'plain/main.js'), 'utf8').replace(/(['"])ocelli(\/\w+)?\1/g, (_, quote, part) => `"./ocelli/dist/${part ? part.slice(1) : 'index'}.js"`);
  writeFileSync(join(out, 'main.js'), script);
  writeFileSync(join(out, 'index.html'), '<!doctype html><title>project</title><body><script type="module" src="main.js"></script>');
  assertOutcome(await outcomeIn(out));
  assert.ok(statSync(join(out, 'ocelli/pkg/ocelli_bg.wasm')).size > 100_000);
});
