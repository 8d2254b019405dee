// The demo site in a browser, used as a visitor uses it.

import { launchChromium } from '../../scripts/chromium.mjs';
import { serve } from '../../scripts/serve.mjs';

/** Starts the site and a browser; `close` ends both. */
export async function startSite(options) {
  const site = await serve({ port: 0 });
  const browser = await launchChromium(options);
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
export async function visit({ site, browser }, context = {}) {
  const own = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...context });
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

/** Has the page use the test checkpoint, or another model. */
export async function useModel(page, { choice = 'embedded', url, device = 'auto' }) {
  await page.click('#open-model');
  await page.click(`label[for=model-${choice}]`);
  if (url) await page.fill('#model-url', url);
  await page.selectOption('#device', device);
  await page.click('#model-dialog .sheet-head button');
}
