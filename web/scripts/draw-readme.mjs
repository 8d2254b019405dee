// Draws the picture that both READMEs start with, by running the code that stands under it there. After new weights, or
// other code: `node web/scripts/draw-readme.mjs`, with OCELLI_CHROMIUM set. Look at it then, and let the READMEs' text for
// those who cannot see it say what is written in it.

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { transform } from 'esbuild';

import { launchChromium } from './chromium.mjs';
import { serve } from './serve.mjs';

const WEB = fileURLToPath(new URL('..', import.meta.url));

/** The picture, where the package has it. */
export const PICTURE = join(WEB, 'docs/picture.png');

/** The first code of a README. */
export const firstSample = (readme) => /^```ts\n([\s\S]*?)^```/m.exec(readme)[1];

/**
 * Runs that code in a page that has the demo's sample pictures beside it.
 * @returns {Promise<{ png: Buffer, texts: string[] }>} what its canvas shows, and what was written on it
 */
export async function draw() {
  const { code } = await transform(firstSample(readFileSync(join(WEB, 'README.md'), 'utf8')), { loader: 'ts' });
  const folder = mkdtempSync(join(tmpdir(), 'ocelli-readme-'));
  cpSync(join(WEB, 'demo/samples'), folder, { recursive: true });
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>readme</title><link rel="icon" href="data:,">');
  writeFileSync(join(folder, 'readme.js'), code.replace('"ocelli"', '"/dist/index.js"'));
  const browser = await launchChromium();
  const site = await serve({ port: 0, mounts: { '/readme': folder } });
  try {
    const page = await browser.newPage();
    await page.goto(`${site.url}readme/`);
    const { url, texts } = await page.evaluate(async () => {
      const texts = [];
      const { fillText } = CanvasRenderingContext2D.prototype;
      CanvasRenderingContext2D.prototype.fillText = function (text, ...where) {
        texts.push(text);
        fillText.call(this, text, ...where);
      };
      await import('/readme/readme.js');
      return { url: document.querySelector('canvas').toDataURL('image/png'), texts };
    });
    return { png: Buffer.from(url.slice(url.indexOf(',') + 1), 'base64'), texts };
  } finally {
    await browser.close();
    await site.close();
    rmSync(folder, { recursive: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { png, texts } = await draw();
  writeFileSync(PICTURE, png);
  console.log(`${PICTURE}: ${png.length} bytes; it says: ${texts.join('; ')}`);
}
