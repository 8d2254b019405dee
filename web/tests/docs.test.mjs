// The documentation: every sample compiles in strict TypeScript, the page of the README runs, every code is explained, links
// lead somewhere, and the API page is what the sources say.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { launchChromium } from '../scripts/chromium.mjs';
import { serve } from '../scripts/serve.mjs';

const WEB = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'ocelli-docs-'));
after(() => rmSync(folder, { recursive: true }));

const pages = ['README.md', ...readdirSync(join(WEB, 'docs')).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)];
const textOf = (page) => readFileSync(join(WEB, page), 'utf8');
const samples = (page, language) => [...textOf(page).matchAll(new RegExp(`^\`\`\`(${language})\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(([, kind, code]) => ({ kind, code }));

test('every sample compiles in strict TypeScript', () => {
  // The package as a project sees it: by its exports.
  mkdirSync(join(folder, 'node_modules/@types'), { recursive: true });
  symlinkSync(WEB, join(folder, 'node_modules/ocelli'));
  for (const types of ['react']) symlinkSync(join(WEB, 'node_modules/@types', types), join(folder, 'node_modules/@types', types));
  let count = 0;
  for (const page of pages.filter((name) => name !== 'docs/api.md')) {
    for (const { kind, code } of samples(page, 'tsx?')) {
      const name = `${page.replace(/\W/g, '-')}-${++count}.${kind}`;
      writeFileSync(join(folder, name), `${code}\nexport {};\n`);
    }
  }
  assert.ok(count >= 7, `only ${count} samples were found`);
  cpSync(join(WEB, 'tests/package/tsconfig.json'), join(folder, 'tsconfig.json'));
  const config = JSON.parse(readFileSync(join(folder, 'tsconfig.json'), 'utf8'));
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({
    compilerOptions: { ...config.compilerOptions, jsx: 'preserve', skipLibCheck: true, preserveSymlinks: true }, include: ['*.ts', '*.tsx'],
  }));
  execFileSync(join(WEB, 'node_modules/.bin/tsc'), ['--project', folder], { encoding: 'utf8' });
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
