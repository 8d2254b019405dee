// The documentation: it starts with a picture and the code that makes it, every sample compiles in strict TypeScript and runs
// where a page alone is enough for that, every code is explained, links lead somewhere, and the API page is what the sources
// say.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { transform } from 'esbuild';

import { launchChromium } from '../scripts/chromium.mjs';
import { PICTURE, draw, firstSample } from '../scripts/draw-readme.mjs';
import { serve } from '../scripts/serve.mjs';

const WEB = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'ocelli-docs-'));
after(() => rmSync(folder, { recursive: true }));

const ROOT = '../README.md';
const pages = ['README.md', ...readdirSync(join(WEB, 'docs')).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)];
const textOf = (page) => readFileSync(join(WEB, page), 'utf8');
const samples = (page, language) => [...textOf(page).matchAll(new RegExp(`^\`\`\`(${language})\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(([, kind, code]) => ({ kind, code }));

/** The mean difference of two pictures' colours, from 0 to 255, by a browser. */
async function difference(...pngs) {
  const browser = await launchChromium();
  try {
    const page = await browser.newPage();
    return await page.evaluate(async (urls) => {
      const [one, other] = await Promise.all(urls.map(async (src) => {
        const image = Object.assign(new Image(), { src });
        await image.decode();
        const pen = new OffscreenCanvas(image.width, image.height).getContext('2d');
        pen.drawImage(image, 0, 0);
        return pen.getImageData(0, 0, image.width, image.height).data;
      }));
      if (one.length !== other.length) return 255;
      return one.reduce((sum, value, at) => sum + Math.abs(value - other[at]), 0) / one.length;
    }, pngs.map((png) => `data:image/png;base64,${png.toString('base64')}`));
  } finally {
    await browser.close();
  }
}

test('both first pages start with the picture that the code under it draws', async () => {
  const { png, texts } = await draw();
  assert.ok(texts.length >= 2, 'something is found and something is answered');
  const kept = readFileSync(PICTURE);
  assert.ok(kept.length < 120_000, `${kept.length} bytes`);
  const again = 'run node web/scripts/draw-readme.mjs, and look at the picture';
  for (const [page, link] of [['README.md', 'docs/picture.png'], [ROOT, 'web/docs/picture.png']]) {
    const [, alternative, from] = /^# ocelli\n\n!\[(.*)\]\((.*)\)\n/.exec(textOf(page));
    assert.equal(from, link);
    for (const text of texts) assert.ok(alternative.includes(text), `${page}: its picture says “${text}”: ${again}`);
    assert.equal(firstSample(textOf(page)), firstSample(textOf('README.md')));
  }
  // Letters differ from machine to machine, and so do the edges of what is drawn; boxes and masks do not.
  const change = await difference(kept, png);
  assert.ok(change < 4, `the picture differs by ${change.toFixed(1)}: ${again}`);
});

test('every sample compiles in strict TypeScript', () => {
  // The package as a project sees it: by its exports.
  mkdirSync(join(folder, 'node_modules/@types'), { recursive: true });
  symlinkSync(WEB, join(folder, 'node_modules/ocelli'));
  for (const types of ['react']) symlinkSync(join(WEB, 'node_modules/@types', types), join(folder, 'node_modules/@types', types));
  let count = 0;
  for (const page of [ROOT, ...pages.filter((name) => name !== 'docs/api.md')]) {
    for (const { kind, code } of samples(page, 'tsx?|js')) {
      const name = `${page.replace(/\W/g, '-')}-${++count}.${kind.replace('js', 'ts')}`;
      writeFileSync(join(folder, name), `${code}\nexport {};\n`);
    }
  }
  // What the sample of the project's own page takes for granted.
  writeFileSync(join(folder, 'given.d.ts'), 'declare const file: File;\ndeclare function show(piece: string): void;\n');
  assert.ok(count >= 10, `only ${count} samples were found`);
  cpSync(join(WEB, 'tests/package/tsconfig.json'), join(folder, 'tsconfig.json'));
  const config = JSON.parse(readFileSync(join(folder, 'tsconfig.json'), 'utf8'));
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({
    compilerOptions: { ...config.compilerOptions, jsx: 'react-jsx', skipLibCheck: true, preserveSymlinks: true }, include: ['*.ts', '*.tsx'],
  }));
  execFileSync(join(WEB, 'node_modules/.bin/tsc'), ['--project', folder], { stdio: ['ignore', 'inherit', 'inherit'] });
});

test('the page without a bundler runs as it stands', async () => {
  const [{ code }] = samples('README.md', 'html');
  const root = join(folder, 'page');
  mkdirSync(root);
  writeFileSync(join(root, 'index.html'), code);
  cpSync(join(WEB, 'demo/samples/harbour.png'), join(root, 'boat.png'));
  const site = await serve({ port: 0, mounts: { '/page': root, '/page/ocelli/dist': join(WEB, 'dist'), '/page/ocelli/pkg': join(WEB, 'pkg'), '/page/ocelli/models': join(WEB, 'models') } });
  const browser = await launchChromium();
  try {
    const page = await browser.newPage();
    await page.goto(`${site.url}page/`);
    const outcome = await page.evaluate(async () => {
      await customElements.whenDefined('vision-caption');
      const element = document.querySelector('vision-caption');
      return new Promise((resolve) => {
        element.addEventListener('caption', ({ detail }) => resolve({ same: detail.text === element.text, tokens: detail.tokens.length }));
        element.addEventListener('error', ({ message }) => resolve({ message }));
        // It may have answered already.
        element.setAttribute('language', 'en');
      });
    });
    assert.equal(outcome.same, true, JSON.stringify(outcome));
    assert.ok(outcome.tokens > 0);
  } finally {
    await browser.close();
    await site.close();
  }
});

test('samples run in a page as they stand', async () => {
  const root = join(folder, 'samples');
  mkdirSync(root);
  cpSync(join(WEB, 'demo/samples/harbour.png'), join(root, 'boat.png'));
  cpSync(join(WEB, 'demo/samples/pets.png'), join(root, 'pets.png'));
  writeFileSync(join(root, 'index.html'), '<!doctype html><title>samples</title><link rel="icon" href="data:,"><img src="/boat.png">');
  const addresses = { ocelli: '/dist/index.js', 'ocelli/element': '/dist/element.js', 'ocelli/transformers': '/dist/transformers.js', 'ocelli/search': '/dist/search.js' };
  const scripts = [ROOT, 'README.md', 'docs/hosting.md'].flatMap((page) => samples(page, 'ts|js').map(({ code }) => ({ page, code }))).filter(({ code }) => code.includes("from 'ocelli") || code.includes("import 'ocelli"));
  assert.ok(scripts.length >= 7, `only ${scripts.length} samples can run`);
  const site = await serve({ port: 0, mounts: { '/': root, '/models/my-pack': join(WEB, 'models/tiny'), '/ocelli/dist': join(WEB, 'dist'), '/ocelli/pkg': join(WEB, 'pkg'), '/ocelli/models': join(WEB, 'models') } });
  const browser = await launchChromium();
  try {
    for (const [index, { page: from, code }] of scripts.entries()) {
      const { code: plain } = await transform(code, { loader: 'ts' });
      writeFileSync(join(root, `${index}.js`), plain.replace(/"(ocelli(?:\/\w+)?)"/g, (whole, name) => (addresses[name] ? JSON.stringify(addresses[name]) : whole)));
      const page = await browser.newPage();
      const problems = [];
      page.on('pageerror', (error) => problems.push(String(error)));
      page.on('console', (message) => ['error', 'warning'].includes(message.type()) && problems.push(message.text()));
      await page.goto(site.url);
      await page.evaluate(async (script) => {
        Object.assign(globalThis, { file: await (await fetch('/boat.png')).blob(), show: () => undefined });
        await import(script);
        const element = document.querySelector('vision-caption');
        if (element) await new Promise((resolve, reject) => ['caption', 'error'].forEach((type, at) => element.addEventListener(type, at ? (event) => reject(event.error) : resolve)));
      }, `/${index}.js`).catch((error) => problems.push(String(error)));
      assert.deepEqual(problems, [], `${from}:\n${code}`);
      await page.close();
    }
  } finally {
    await browser.close();
    await site.close();
  }
});

test('every error code is explained, and no other', () => {
  const codes = [...readFileSync(join(WEB, 'src/errors.ts'), 'utf8').matchAll(/^ {2}\| '(OCELLI_\w+)'/gm)].map(([, code]) => code);
  assert.ok(codes.length > 10);
  assert.deepEqual([...textOf('docs/errors.md').matchAll(/^## (\w+)/gm)].map(([, code]) => code).toSorted(), codes.toSorted());
});

test('links between pages lead somewhere', () => {
  for (const page of pages) {
    for (const [, link] of textOf(page).matchAll(/\]\((?!https?:)([^)#]+)/g)) assert.ok(existsSync(join(WEB, dirname(page), link)), `${page}: ${link}`);
  }
});

test('the API page is what the sources say', () => {
  execFileSync('node', [join(WEB, 'scripts/api.mjs'), '--check'], { stdio: ['ignore', 'ignore', 'inherit'] });
});

test('the API page has a chapter for each export, and unions to their last member', () => {
  const page = textOf('docs/api.md');
  for (const [, entry] of Object.entries(JSON.parse(textOf('package.json')).exports).filter(([, { types }]) => types)) {
    const declared = textOf(entry.types.replace('./', ''));
    const names = [...declared.matchAll(/^export (?:type )?\{([^}]*)\}/gm)].flatMap(([, list]) => list.split(',').map((name) => name.trim().replace(/^type /, '')).filter(Boolean));
    names.push(...[...declared.matchAll(/^export declare (?:abstract )?(?:class|function|const) (\w+)|^export (?:type|interface) (\w+)/gm)].map(([, value, type]) => value ?? type));
    assert.ok(names.length > 0, entry.types);
    for (const name of names) assert.match(page, new RegExp(`^### ${name}\\b`, 'm'), `${entry.types}: ${name}`);
  }
  const union = page.slice(page.search(/^### ProgressEvent$/m)).split(/^### /m)[1];
  for (const status of ['initiate', 'download', 'progress', 'done', 'ready']) assert.ok(union.includes(`"${status}"`), `ProgressEvent lacks "${status}":\n${union}`);
});
