// The package as others install it: packed, put into a fresh project, checked in strict TypeScript, built with Vite, webpack and
// esbuild, served as plain files, and run in a browser under the strict policy; in an extension, and imported by a server.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { launchChromium, launchWithExtension } from '../scripts/chromium.mjs';
import { serve } from '../scripts/serve.mjs';

const WEB = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'ocelli-package-'));
const project = join(folder, 'project');
const ESBUILD = join(WEB, 'node_modules/.bin/esbuild');

let browser;
let packed;

before(async () => {
  const [told] = JSON.parse(execFileSync('npm', ['pack', '--json', '--pack-destination', folder], { cwd: WEB, stdio: ['ignore', 'pipe', 'ignore'] }));
  packed = told;
  cpSync(join(WEB, 'tests/package'), project, { recursive: true });
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'project', private: true, type: 'module' }));
  writeFileSync(join(project, 'index.html'), '<!doctype html><title>project</title><body><script type="module" src="/main.ts"></script>');
  execFileSync('npm', ['install', '--offline', '--no-audit', '--no-fund', join(folder, told.filename)], { cwd: project, stdio: 'ignore' });
  // Scripts for what reads no TypeScript.
  execFileSync(ESBUILD, [join(project, 'main.ts'), `--outfile=${join(project, 'plain/main.js')}`, '--log-level=error']);
  browser = await launchChromium();
});

after(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true });
});

async function outcomeAt(page, url) {
  await page.goto(url);
  await page.waitForFunction(() => globalThis.outcome !== undefined, undefined, { timeout: 120_000 });
  return page.evaluate(() => globalThis.outcome);
}

/** The project as plain files, with the package beside its script. */
function plainFiles(name) {
  const out = join(folder, name);
  mkdirSync(out);
  cpSync(join(project, 'node_modules/ocelli'), join(out, 'ocelli'), { recursive: true });
  const script = readFileSync(join(project, 'plain/main.js'), 'utf8').replace(/(['"])ocelli(\/\w+)?\1/g, (_, quote, part) => `"./ocelli/dist/${part ? part.slice(1) : 'index'}.js"`);
  writeFileSync(join(out, 'main.js'), script);
  writeFileSync(join(out, 'index.html'), '<!doctype html><title>project</title><body><script type="module" src="main.js"></script>');
  return out;
}

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
    const outcome = await outcomeAt(page, `${site.url}app/${path}`);
    assert.deepEqual(problems, []);
    return outcome;
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
  for (const needed of ['README.md', 'docs/picture.png', 'CHANGELOG.md', 'LICENSE', 'models/tiny/README.md', 'models/tiny/labels.json', 'dist/index.js', 'dist/index.d.ts', 'dist/react.js', 'pkg/ocelli_bg.wasm', 'models/tiny/ocelli.json', 'models/tiny/weights-00001.safetensors']) {
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
  assert.deepEqual(named.toSorted(), ['labels.json', 'ocelli.json', tokenizer.file, ...shards.map(({ file }) => file)].toSorted());
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
  const { default: webpack } = await import('webpack');
  const stats = await new Promise((resolve, reject) => {
    webpack({ mode: 'production', context: project, entry: join(project, 'plain/main.js'), output: { path: out, publicPath: 'auto' }, performance: { hints: false } },
      (error, done) => (error ? reject(error) : resolve(done)));
  });
  assert.deepEqual(stats.toJson({ all: false, errors: true, warnings: true }), { errors: [], warnings: [] });
  writeFileSync(join(out, 'index.html'), '<!doctype html><title>project</title><body><script defer src="main.js"></script>');
  assertOutcome(await outcomeIn(out));
});

test('plain files run without any bundler', async () => {
  const out = plainFiles('plain');
  assertOutcome(await outcomeIn(out));
  assert.ok(statSync(join(out, 'ocelli/pkg/ocelli_bg.wasm')).size > 100_000);
});

test('esbuild builds a project with it, and the project runs with a copy of the package', async () => {
  const out = join(folder, 'esbuild');
  // The name that the documentation gives the copy.
  cpSync(join(project, 'node_modules/ocelli'), join(out, 'ocelli'), { recursive: true });
  execFileSync(ESBUILD, [join(project, 'main.ts'), '--bundle', '--format=esm', '--define:ASSETS="./ocelli"', `--outfile=${join(out, 'main.js')}`, '--log-level=error'], { cwd: project });
  writeFileSync(join(out, 'index.html'), '<!doctype html><title>project</title><body><script type="module" src="main.js"></script>');
  assertOutcome(await outcomeIn(out));
});

test('an extension page captions under the policy of extensions', async () => {
  const out = plainFiles('extension');
  const policy = "script-src 'self' 'wasm-unsafe-eval'; object-src 'self'";
  writeFileSync(join(out, 'manifest.json'), JSON.stringify({ manifest_version: 3, name: 'project', version: '1', content_security_policy: { extension_pages: policy } }));
  // The browser names an unpacked extension after its folder.
  const id = [...createHash('sha256').update(out).digest('hex').slice(0, 32)].map((digit) => String.fromCharCode(97 + parseInt(digit, 16))).join('');
  const context = await launchWithExtension(out, join(folder, 'profile'));
  try {
    const page = await context.newPage();
    const problems = [];
    page.on('pageerror', (error) => problems.push(String(error)));
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
    assertOutcome(await outcomeAt(page, `chrome-extension://${id}/index.html`));
    assert.deepEqual(problems, []);
  } finally {
    await context.close();
  }
});

test('a server imports every entry, and renders what uses the hooks', () => {
  for (const name of ['react', 'react-dom', 'scheduler']) symlinkSync(join(WEB, 'node_modules', name), join(project, 'node_modules', name));
  const { exports } = JSON.parse(readFileSync(join(project, 'node_modules/ocelli/package.json')));
  const entries = Object.keys(exports).filter((name) => !name.endsWith('.json')).map((name) => name.replace('.', 'ocelli'));
  assert.equal(entries.length, 5);
  writeFileSync(join(project, 'server.mjs'), `
    import { createElement } from 'react';
    import { renderToString } from 'react-dom/server';
    const modules = await Promise.all(${JSON.stringify(entries)}.map((entry) => import(entry)));
    const { useAnswer, useModel } = modules[${entries.indexOf('ocelli/react')}];
    function Caption() {
      const { model } = useModel();
      return createElement('p', null, useAnswer(() => model?.caption('/boat.png'), [model]).text || 'none yet');
    }
    console.log(JSON.stringify({ names: modules.map((module) => Object.keys(module).length > 0), html: renderToString(createElement(Caption)) }));
  `);
  const told = JSON.parse(execFileSync('node', ['server.mjs'], { cwd: project, encoding: 'utf8' }));
  assert.deepEqual(told, { names: entries.map(() => true), html: '<p>none yet</p>' });
  // Frameworks that render on servers are told by it that the hooks are not for there.
  assert.match(readFileSync(join(project, 'node_modules/ocelli/dist/react.js'), 'utf8'), /^["']use client["']/);
});
