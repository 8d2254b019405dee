// The demo site in a browser, used as a visitor uses it.

import { launchChromium } from '../../scripts/chromium.mjs';
import { serve } from '../../scripts/serve.mjs';

/** What checks compare token by token: random weights, so its answers are noise. Reached by its address alone. */
export const TRIAL = { choice: 'another', url: 'samples/pg1-hd16/' };

/** Starts the site, with more folders under it, and a browser; `close` ends both. */
export async function startSite({ mounts, ...options } = {}) {
  // The browser first: where there is none, no server is left that keeps the test's process waiting.
  const browser = await launchChromium(options);
  const site = await serve({ port: 0, mounts });
  const close = async () => {
    await browser.close();
    await site.close();
  };
  return { site, browser, close };
}

/**
 * A fresh visitor. What the page does wrong is collected in `faults`: errors, and requests that leave the site.
 * @param {Awaited<ReturnType<typeof startSite>>} started
 */
export async function visit({ site, browser }, context = {}, { saveData = false } = {}) {
  const own = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...context });
  if (saveData) await own.addInitScript(() => Object.defineProperty(navigator.connection, 'saveData', { value: true }));
  const page = await own.newPage();
  const faults = [];
  const requests = [];
  page.on('pageerror', (error) => faults.push(`error: ${error}`));
  page.on('console', (message) => message.type() === 'error' && faults.push(`console: ${message.text()} ${message.location().url}`));
  own.on('request', (request) => {
    if (!/^https?:/.test(request.url())) return;
    requests.push(request.url());
    if (!request.url().startsWith(site.url)) faults.push(`left the site: ${request.url()}`);
  });
  await page.goto(site.url);
  await page.waitForSelector('#samples [aria-pressed=true]');
  return { page, context: own, faults, requests };
}

/** The devices were listed: the page is at rest. */
export const settled = (page) => page.waitForFunction(() => document.getElementById('runs').textContent !== '');

/** A picture whose name begins so is on the stage. */
export const pictureName = (page, name) => page.waitForFunction((start) => document.getElementById('picture-name').textContent.startsWith(start), name);

export const chooseTask = (page, task) => page.click(`label[for=task-${task}]`);

/** Presses the button; the new card, not yet answered. */
export async function press(page) {
  const before = await page.locator('.answer-card').count();
  await page.click('#run');
  await page.locator('.answer-card').nth(before).waitFor({ state: 'attached' });
  return page.locator('.answer-card').first();
}

/** Waits until the newest question is over; how it ended. */
export async function ended(page, timeout = 120_000) {
  const card = page.locator('.answer-card').first();
  await card.and(page.locator('[data-state=done], [data-state=failed], [data-state=cancelled]')).waitFor({ timeout });
  return card.getAttribute('data-state');
}

export async function ask(page, task) {
  await chooseTask(page, task);
  await press(page);
  return ended(page);
}

/** Has the page use the embedded model, or another by its address. */
export async function useModel(page, { choice = 'embedded', url, device = 'auto', dtype }) {
  await page.click('#open-model');
  await page.click(`label[for=model-${choice}]`);
  if (url) await page.fill('#model-url', url);
  await page.selectOption('#device', device);
  if (dtype) await page.selectOption('#dtype', dtype);
  await page.click('#model-dialog .sheet-head button');
}
