// The parts of loading that need no browser: sums, waits, manifests, progress, replayed text.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';

import { Replay } from '../modules/lost.js';
import { backOff, retryAfter, sleep } from '../modules/net/retry.js';
import { tune } from '../modules/pack/context.js';
import { parseManifest, shardsOf } from '../modules/pack/manifest.js';
import { Meter } from '../modules/pack/progress.js';
import { digest, hex, sha256 } from '../modules/pack/sha256.js';
import { makePack } from './common/fault-server.mjs';
import { randomBytes, randomFrom } from './common/random.mjs';

const expected = (bytes) => createHash('sha256').update(bytes).digest('hex');

test('SHA-256 agrees with Node\'s at every length around a block, and at random ones', async () => {
  const random = randomFrom('sums');
  const lengths = [...Array(200).keys(), ...Array.from({ length: 20 }, () => Math.floor(random() * 100_000))];
  for (const length of lengths) {
    // Not at the start of its memory: what lies before and behind must not count.
    const bytes = new Uint8Array(randomBytes(length + 13, random)).subarray(7, 7 + length);
    assert.equal(hex(sha256(bytes)), expected(bytes), `${length} bytes`);
    assert.equal(hex(await digest(bytes)), expected(bytes), `${length} bytes`);
  }
});

test('pages that the browser denies its own SHA-256 get the same sums', async () => {
  const own = Object.getOwnPropertyDescriptor(globalThis, 'crypto');
  Object.defineProperty(globalThis, 'crypto', { value: undefined, configurable: true });
  try {
    assert.equal(hex(await digest(Buffer.from('abc'))), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  } finally {
    Object.defineProperty(globalThis, 'crypto', own);
  }
});

test('waits double, are spread by chance, and have an end', () => {
  for (const [chance, waits] of [[0, [50, 100, 200, 400, 500, 500]], [0.999999, [100, 200, 400, 800, 1000, 1000]]]) {
    const tuning = tune({ baseDelayMs: 100, maxDelayMs: 1000, random: () => chance });
    assert.deepEqual(waits.map((_, index) => Math.round(backOff(index + 1, tuning))), waits);
    assert.equal(Math.round(backOff(10_000, tuning)), waits.at(-1));
  }
});

test('Retry-After: seconds, dates, and what is neither', () => {
  const now = Date.parse('Wed, 21 Oct 2026 07:28:00 GMT');
  for (const [header, ms] of [
    [null, undefined], ['0', 0], ['3', 3000], [' 120 ', 120_000], ['Wed, 21 Oct 2026 07:28:30 GMT', 30_000],
    ['Wed, 21 Oct 2015 07:28:00 GMT', 0], ['', undefined], ['soon', undefined], ['-1', undefined], ['1.5', undefined], ['1e9', undefined], ['99999999999', undefined],
  ]) assert.equal(retryAfter(header, now), ms, `${header}`);
});

test('a wait ends at once when the work is cancelled', async () => {
  const stop = new AbortController();
  const began = performance.now();
  const waiting = sleep(60_000, stop.signal);
  stop.abort('enough');
  await assert.rejects(waiting, { code: 'OCELLI_CANCELLED' });
  await assert.rejects(sleep(60_000, stop.signal), { code: 'OCELLI_CANCELLED' });
  assert.ok(performance.now() - began < 1000);
});

test('a manifest is read as it is meant, and refused where it lies', () => {
  const { manifest } = makePack({ shards: 3 });
  const parse = (value) => parseManifest(typeof value === 'string' ? Buffer.from(value) : Buffer.from(JSON.stringify(value)), 'here');
  const read = parse(manifest);
  assert.deepEqual(read.groups, [{ parts: ['vision', 'decoder'], shards: manifest.shards }]);
  assert.deepEqual(parse({ ...manifest, mask_decoder: true }).groups[0].parts, ['vision', 'decoder', 'mask_decoder']);
  assert.deepEqual(read.tokenizer, manifest.tokenizer);
  assert.equal(read.licence, undefined);
  const change = (work) => {
    const changed = structuredClone(manifest);
    work(changed);
    return changed;
  };
  for (const [value, says] of [
    ['{"format": 1', /here is no JSON/],
    ['[]', /no JSON object/],
    ['null', /no JSON object/],
    [change((m) => (m.dtype = 'q3')), /dtype "q3"/],
    [change((m) => delete m.tokenizer), /has no tokenizer/],
    [change((m) => (m.shards = [])), /no list `shards`/],
    [change((m) => (m.shards = Array(70_000).fill(m.shards[0]))), /no list `shards`/],
    [change((m) => (m.shards[1].file = '../x')), /names the shard 2 "\.\.\/x"/],
    [change((m) => (m.shards[1].file = 'https://elsewhere.example/x')), /names the shard 2/],
    [change((m) => (m.shards[1].file = '.note')), /names the shard 2/],
    [change((m) => (m.shards[1].file = 'ocelli.json')), /twice/],
    [change((m) => (m.shards[1].file = m.shards[0].file)), /twice/],
    [change((m) => (m.shards[1].bytes = -1)), /-1 bytes/],
    [change((m) => (m.shards[1].bytes = 1e300)), /bytes/],
    [change((m) => (m.shards[1].bytes = '12')), /"12" bytes/],
    [change((m) => (m.shards[1].sha256 = m.shards[1].sha256.toUpperCase())), /no sha256/],
    [change((m) => (m.licence = 'free')), /has no licence/],
  ]) assert.throws(() => parse(value), (error) => error.code === 'OCELLI_BAD_MODEL_FILE' && says.test(error.message), says.source);
  for (const format of [0, 3, '1', undefined]) {
    assert.throws(() => parse(change((m) => (m.format = format))), { code: 'OCELLI_UNSUPPORTED' });
  }
});

test('a manifest of format 2 gives each part its shards', () => {
  const { shards, ...rest } = makePack({ shards: 3 }).manifest;
  const manifest = { ...rest, format: 2, architecture: 'paligemma', parts: [{ name: 'vision', shards: shards.slice(0, 1) }, { name: 'decoder', shards: shards.slice(1) }] };
  const parse = (value) => parseManifest(Buffer.from(JSON.stringify(value)), 'here');
  const read = parse(manifest);
  assert.deepEqual(read.groups, manifest.parts.map(({ name, shards }) => ({ parts: [name], shards })));
  assert.deepEqual(shardsOf(read), shards);
  assert.deepEqual(shardsOf(read, ['decoder']), shards.slice(1));
  assert.deepEqual(shardsOf(read, ['decoder', 'vision']), shards, 'they come in the order of execution');
  assert.throws(() => shardsOf(read, ['ears']), (error) => error.code === 'OCELLI_BAD_ARGUMENT' && /no part `ears`/.test(error.message) && /vision, decoder/.test(error.remedy));
  const { tokenizer, ...silent } = manifest;
  assert.equal(parse(silent).tokenizer, undefined, 'a model that reads no text has none');
  const change = (work) => {
    const changed = structuredClone(manifest);
    work(changed);
    return changed;
  };
  for (const [value, says] of [
    [change((m) => delete m.parts), /no list `parts`/],
    [change((m) => (m.parts = [])), /no list `parts`/],
    [change((m) => (m.parts = Array(70).fill(m.parts[0]))), /no list `parts`/],
    [change((m) => (m.parts[0] = 'vision')), /names a part undefined/],
    [change((m) => (m.parts[0].name = '../x')), /names a part "\.\.\/x"/],
    [change((m) => (m.parts[1].name = 'vision')), /the part vision twice/],
    [change((m) => delete m.parts[1].shards), /no list `shards`/],
    [change((m) => m.parts.forEach((part) => (part.shards = []))), /no list `shards`/],
    [change((m) => m.parts[1].shards.push(m.parts[0].shards[0])), /twice/],
    [change((m) => (m.parts[1].shards[1].file = '../x')), /names the shard 3 "\.\.\/x"/],
  ]) assert.throws(() => parse(value), (error) => error.code === 'OCELLI_BAD_MODEL_FILE' && says.test(error.message), says.source);
});

test('cut or bent manifests are refused with an error, never otherwise', () => {
  const bytes = makePack({ shards: 2 }).files.get('ocelli.json');
  const random = randomFrom('bent');
  let refused = 0;
  for (let time = 0; time < 2000; time++) {
    const bent = Buffer.from(bytes.subarray(0, random() < 0.3 ? Math.floor(random() * bytes.length) : undefined));
    for (let flips = random() * 4; flips > 1 && bent.length > 0; flips--) bent[Math.floor(random() * bent.length)] ^= 1 << Math.floor(random() * 8);
    try {
      parseManifest(bent, 'here');
    } catch (error) {
      assert.ok(['OCELLI_BAD_MODEL_FILE', 'OCELLI_UNSUPPORTED'].includes(error.code), `${error.stack}`);
      refused++;
    }
  }
  assert.ok(refused > 1000, `${refused} of 2000`);
});

test('progress: rates, time left, and a fraction that never goes back', () => {
  let now = 0;
  const events = [];
  const meter = new Meter((event) => events.push(event), () => now);
  meter.expect('download', 1000);
  meter.expect('verify', 1000);
  meter.end('wait');
  meter.add('download', 200, 'kept', true);
  for (let step = 0; step < 8; step++) {
    now += 100;
    meter.add('download', 100, 'a');
    if (step === 3) meter.add('download', -150, 'a');
    if (step === 4) meter.add('download', 150, 'a');
  }
  const last = events.at(-1);
  assert.equal(last.done, 1000);
  assert.ok(Math.abs(last.rate - 1000) < 200, `${last.rate} bytes a second`);
  assert.ok(events.some(({ secondsLeft }) => secondsLeft > 0.1 && secondsLeft < 1));
  meter.end('download');
  meter.add('verify', 1000);
  for (const phase of ['verify', 'upload', 'warmup']) meter.end(phase);
  assert.deepEqual([...new Set(events.map(({ phase }) => phase))], ['download', 'verify', 'upload', 'warmup']);
  assert.equal(events.at(-1).fraction, 1);
  events.reduce((before, event) => {
    assert.ok(event.fraction >= before.fraction);
    assert.ok(event.phase !== before.phase || event.done >= before.done);
    return event;
  });
});

test('a text that comes again goes on where it broke off, however it is cut up', () => {
  const random = randomFrom('replay');
  const text = 'A cat sits on a wall; 猫が塀の上に座っています。';
  const pieces = (upTo) => {
    const cut = [];
    for (let at = 0; at < upTo; ) {
      const end = Math.min(upTo, at + 1 + Math.floor(random() * 6));
      cut.push(text.slice(at, end));
      at = end;
    }
    return cut;
  };
  for (let time = 0; time < 200; time++) {
    const heard = [];
    const replay = new Replay((piece) => heard.push(piece));
    for (let losses = Math.floor(random() * 3); losses > 0; losses--) {
      for (const piece of pieces(Math.floor(random() * text.length))) replay.add(piece);
      replay.rewind();
    }
    for (const piece of pieces(text.length)) replay.add(piece);
    assert.equal(heard.join(''), text);
  }
});
