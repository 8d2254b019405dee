// What goes wrong is an error of the right class and code, soon, and what works goes on working.

import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { launchChromium } from '../scripts/chromium.mjs';
import { serve } from '../scripts/serve.mjs';
import { cases, mounts } from './common/goldens.mjs';
import { ask, useModel, visit } from './common/site.mjs';

const MODEL = '/models/pg1-hd16';
const [golden] = cases('pg1-hd16');
const QUESTION = { image: '/pictures/cat.png', prompt: golden.prompt, maxNewTokens: golden.max_new_tokens };

let broken;
let browser;
let page;
let site;

before(async () => {
  broken = await mkdtemp(join(tmpdir(), 'ocelli-broken-'));
  site = await serve({ port: 0, mounts: { ...mounts, '/broken': broken } });
  browser = await launchChromium();
  page = await openPage(browser);
});

after(async () => {
  await browser?.close();
  await site?.close();
  await rm(broken, { recursive: true });
});

/** A blank page in which `attempt(work)` gives what `work` came to, as plain data. */
async function openPage(browser) {
  const page = await browser.newPage();
  await page.addInitScript(() => {
    globalThis.attempt = async (work) => {
      const ocelli = await import('/dist/index.js');
      try {
        return { value: await work(ocelli) };
      } catch (error) {
        const classes = ['ModelError', 'PictureError', 'ArgumentError', 'DeviceError', 'CancelledError', 'InternalError'];
        const { name, code, message, remedy, cause } = error;
        const ofClass = classes.find((wanted) => error instanceof ocelli[wanted]);
        return { name, code, message, remedy, cause: cause === undefined ? undefined : String(cause), ofClass, base: error instanceof ocelli.OcelliError };
      }
    };
  });
  await page.goto(`${site.url}blank/`);
  return page;
}

function assertFault(found, { ofClass, code, says }) {
  assert.ok(found.base, `no OcelliError: ${JSON.stringify(found)}`);
  assert.equal(found.code, code, found.message);
  assert.equal(found.ofClass, ofClass);
  assert.equal(found.name, ofClass);
  assert.match(found.message, says);
  assert.ok(found.remedy.length > 0);
  assert.doesNotMatch(found.remedy, /(^|\W)--\w/, 'a page has no flags');
}

/** A copy of the small checkpoint with one file changed; `null` takes it away. */
async function breakModel(name, file, content) {
  await cp(join(mounts['/models'], 'pg1-hd16'), join(broken, name), { recursive: true });
  if (content === null) await rm(join(broken, name, file));
  else await writeFile(join(broken, name, file), content);
  return `/broken/${name}`;
}

const loading = (url, options = { device: 'cpu', dtype: 'f32' }, on = page) =>
  on.evaluate(([url, options]) => attempt(async ({ load }) => (await load(url, options)).info), [url, options]);

test('a model that is not there', async () => {
  assertFault(await loading('/models/none'), { ofClass: 'ModelError', code: 'OCELLI_NOT_FOUND', says: /models\/none\/\w+\.json does not exist \(status 404\)/ });
});

test('a server that is not there', async () => {
  assertFault(await loading('http://localhost:9/model'), { ofClass: 'ModelError', code: 'OCELLI_IO', says: /localhost:9\/model\/\w+\.json could not be fetched/ });
});

test('a config that is no JSON', async () => {
  const url = await breakModel('config', 'config.json', '{"model_type": paligemma}');
  const found = await loading(url);
  assertFault(found, { ofClass: 'ModelError', code: found.code, says: /config\.json/ });
  assert.ok(['OCELLI_BAD_CONFIG', 'OCELLI_BAD_MODEL_FILE'].includes(found.code), found.code);
});

test('weights that are missing, cut off, or a web page', async () => {
  const missing = await breakModel('missing', 'model.safetensors', null);
  assertFault(await loading(missing), { ofClass: 'ModelError', code: 'OCELLI_NOT_FOUND', says: /neither model\.safetensors nor model\.safetensors\.index\.json/ });
  for (const [name, content] of [['cut', Buffer.alloc(100_000)], ['page', '<!doctype html><title>Not here</title>'], ['empty', '']]) {
    const url = await breakModel(name, 'model.safetensors', content);
    assertFault(await loading(url), { ofClass: 'ModelError', code: 'OCELLI_BAD_MODEL_FILE', says: /model\.safetensors/ });
  }
});

test('an index that lies', async () => {
  for (const [name, content, says] of [
    ['index-syntax', '{"weight_map": ', /index\.json is no JSON/],
    ['index-shape', '{"metadata": {}}', /index\.json has no object `weight_map`/],
    ['index-away', '{"weight_map": {"a": "https://elsewhere.example/x.safetensors"}}', /names a shard "https:\/\/elsewhere/],
    ['index-up', '{"weight_map": {"a": "../../x.safetensors"}}', /names a shard "\.\.\/\.\.\/x/],
    ['index-none', '{"weight_map": {}}', /names no shard/],
  ]) {
    await breakModel(name, 'model.safetensors', null);
    await writeFile(join(broken, name, 'model.safetensors.index.json'), content);
    assertFault(await loading(`/broken/${name}`), { ofClass: 'ModelError', code: 'OCELLI_BAD_MODEL_FILE', says });
  }
});

test('a tokenizer that is none', async () => {
  const url = await breakModel('tokenizer', 'tokenizer.json', '{"version": "1.0"}');
  assertFault(await loading(url), { ofClass: 'ModelError', code: 'OCELLI_BAD_TOKENIZER', says: /tokenizer/ });
});

test('load options out of range', async () => {
  for (const [options, says] of [
    [{ device: 'tpu' }, /device: `tpu`; expected auto, gpu or cpu/],
    [{ device: 'cpu', dtype: 'q3' }, /dtype: `q3`/],
    [{ device: 'cpu', maxBindingMib: -1 }, /maxBindingMib: -1/],
    [{ device: 'cpu', maxBindingMib: 'all' }, /load options/],
  ]) {
    assertFault(await loading(MODEL, options), { ofClass: 'ArgumentError', code: 'OCELLI_BAD_ARGUMENT', says });
  }
  assertFault(await loading('http://'), { ofClass: 'ArgumentError', code: 'OCELLI_BAD_ARGUMENT', says: /`http:\/\/` is no address/ });
});

test('a loading that is cancelled, before it starts and while it runs', async () => {
  const cancelled = { ofClass: 'CancelledError', code: 'OCELLI_CANCELLED', says: /loading the model was cancelled/ };
  const before = await page.evaluate((url) => attempt(({ load }) => load(url, { signal: AbortSignal.abort('no') })), MODEL);
  assertFault(before, cancelled);
  assert.equal(before.cause, 'no');
  const during = await page.evaluate((url) => attempt(({ load }) => {
    const stop = new AbortController();
    return load(url, { device: 'cpu', signal: stop.signal, onProgress: () => stop.abort('enough') });
  }), MODEL);
  assertFault(during, cancelled);
  assert.equal(during.cause, 'enough');
});

test('progress only goes forward, through all phases, to its end', async () => {
  const { value } = await page.evaluate((url) => attempt(async ({ load }) => {
    const seen = [];
    (await load(url, { device: 'cpu', onProgress: (progress) => seen.push(progress) })).dispose();
    return seen;
  }), MODEL);
  const phases = ['wait', 'download', 'verify', 'upload', 'warmup'];
  for (const [index, now] of value.entries()) {
    const before = value[index - 1] ?? { phase: 'wait', fraction: 0, done: 0 };
    assert.ok(phases.indexOf(now.phase) >= phases.indexOf(before.phase), `${before.phase}, then ${now.phase}`);
    assert.ok(now.fraction >= before.fraction, `${before.fraction}, then ${now.fraction}`);
    if (now.phase === before.phase) assert.ok(now.done >= before.done, `${before.done}, then ${now.done}`);
  }
  for (const phase of ['download', 'upload']) {
    const last = value.filter((progress) => progress.phase === phase).at(-1);
    assert.ok(last.done > 100_000, `${last.done} bytes of ${phase}`);
    assert.equal(last.done, last.total);
  }
  assert.equal(value.at(-1).fraction, 1);
});

/** Runs `work(ocelli, model, QUESTION)` in the page with a freshly loaded small model. */
function withModel(work, options = { device: 'cpu', dtype: 'f32' }, on = page) {
  return on.evaluate(`attempt(async (ocelli) => {
    const model = await ocelli.load(${JSON.stringify(MODEL)}, ${JSON.stringify(options)});
    try {
      return await (${work})(ocelli, model, ${JSON.stringify(QUESTION)});
    } finally {
      model.dispose();
    }
  })`);
}

test('what is no picture', async () => {
  const picture = { ofClass: 'PictureError', code: 'OCELLI_BAD_IMAGE' };
  const argument = { ofClass: 'ArgumentError', code: 'OCELLI_BAD_ARGUMENT' };
  for (const [work, expected] of [
    [(_, model, question) => model.generate({ ...question, image: new Blob([]) }), { ...picture, says: /picture 1 is empty \(0 bytes\)/ }],
    [(_, model, question) => model.generate({ ...question, image: new Blob(['GIF89a, but not really'], { type: 'image/gif' }) }), { ...picture, says: /picture 1 \(22 bytes, image\/gif\) cannot be decoded/ }],
    [(_, model, question) => model.generate({ ...question, image: ['/pictures/cat.png', new Blob([])] }), { ...picture, says: /picture 2 is empty/ }],
    [(_, model, question) => model.generate({ ...question, image: new ImageData(30000, 4) }), { ...picture, says: /30000/ }],
    [(_, model, question) => model.generate({ ...question, image: '/pictures/none.png' }), { ofClass: 'ModelError', code: 'OCELLI_NOT_FOUND', says: /none\.png could not be fetched \(status 404\)/ }],
    [(_, model, question) => model.generate({ ...question, image: undefined }), { ...argument, says: /`image` is undefined; expected a picture/ }],
    [(_, model, question) => model.generate({ ...question, image: 7 }), { ...argument, says: /`image` is number/ }],
    [(_, model, question) => model.generate({ ...question, image: '' }), { ...argument, says: /`image` is an empty text/ }],
    [(_, model, question) => model.generate({ ...question, prompt: undefined }), { ...argument, says: /`prompt` is undefined/ }],
  ]) {
    assertFault(await withModel(work), expected);
  }
});

test('a picture whose header claims far more than there is', async () => {
  const found = await withModel(async (_, model, question) => {
    const blob = await (await fetch('/pictures/cat.png')).blob();
    const bytes = new Uint8Array(await blob.arrayBuffer());
    new DataView(bytes.buffer).setUint32(16, 30000);
    new DataView(bytes.buffer).setUint32(20, 30000);
    return model.generate({ ...question, image: new Blob([bytes], { type: 'image/png' }) });
  });
  assertFault(found, { ofClass: 'PictureError', code: 'OCELLI_BAD_IMAGE', says: /picture 1/ });
});

test('generation options out of range', async () => {
  for (const option of ['temperature: -1', 'topP: 0', 'topK: 1000', 'beams: 0', 'maxNewTokens: 0', 'maxNewTokens: 1.5', 'seed: -1', 'stop: "end"', 'stop: [""]', 'logits: true']) {
    const found = await withModel(`(_, model, question) => model.generate({ ...question, ${option} })`);
    assertFault(found, { ofClass: 'ArgumentError', code: 'OCELLI_BAD_ARGUMENT', says: /./ });
    // Values that the module checks, not the crossing.
    const [name, value] = option.split(': ');
    if (['temperature', 'topP', 'topK', 'beams'].includes(name) || value === '0') assert.match(found.remedy, new RegExp(`^Set \`${name}\` to `));
  }
});

for (const device of ['cpu', 'gpu']) {
  test(`a cancelled generation on the ${device} ends early, and the model goes on working`, async () => {
    const { value, ...fault } = await withModel(async (ocelli, model, question) => {
      const stop = new AbortController();
      const run = model.generate({ ...question, maxNewTokens: 400, signal: stop.signal });
      let pieces = 0;
      let pressed;
      const error = await (async () => {
        for await (const piece of run) {
          pieces += piece.length > 0 ? 1 : 0;
          pressed ??= performance.now();
          stop.abort('enough');
        }
      })().catch((error) => error);
      const waited = performance.now() - pressed;
      const { tokens } = await model.generate(question);
      return { code: error.code, cause: error.cause, pieces, waited, tokens };
    }, { device, dtype: 'f32' });
    assert.ok(value, JSON.stringify(fault));
    assert.equal(value.code, 'OCELLI_CANCELLED');
    assert.equal(value.cause, 'enough');
    // Page and worker may share a core here; how many tokens the worker itself may still write, cancel.test.mjs says.
    assert.ok(value.pieces < 100, `${value.pieces} of 400 tokens came after all`);
    assert.deepEqual(value.tokens, golden.greedy_ids);
  });
}

test('a picture that never comes: its call can be cancelled, and the calls behind it go on', async () => {
  await page.context().route('**/pictures/never.png', () => undefined);
  try {
    const { value, ...fault } = await withModel(async (ocelli, model, question) => {
      const codeOf = async (run) => {
        try {
          await run;
          return 'answered';
        } catch ({ code }) {
          return code;
        }
      };
      const shown = Object.assign(new Image(), { src: '/pictures/never.png' });
      const codes = [];
      for (const image of ['/pictures/never.png', shown]) {
        const stop = new AbortController();
        const waiting = codeOf(model.generate({ ...question, image, signal: stop.signal }));
        const next = codeOf(model.generate(question));
        setTimeout(() => stop.abort(), 100);
        codes.push(await waiting, await next);
      }
      const owed = ['/pictures/never.png', shown].map((image) => codeOf(model.generate({ ...question, image })));
      setTimeout(() => model.dispose(), 100);
      return [...codes, ...(await Promise.all(owed))];
    });
    assert.deepEqual(fault, {});
    const cancelled = 'OCELLI_CANCELLED';
    assert.deepEqual(value, [cancelled, 'answered', cancelled, 'answered', cancelled, cancelled]);
  } finally {
    await page.context().unrouteAll();
  }
});

test('leaving the loop over the pieces cancels the rest', async () => {
  const { value } = await withModel(async (_, model, question) => {
    const run = model.generate({ ...question, maxNewTokens: 400 });
    for await (const piece of run) if (piece) break;
    return run.result.catch((error) => error.code);
  });
  assert.equal(value, 'OCELLI_CANCELLED');
});

test('calls queue; one that is cancelled while it waits never starts', async () => {
  const { value } = await withModel(async (_, model, question) => {
    const stop = new AbortController();
    const order = [];
    const follow = (name, run) => run.then((answer) => (order.push(name), answer.tokens), (error) => (order.push(`${name} cancelled`), error.code));
    const all = [
      follow('first', model.generate(question)),
      follow('second', model.generate({ ...question, signal: stop.signal })),
      follow('third', model.generate({ ...question, maxNewTokens: 3 })),
    ];
    stop.abort();
    return { results: await Promise.all(all), order };
  });
  assert.deepEqual(value.order, ['second cancelled', 'first', 'third']);
  assert.deepEqual(value.results, [golden.greedy_ids, 'OCELLI_CANCELLED', golden.greedy_ids.slice(0, 3)]);
});

test('a disposed model rejects what it still owed and whatever comes later', async () => {
  const { value } = await withModel(async (_, model, question) => {
    const owed = model.generate({ ...question, maxNewTokens: 400 });
    for await (const piece of owed) if (piece) break;
    const other = model.generate(question);
    model.dispose();
    const codes = await Promise.all([owed, other, model.generate(question)].map((run) => run.then(() => 'answered', (error) => error.code)));
    return codes;
  });
  assert.deepEqual(value, ['OCELLI_CANCELLED', 'OCELLI_CANCELLED', 'OCELLI_CANCELLED']);
});

/** A copy of the package, beside the site's own, with its files changed. */
async function breakPackage(name, change) {
  const web = new URL('..', import.meta.url);
  for (const folder of ['dist', 'pkg']) await cp(new URL(folder, web), join(broken, name, folder), { recursive: true });
  await change(join(broken, name));
  return (question) => page.evaluate(([index, url, question]) => attempt(async () => {
    const { load, OcelliError } = await import(index);
    try {
      const model = await load(url, { device: 'cpu', dtype: 'f32' });
      return await model.generate(question).then(() => 'answered', (first) =>
        model.generate(question).then(() => 'answered', (second) => [first, second].map(({ code, message }) => ({ code, message }))));
    } catch (error) {
      return [{ code: error.code, message: error.message, known: error instanceof OcelliError }];
    }
  }), [`/broken/${name}/dist/index.js`, MODEL, question]);
}

test('a worker that cannot start is an error, not a hang', async () => {
  const ask = await breakPackage('no-worker', (folder) => rm(join(folder, 'dist', 'worker.js')));
  const { value } = await ask(QUESTION);
  assert.equal(value[0].code, 'OCELLI_INTERNAL');
  assert.match(value[0].message, /the worker broke down/);
  const noModule = await breakPackage('no-module', (folder) => rm(join(folder, 'pkg', 'ocelli_bg.wasm')));
  const { value: [fault] } = await noModule(QUESTION);
  assert.equal(fault.code, 'OCELLI_INTERNAL');
});

test('a module that dies while it works rejects that call and all later ones', async () => {
  const ask = await breakPackage('trap', async (folder) => {
    const glue = join(folder, 'pkg', 'ocelli.js');
    const text = await readFile(glue, 'utf8');
    const dying = text.replace('performance.now()', '(globalThis.calls = (globalThis.calls ?? 0) + 1) > 20 ? die() : performance.now()');
    assert.notEqual(dying, text, 'the glue has no clock to break');
    await writeFile(glue, `${dying}\nfunction die() { throw new WebAssembly.RuntimeError('the clock broke'); }\n`);
  });
  const { value } = await ask({ ...QUESTION, maxNewTokens: 400 });
  assert.equal(value.length, 2, JSON.stringify(value));
  for (const { code, message } of value) {
    assert.equal(code, 'OCELLI_INTERNAL');
    assert.match(message, /the clock broke/);
  }
});

test('a software adapter is listed, but is not the automatic choice', async () => {
  const { value } = await page.evaluate(() => attempt(({ devices }) => devices()));
  assert.deepEqual(value.map(({ device, software, automatic }) => ({ device, software, automatic })), [
    { device: 'gpu', software: true, automatic: false },
    { device: 'cpu', software: false, automatic: true },
  ]);
  assert.match(value[0].name, /swiftshader/i);
  assert.equal((await loading(MODEL, { device: 'auto', dtype: 'f32' })).value.device, 'cpu');
});

test('a browser without an adapter runs on the CPU, and says so where the GPU was wanted', async () => {
  const plain = await launchChromium({ adapter: 'none' });
  try {
    const page = await openPage(plain);
    assert.equal(await page.evaluate(() => navigator.gpu.requestAdapter()), null, 'this browser was to find no adapter');
    const { value } = await withModel(async (_, model, question) => ({ device: model.info.device, tokens: (await model.generate(question)).tokens }), { dtype: 'f32' }, page);
    assert.deepEqual(value, { device: 'cpu', tokens: golden.greedy_ids });
    assertFault(await loading(MODEL, { device: 'gpu' }, page), { ofClass: 'DeviceError', code: 'OCELLI_NO_DEVICE', says: /WebGPU/ });
  } finally {
    await plain.close();
  }
});

test('no request leaves the origin, and the strict policy is never violated', async () => {
  const { page: fresh, context, faults, requests } = await visit({ site, browser });
  for (const device of ['cpu', 'gpu']) {
    await useModel(fresh, { device });
    for (const task of ['caption', 'segment']) assert.equal(await ask(fresh, task), 'done');
  }
  await context.close();
  // Among them: requests elsewhere, and what the policy forbids, which the console tells.
  assert.deepEqual(faults, []);
  assert.ok(requests.some((url) => url.endsWith('.safetensors')), 'the worker\'s requests were not seen');
});
