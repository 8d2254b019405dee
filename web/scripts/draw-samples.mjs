// Draws the sample pictures of the demo site into web/demo/samples, and the icons of the app. `node draw-samples.mjs`, with OCELLI_CHROMIUM set.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { launchChromium } from './chromium.mjs';
import { PICTURES, SIDE } from './samples/scenes.mjs';

const folder = fileURLToPath(new URL('../demo/samples', import.meta.url));
mkdirSync(folder, { recursive: true });
const browser = await launchChromium();
try {
  const page = await browser.newPage({ viewport: { width: SIDE, height: SIDE } });
  for (const [name, svg] of PICTURES) {
    await page.setContent(`<style>*{margin:0}svg{display:block}</style>${svg}`);
    const png = await page.screenshot({ type: 'png' });
    writeFileSync(join(folder, `${name}.png`), png);
    console.log(`${name}.png: ${png.length} bytes`);
  }
  const icon = readFileSync(join(folder, '../icon.svg'), 'utf8');
  for (const side of [192, 512]) {
    await page.setViewportSize({ width: side, height: side });
    await page.setContent(`<style>*{margin:0;background:transparent}svg{display:block;width:${side}px;height:${side}px}</style>${icon}`);
    writeFileSync(join(folder, `../icon-${side}.png`), await page.screenshot({ type: 'png', omitBackground: true }));
  }
} finally {
  await browser.close();
}
