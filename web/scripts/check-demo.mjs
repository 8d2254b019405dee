// Opens the demo page headless, asks it about the sample pictures on the CPU and on WebGPU, and compares every token
// with what the reference gives. `node check-demo.mjs [--port N]`; the exit code says whether all agreed.

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { launchChromium } from './chromium.mjs';
import { serve } from './serve.mjs';

const golden = JSON.parse(readFileSync(new URL('../../tests/goldens/pg1-hd16/golden.json', import.meta.url)));

const { values } = parseArgs({ options: { port: { type: 'string', default: '0' } } });
const site = await serve({ port: Number(values.port) });
const browser = await launchChromium();
const faults = [];
try {
  const page = await browser.newPage();
  page.on('pageerror', (error) => faults.push(`the page failed: ${error}`));
  page.on('console', (message) => message.type() === 'error' && !isAbsentFile(message) && faults.push(`the console says: ${message.text()}`));
  await page.goto(site.url);
  for (const device of ['cpu', 'gpu', 'auto']) {
    // On a software adapter, which this browser has, the automatic choice is the CPU.
    const expected = device === 'gpu' ? 'GPU' : 'CPU';
    for (const { pictures, prompt, max_new_tokens: limit, greedy_ids: ids, text } of golden.cases) {
      const found = await ask(page, { device, picture: pictures[0], prompt, limit });
      const agrees = found.tokens === ids.join(' ') && found.text === text && found.device.startsWith(expected);
      console.log(`   ${device.padEnd(4)} ${pictures[0]}, "${prompt}": ${found.error || found.text}`);
      console.log(`        ${agrees ? 'as the reference' : `NOT as the reference: ${text}`}; ${found.device}; ${found.timings}`);
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

/** Uses the page as a visitor does. */
async function ask(page, { device, picture, prompt, limit }) {
  await page.click(`#samples [data-file="${picture}"]`);
  await page.waitForSelector(`#samples [data-file="${picture}"][aria-pressed=true]`);
  await page.fill('#prompt', prompt);
  await page.fill('#limit', String(limit));
  await page.selectOption('#device', device);
  await page.selectOption('#dtype', 'f32');
  await page.click('#run');
  await page.waitForSelector('#run:enabled', { timeout: 120_000 });
  return page.evaluate(() => {
    const text = (selector) => document.querySelector(selector).textContent;
    const shown = (id) => !document.getElementById(id).hidden;
    return {
      error: shown('error') ? `${text('#error-code')} ${text('#error-message')}` : '',
      text: text('#answer'),
      tokens: text('#tokens'),
      device: shown('facts') ? text('#device-line') : 'no device',
      timings: [...document.querySelectorAll('#timings > div')].map((entry) => [...entry.children].map((part) => part.textContent).join(' ')).join(', '),
    };
  });
}
