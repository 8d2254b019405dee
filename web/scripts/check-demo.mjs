// Opens the demo page headless and uses it as a visitor does: the test checkpoint must give, on the CPU and on WebGPU, every
// token that the reference gives, and the embedded model must answer every task. `node check-demo.mjs [--port N]`; the exit
// code says whether all went well.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { launchChromium } from './chromium.mjs';
import { serve } from './serve.mjs';

const goldens = new URL('../../tests/', import.meta.url);
const golden = JSON.parse(readFileSync(new URL('goldens/pg1-hd16/golden.json', goldens)));

const { values } = parseArgs({ options: { port: { type: 'string', default: '0' } } });
const site = await serve({ port: Number(values.port) });
const browser = await launchChromium();
const faults = [];
try {
  const page = await browser.newPage();
  page.on('pageerror', (error) => faults.push(`the page failed: ${error}`));
  page.on('console', (message) => message.type() === 'error' && !isAbsentFile(message) && faults.push(`the console says: ${message.text()}`));
  page.on('request', (request) => /^https?:/.test(request.url()) && !request.url().startsWith(site.url) && faults.push(`a request left the site: ${request.url()}`));
  await page.goto(site.url);
  await page.waitForSelector('#samples [aria-pressed=true]');
  for (const task of ['caption', 'read', 'detect', 'segment']) {
    await page.click(`label[for=task-${task}]`);
    const { error, text, facts } = await answer(page);
    console.log(`   embedded, ${task}: ${error || text.slice(0, 60)} (${facts})`);
    if (error) faults.push(`embedded, ${task}: ${error}`);
  }
  await page.click('#options summary');
  for (const device of ['cpu', 'gpu', 'auto']) {
    // On a software adapter, which this browser has, the automatic choice is the CPU.
    const expected = device === 'gpu' ? 'WebGPU' : 'CPU';
    await choose(page, device);
    for (const { pictures, prompt, max_new_tokens: limit, greedy_ids: ids, text } of golden.cases) {
      await page.setInputFiles('#file', fileURLToPath(new URL(`pictures/${pictures[0]}`, goldens)));
      await page.waitForFunction((name) => document.getElementById('picture-name').textContent.startsWith(name), pictures[0]);
      await page.click('label[for=task-prompt]');
      await page.fill('#prompt', prompt);
      await page.fill('#limit', String(limit));
      const found = await answer(page);
      const agrees = found.tokens === ids.join(' ') && found.raw === text && found.facts.includes(expected);
      console.log(`   ${device.padEnd(4)} ${pictures[0]}, "${prompt}": ${found.error || found.raw}`);
      console.log(`        ${agrees ? 'as the reference' : `NOT as the reference: ${text}`}; ${found.facts}`);
      if (!agrees) faults.push(`${device}, ${pictures[0]}: ${found.error || `tokens ${found.tokens}, expected ${ids.join(' ')}`}`);
      if (device === 'auto') break;
    }
  }
} finally {
  await browser.close();
  await site.close();
}
for (const fault of faults) console.error(`demo: ${fault}`);
process.exitCode = faults.length > 0 ? 1 : 0;

/** A loader asks for files that a model need not have; browsers log each that is not there. */
function isAbsentFile(message) {
  return /status of 404/.test(message.text()) && message.location().url.startsWith(`${site.url}samples/`);
}

/** Takes the test checkpoint, in the reference's own precision, to a device. */
async function choose(page, device) {
  await page.click('#open-model');
  await page.click('label[for=model-another]');
  await page.fill('#model-url', 'samples/pg1-hd16/');
  await page.selectOption('#device', device);
  await page.selectOption('#dtype', 'f32');
  await page.click('#model-dialog >> text=Close');
}

/** Presses the button, and reads the newest card when it is finished. */
async function answer(page) {
  const before = await page.locator('.answer-card').count();
  await page.click('#run');
  await page.locator('.answer-card').nth(before).waitFor({ state: 'attached' });
  const card = page.locator('.answer-card').first();
  await card.and(page.locator('[data-state=done], [data-state=failed]')).waitFor({ timeout: 120_000 });
  return card.evaluate((element) => {
    const text = (selector) => element.querySelector(selector)?.textContent ?? '';
    const found = Array.from(element.querySelectorAll('.object'), (row) => row.textContent.trim());
    return {
      error: text('.failure'),
      text: found.join(', ') || text('.answer'),
      raw: text('.raw').replace(/^[^:]*: /, ''),
      tokens: text('.tokens').trim(),
      facts: text('.details summary'),
    };
  });
}
