// A device that goes away, a worker that the browser ends, a page that is frozen: the text goes on, or there is an error.

import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { launchChromium } from '../scripts/chromium.mjs';
import { serve } from '../scripts/serve.mjs';
import { cases, mounts } from './common/goldens.mjs';

const MODEL = '/models/pg1-hd16';
const [golden] = cases('pg1-hd16');
const QUESTION = { image: '/pictures/cat.png', prompt: golden.prompt, maxNewTokens: golden.max_new_tokens };

let browser;
let folder;
let page;
let site;

/** Ahead of the worker's own code: lets the page count what is submitted to the device, destroy it, or end the worker. */
const SABOTAGE = `
let submitted = 0, left = Infinity, losses = 0;
const devices = new Map();
const request = GPUAdapter.prototype.requestDevice;
GPUAdapter.prototype.requestDevice = async function (...args) {
  const device = await request.apply(this, args);
  devices.set(device.queue, device);
  return device;
};
const submit = GPUQueue.prototype.submit;
GPUQueue.prototype.submit = function (...args) {
  submitted++;
  submit.apply(this, args);
  if (--left === 0) {
    losses++;
    devices.get(this).destroy();
  }
};
const orders = new BroadcastChannel('sabotage');
orders.onmessage = ({ data }) => {
  if (data.after !== undefined) left = data.after;
  if (data.vanish) self.close();
  if (data.destroy) for (const device of devices.values()) device.destroy();
  orders.postMessage({ submitted, losses });
};
`;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocelli-lost-'));
  const web = new URL('..', import.meta.url);
  for (const part of ['dist', 'pkg']) await cp(new URL(part, web), join(folder, part), { recursive: true });
  const worker = join(folder, 'dist', 'worker.js');
  await writeFile(worker, (await readFile(worker, 'utf8')) + SABOTAGE);
  site = await serve({ port: 0, mounts: { ...mounts, '/lost': folder } });
  browser = await launchChromium();
  page = await browser.newPage();
  await page.addInitScript(() => {
    const answers = new BroadcastChannel('sabotage');
    /** Gives the worker an order; resolves with what it has counted. */
    globalThis.order = (what) => new Promise((resolve) => {
      answers.onmessage = ({ data }) => data.submitted !== undefined && resolve(data);
      answers.postMessage(what);
    });
    globalThis.ask = async (model, question) => {
      const run = model.generate(question);
      let text = '';
      try {
        for await (const piece of run) text += piece;
        const { tokens, logprobs, text: whole } = await run;
        return { text, whole, tokens, logprobs };
      } catch ({ code, message }) {
        return { text, code, message };
      }
    };
  });
  await page.goto(`${site.url}blank/`);
});

after(async () => {
  await browser?.close();
  await site?.close();
  await rm(folder, { recursive: true });
});

/** Loads the model, and runs `work(model, question)` with it in the page. */
const withModel = (work, options = { device: 'gpu', dtype: 'f32' }, question = QUESTION) => page.evaluate(`(async () => {
  const { load } = await import('/lost/dist/index.js');
  const model = await load(${JSON.stringify(MODEL)}, ${JSON.stringify(options)});
  try {
    return await (${work})(model, ${JSON.stringify(question)});
  } finally {
    model.dispose();
  }
})()`);

test('a device lost anywhere in an answer: the same text goes on and ends the same', async (t) => {
  const { whole, results } = await withModel(async (model, question) => {
    const before = await order({});
    const whole = await ask(model, question);
    const { submitted } = await order({});
    const steps = submitted - before.submitted;
    const results = [];
    // From the first submit (the tower) over the prefill to the last tokens.
    for (const share of [0, 0.1, 0.3, 0.6, 0.9]) {
      const at = Math.max(1, Math.round(share * steps));
      const { losses } = await order({ after: at });
      const answer = await ask(model, question);
      const after = await order({});
      results.push({ at, steps, answer, lost: after.losses - losses });
    }
    return { whole, results };
  });
  assert.deepEqual(whole.tokens, golden.greedy_ids);
  for (const { at, steps, answer, lost } of results) {
    assert.equal(lost, 1, `the device was to be lost once, at submit ${at} of ${steps}`);
    assert.deepEqual(answer, whole, `lost at submit ${at} of ${steps}`);
  }
  assert.equal(whole.text, whole.whole);
  t.diagnostic(`lost at submits ${results.map(({ at }) => at).join(', ')} of ${results[0].steps}`);
});

test('a device lost between two answers', async () => {
  const [first, second] = await withModel(async (model, question) => {
    const first = await ask(model, question);
    await order({ destroy: true });
    return [first, await ask(model, question)];
  });
  assert.deepEqual(second, first);
});

test('a drawn sample goes on the same too', async () => {
  const [first, second] = await withModel(async (model, question) => {
    const drawn = { ...question, temperature: 1, seed: 7, maxNewTokens: 12 };
    const first = await ask(model, drawn);
    await order({ after: 9 });
    return [first, await ask(model, drawn)];
  });
  assert.equal(first.code, undefined, first.message);
  assert.deepEqual(second, first);
});

test('a device that is lost again and again ends in an error, not in a loop', async () => {
  const answer = await withModel(async (model, question) => {
    const doom = setInterval(() => order({ destroy: true }), 20);
    const answer = await ask(model, { ...question, maxNewTokens: 200 });
    clearInterval(doom);
    return answer;
  });
  assert.equal(answer.code, 'OCELLI_DEVICE_LOST', JSON.stringify(answer));
});

test('the weights come back from the disk, without the network', async () => {
  const asked = [];
  const listen = (request) => asked.push(request.url());
  const loaded = await page.evaluateHandle(async (url) => {
    const { load } = await import('/lost/dist/index.js');
    return load(url, { device: 'gpu', dtype: 'f32' });
  }, MODEL);
  page.context().on('request', listen);
  const answer = await loaded.evaluate(async (model, question) => {
    const blob = await (await fetch(question.image)).blob();
    await order({ after: 5 });
    const answer = await ask(model, { ...question, image: blob });
    model.dispose();
    return answer;
  }, QUESTION);
  page.context().off('request', listen);
  assert.deepEqual(answer.tokens, golden.greedy_ids);
  assert.deepEqual(asked.filter((url) => !url.endsWith('.png')), []);
});

for (const moment of ['idle', 'busy']) {
  test(`a worker that the browser ends without a word (${moment}) is an error`, async () => {
    const answer = await withModel(moment === 'idle'
      ? async (model, question) => {
          void order({ vanish: true });
          await new Promise((resolve) => setTimeout(resolve, 300));
          return ask(model, question);
        }
      : async (model, question) => {
          setTimeout(() => void order({ vanish: true }), 100);
          return ask(model, { ...question, maxNewTokens: 400 });
        }, { device: 'gpu', dtype: 'f32' });
    assert.equal(answer.code, 'OCELLI_INTERNAL', JSON.stringify(answer));
    assert.match(answer.message, /the browser ended it/);
  });
}

test('a page that is frozen while it works gets its answer when it thaws', async () => {
  const session = await page.context().newCDPSession(page);
  const answer = withModel((model, question) => ask(model, question), { device: 'cpu', dtype: 'f32' });
  await new Promise((resolve) => setTimeout(resolve, 150));
  await session.send('Page.setWebLifecycleState', { state: 'frozen' });
  await new Promise((resolve) => setTimeout(resolve, 1500));
  await session.send('Page.setWebLifecycleState', { state: 'active' });
  assert.deepEqual((await answer).tokens, golden.greedy_ids);
});

test('a kept model loads and answers while its server cannot be reached', async () => {
  await withModel((model) => model.info);
  let refused = 0;
  await page.context().route('**/models/**', (route) => {
    refused++;
    return route.abort();
  });
  try {
    const answer = await withModel((model, question) => ask(model, question), { device: 'cpu', dtype: 'f32' });
    assert.deepEqual(answer.tokens, golden.greedy_ids);
    assert.ok(refused > 0, 'nothing was asked of the server, so nothing was shown');
  } finally {
    await page.context().unroute('**/models/**');
  }
});

test('after loading nothing touches the network', async () => {
  const asked = [];
  const listen = (request) => asked.push(request.url());
  const model = await page.evaluateHandle(async ([url, image]) => {
    const { load } = await import('/lost/dist/index.js');
    globalThis.picture = await (await fetch(image)).blob();
    return load(url, { device: 'cpu', dtype: 'f32' });
  }, [MODEL, QUESTION.image]);
  page.context().on('request', listen);
  const answer = await model.evaluate((model, question) => ask(model, { ...question, image: picture }), QUESTION);
  await model.evaluate((model) => model.dispose());
  page.context().off('request', listen);
  assert.deepEqual(answer.tokens, golden.greedy_ids);
  assert.deepEqual(asked, []);
});
