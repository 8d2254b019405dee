// A device that goes away, a worker that the browser ends, a page that is frozen: the text goes on, or there is an error.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { launchChromium } from '../scripts/chromium.mjs';
import { serve } from '../scripts/serve.mjs';
import { cases, mounts } from './common/goldens.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** A model comes as a whole or shard by shard, and so it comes back. */
const MODELS = { 'a directory': '/models/pg1-hd16/', 'a pack': '/packs/f32/' };
const MODEL = MODELS['a directory'];
/** How the runtime names its passes. */
const PASSES = { encode: 'vision', prefill: 'prefill', decode: 'decode' };
const [golden] = cases('pg1-hd16');
const QUESTION = { image: '/pictures/cat.png', prompt: golden.prompt, maxNewTokens: golden.max_new_tokens };

let browser;
let folder;
let page;
let site;

/**
 * Ahead of the worker's own code: lets the page destroy the device after some pass, refuse the next ones, slow the disk
 * down, or end the worker.
 */
const SABOTAGE = `
let left = Infinity, losses = 0, wanted = '', pass = '', refusals = 0, readMs = 0, reads = 0;
const devices = new Map();
const request = GPUAdapter.prototype.requestDevice;
GPUAdapter.prototype.requestDevice = async function (...args) {
  if (refusals-- > 0) throw new DOMException('no device for now', 'OperationError');
  const device = await request.apply(this, args);
  devices.set(device.queue, device);
  return device;
};
const begin = GPUCommandEncoder.prototype.beginComputePass;
GPUCommandEncoder.prototype.beginComputePass = function (descriptor) {
  pass = descriptor?.label ?? '';
  return begin.call(this, descriptor);
};
const submit = GPUQueue.prototype.submit;
GPUQueue.prototype.submit = function (...args) {
  submit.apply(this, args);
  if (!pass.startsWith(wanted) || --left !== 0) return;
  losses++;
  devices.get(this).destroy();
};
const open = FileSystemFileHandle.prototype.createSyncAccessHandle;
FileSystemFileHandle.prototype.createSyncAccessHandle = async function (...args) {
  reads++;
  if (readMs > 0) await new Promise((resolve) => setTimeout(resolve, readMs));
  return open.apply(this, args);
};
const orders = new BroadcastChannel('sabotage');
orders.onmessage = ({ data }) => {
  if (data.after !== undefined) [left, wanted] = [data.after, data.pass ?? ''];
  if (data.refuse !== undefined) refusals = data.refuse;
  if (data.readMs !== undefined) readMs = data.readMs;
  if (data.vanish) self.close();
  if (data.destroy) for (const device of devices.values()) device.destroy();
  orders.postMessage({ losses, reads });
};
`;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocelli-lost-'));
  const web = new URL('..', import.meta.url);
  for (const part of ['dist', 'pkg']) await cp(new URL(part, web), join(folder, part), { recursive: true });
  const worker = join(folder, 'dist', 'worker.js');
  await writeFile(worker, (await readFile(worker, 'utf8')) + SABOTAGE);
  // The command line was built for the native tests.
  const convert = ['convert', join(root, 'tests/goldens/pg1-hd16'), join(folder, 'packs/f32'), '--dtype', 'f32', '--shard-mib', '0.03'];
  execFileSync(join(root, 'target/debug/ocelli'), convert);
  site = await serve({ port: 0, mounts: { ...mounts, '/lost': folder, '/packs': join(folder, 'packs') } });
  browser = await launchChromium();
  page = await browser.newPage();
  await page.addInitScript(() => {
    const answers = new BroadcastChannel('sabotage');
    /** Gives the worker an order; resolves with what it has counted. */
    globalThis.order = (what) => new Promise((resolve) => {
      answers.onmessage = ({ data }) => data.losses !== undefined && resolve(data);
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

/** Loads a model, and runs `work(model, question)` with it in the page. */
const withModel = (work, options = { device: 'gpu', dtype: 'f32' }, url = MODEL) => page.evaluate(`(async () => {
  const { load } = await import('/lost/dist/index.js');
  const model = await load(${JSON.stringify(url)}, ${JSON.stringify(options)});
  try {
    return await (${work})(model, ${JSON.stringify(QUESTION)});
  } finally {
    model.dispose();
  }
})()`);

/** What was said is looked at in one pass after a loss, and step by step without one: that differs by rounding. */
function sameAnswer({ logprobs, ...answer }, { logprobs: expected, ...whole }, what) {
  assert.deepEqual(answer, whole, what);
  assert.equal(logprobs?.length, expected.length, what);
  logprobs.forEach((logprob, at) => assert.ok(Math.abs(logprob - expected[at]) < 1e-4, `${what}: ${logprob} at ${at}, expected ${expected[at]}`));
}

for (const [kind, url] of Object.entries(MODELS)) {
  for (const [phase, pass] of Object.entries(PASSES)) {
    test(`a device lost in ${phase}: ${kind} comes back, and the same text goes on and ends the same`, async () => {
      const [whole, ...results] = await withModel(`async (model, question) => {
        const results = [await ask(model, question)];
        // A picture that was seen is not encoded again.
        await ask(model, { ...question, image: '/pictures/rocket.png', maxNewTokens: 1 });
        for (const after of ${phase === 'decode' ? '[1, 3, 7]' : '[1]'}) {
          const { losses } = await order({ after, pass: '${pass}' });
          const answer = await ask(model, question);
          results.push({ after, answer, lost: (await order({ after: Infinity })).losses - losses });
        }
        return results;
      }`, undefined, url);
      assert.deepEqual(whole.tokens, golden.greedy_ids);
      assert.equal(whole.text, whole.whole);
      for (const { after, answer, lost } of results) {
        assert.equal(lost, 1, `the device was to be lost once, after ${phase} ${after}`);
        sameAnswer(answer, whole, `lost after ${phase} ${after}`);
      }
    });
  }

  test(`a device lost between two answers (${kind})`, async () => {
    const [first, second] = await withModel(async (model, question) => {
      const first = await ask(model, question);
      await order({ destroy: true });
      return [first, await ask(model, question)];
    }, undefined, url);
    assert.deepEqual(second, first);
  });

  test(`a revival that fails leaves a model that the next call revives (${kind})`, async () => {
    const [first, failed, again] = await withModel(async (model, question) => {
      const first = await ask(model, question);
      await order({ destroy: true, refuse: 1 });
      return [first, await ask(model, question), await ask(model, question)];
    }, undefined, url);
    assert.equal(failed.code, 'OCELLI_NO_DEVICE', JSON.stringify(failed));
    assert.equal(first.code, undefined, first.message);
    assert.deepEqual(again, first);
  });

  test(`a revival stops when its call is cancelled, and the next call revives (${kind})`, async () => {
    const { first, cancelled, reads, again } = await withModel(async (model, question) => {
      const first = await ask(model, question);
      await order({ destroy: true, readMs: 100 });
      const before = await order({});
      const run = model.generate(question);
      const ended = run.then(() => ({}), ({ code }) => ({ code }));
      while ((await order({})).reads < before.reads + 2) await new Promise((resolve) => setTimeout(resolve, 20));
      run.cancel();
      const cancelled = await ended;
      const { reads } = await order({ readMs: 0 });
      return { first, cancelled, reads: reads - before.reads, again: await ask(model, question) };
    }, undefined, url);
    assert.equal(cancelled.code, 'OCELLI_CANCELLED');
    // Of the pack's shards and the directory's files most were not read any more.
    assert.ok(reads < (kind === 'a pack' ? 8 : 5), `${reads} files were opened`);
    assert.deepEqual(again, first);
  });
}

test('a drawn sample goes on the same too', async () => {
  const [first, second] = await withModel(async (model, question) => {
    const drawn = { ...question, temperature: 1, seed: 7, maxNewTokens: 12 };
    const first = await ask(model, drawn);
    await order({ after: 3, pass: 'decode' });
    return [first, await ask(model, drawn)];
  });
  assert.equal(first.code, undefined, first.message);
  sameAnswer(second, first, 'a drawn sample');
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
    await order({ after: 2, pass: 'decode' });
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

test('a model says that it is lost, and why', async () => {
  const codes = await withModel(async (model) => {
    const first = await Promise.race([model.lost, new Promise((later) => setTimeout(later, 100, { code: 'not yet' }))]);
    void order({ vanish: true });
    return [first.code, (await model.lost).code];
  });
  assert.deepEqual(codes, ['not yet', 'OCELLI_INTERNAL']);
  const disposed = await withModel(async (model) => {
    model.dispose();
    return (await model.lost).code;
  });
  assert.equal(disposed, 'OCELLI_CANCELLED');
});

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
