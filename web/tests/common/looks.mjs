// How a page looks: a picture of it in every shape, for whoever wants to look, and what axe finds there.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const SCREENS = fileURLToPath(new URL('../../build/screens', import.meta.url));

const SHAPES = {
  'wide and light': { colorScheme: 'light', width: 1280, height: 900 },
  'wide and dark': { colorScheme: 'dark', reducedMotion: 'reduce', width: 1280, height: 900 },
  'narrow and light': { colorScheme: 'light', reducedMotion: 'reduce', width: 390, height: 844 },
  'narrow and dark': { colorScheme: 'dark', width: 390, height: 844 },
};

/** What axe looks at, and how much of it there is at least: nothing but colours differs in the dark. */
const RULES = { light: { options: {}, least: 15 }, dark: { options: { runOnly: ['color-contrast', 'link-in-text-block'] }, least: 1 } };

/** Looks at the page as it is now in every shape: axe finds nothing, and nothing sticks out of the window. The policy must be off. */
export async function inspect(page, name) {
  mkdirSync(SCREENS, { recursive: true });
  await page.addScriptTag({ path: AXE });
  for (const [shape, { width, height, ...media }] of Object.entries(SHAPES)) {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ reducedMotion: 'no-preference', ...media });
    await page.waitForTimeout(400);
    await page.screenshot({ path: join(SCREENS, `${name} ${shape}.png`.replaceAll(' ', '-')), fullPage: true });
    const { options, least } = RULES[media.colorScheme];
    const { violations, passes } = await page.evaluate((only) => globalThis.axe.run(document, { resultTypes: ['violations', 'passes'], ...only }), options);
    const told = violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html, failureSummary }) => `${html.slice(0, 120)} ${failureSummary}`).join(' | ')}`);
    assert.deepEqual(told, [], shape);
    assert.ok(passes.length >= least, `${shape}: axe checked only ${passes.length} rules`);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `${shape}: the page is ${wide} pixels wider than the window`);
  }
}
