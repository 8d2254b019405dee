// Getting the model over a slow line: told as it goes, gone on with after a refresh, shared between tabs; and pages that are
// closed in the middle leave nothing behind.

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { launchChromium } from '../scripts/chromium.mjs';
import { ask, chooseTask, ended, pictureName, press, settled, useModel, visit } from './common/site.mjs';
import { serveSlowly } from './common/slow-site.mjs';

const SLOW = 400_000;
const TINY = fileURLToPath(new URL('../models/tiny', import.meta.url));
const OTHER = { choice: 'another', url: 'models/other/' };

let browser;
let site;

before(async () => {
  site = await serveSlowly(/weights-/, { '/models/other': TINY });
  browser = await launchChromium();
});

beforeEach(() => {
  site.line.rate = SLOW;
  site.line.asked.length = 0;
});

after(async () => {
  await browser?.close();
  await site?.close();
});

/** Nothing is fetched unasked, unless a test is about that. */
const come = (saveData = true) => visit({ site, browser }, {}, { saveData });

const hurry = () => {
  site.line.rate = Infinity;
};

const loadingLine = (page, pattern) => page.waitForFunction((source) => new RegExp(source).test(document.querySelector('.loading-line')?.textContent ?? ''), pattern.source, { timeout: 60_000 });

test('the rate and the time left are told', async () => {
  const { page, context, faults } = await come();
  await press(page);
  await loadingLine(page, /^Fetching the model · \d+ % · \d\.\d MB of \d+\.\d MB · \d+ KB\/s · \d+ s left$/);
  hurry();
  assert.equal(await ended(page), 'done');
  assert.deepEqual(faults, []);
  await context.close();
});

test('a page that is refreshed in the middle of the download of a pack by its address goes on where it was', async () => {
  const { page, context } = await come();
  await useModel(page, OTHER);
  await press(page);
  await loadingLine(page, /[2-9]\.\d MB of/);
  await page.reload();
  await page.waitForSelector('#samples [aria-pressed=true]');
  await useModel(page, OTHER);
  await press(page);
  await loadingLine(page, /[2-9]\.\d MB of/);
  hurry();
  assert.equal(await ended(page), 'done');
  const [first, second, ...more] = site.line.asked;
  assert.equal(more.length, 0);
  assert.equal(first.from, 0);
  assert.ok(second.from > 1e6, `went on from byte ${second.from}`);
  await context.close();
});

test('two tabs fetch the model once, and both answer', async () => {
  const { page, context, faults } = await come();
  await press(page);
  await loadingLine(page, /Fetching the model/);
  const other = await context.newPage();
  await other.goto(site.url);
  await other.waitForSelector('#samples [aria-pressed=true]');
  await press(other);
  await loadingLine(other, /^Another tab is fetching the model; waiting for it/);
  hurry();
  assert.deepEqual(await Promise.all([ended(page), ended(other)]), ['done', 'done']);
  assert.equal(site.line.asked.length, 1);
  assert.deepEqual(faults, []);
  await context.close();
});

test('a tab that is closed in the middle of the download leaves it to the next one', async () => {
  const { page, context } = await come();
  const other = await context.newPage();
  await other.goto(site.url);
  await other.waitForSelector('#samples [aria-pressed=true]');
  await press(page);
  await loadingLine(page, /[1-9]\.\d MB of/);
  await press(other);
  await loadingLine(other, /^Another tab/);
  await page.close();
  hurry();
  assert.equal(await ended(other), 'done');
  assert.ok(site.line.asked.at(-1).from > 0, `goes on where the closed one was: ${JSON.stringify(site.line.asked)}`);
  await context.close();
});

test('a page that is closed in the middle of an answer leaves nothing in the way', async () => {
  hurry();
  const { page, context } = await come();
  assert.equal(await ask(page, 'caption'), 'done');
  await chooseTask(page, 'segment');
  await page.click('#samples [data-file="pets.png"]');
  await pictureName(page, 'pets.png');
  // An answer takes a tenth of a second: the page itself must watch for its beginning.
  const running = page.evaluate(() => new Promise((resolve) => {
    const look = () => document.querySelector('.answer-card[data-state=running]') && resolve();
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
  }));
  await page.click('#run');
  await running;
  await page.close();
  const next = await context.newPage();
  await next.goto(site.url);
  await settled(next);
  assert.equal(await ask(next, 'caption'), 'done');
  assert.equal(site.line.asked.length, 1, 'the model is kept');
  await context.close();
});

test('a question asked while the rest is being kept goes first, and the rest is kept after it', async () => {
  const { page, context } = await come(false);
  await until(() => site.line.asked.length === 1, 'the rest is being fetched');
  assert.ok(await page.locator('#offline-ready').isHidden());
  await press(page);
  await until(() => site.line.asked.length === 2 && site.line.asked[0].broken, 'it makes way');
  hurry();
  assert.equal(await ended(page), 'done');
  await page.waitForSelector('#offline-ready', { state: 'visible', timeout: 60_000 });
  assert.equal(site.line.asked.length, 2, 'what the package keeps is not fetched again');
  await context.close();
});

test('what was kept while the page was at rest is not fetched again for the first question', async () => {
  hurry();
  const { page, context, faults } = await come(false);
  await page.waitForSelector('#offline-ready', { state: 'visible', timeout: 60_000 });
  assert.equal(await ask(page, 'caption'), 'done');
  assert.equal(site.line.asked.length, 1);
  assert.deepEqual(faults, []);
  await context.close();
});

async function until(check, what) {
  for (const began = Date.now(); !check(); await sleep(50)) assert.ok(Date.now() - began < 60_000, `never: ${what}`);
}
