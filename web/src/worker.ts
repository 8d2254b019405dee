// The worker: takes messages, decodes pictures, and has the model answer.

import start, * as wasm from '../pkg/ocelli.js';
import { findAdapter } from './adapter.js';
import { Engine, type RawObject } from './engine.js';
import { badArgument, toRecord } from './errors.js';
import type { FromWorker, ToWorker } from './messages.js';
import { decode } from './picture.js';
import type { Answer, DeviceReport, Segment } from './types.js';

type Call<T extends ToWorker['type']> = Extract<ToWorker, { type: T }>;

const post: (message: FromWorker) => void = self.postMessage.bind(self);

let engine: Engine | undefined;
const cancels = new Map<number, wasm.CancelHandle>();

self.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  switch (data.type) {
    case 'devices':
      return void listDevices().catch(fail);
    case 'load':
      return void loadModel(data).catch(fail);
    case 'generate':
      return void generate(data).then(
        (answer) => post({ type: 'answer', id: data.id, answer }),
        (error) => post({ type: 'failed', id: data.id, error: toRecord(error) }),
      );
    case 'cancel':
      return cancels.get(data.id)?.cancel();
  }
};
// A trap inside the module surfaces as an error that no promise carries.
self.addEventListener('error', (event) => fail(event.message));
self.addEventListener('unhandledrejection', (event) => fail(event.reason));

void showLife();

function fail(error: unknown): void {
  post({ type: 'broken', error: toRecord(error) });
}

async function startModule(): Promise<void> {
  await start();
  wasm.report_panics((message: string) => fail(`the module stopped: ${message}`));
}

async function listDevices(): Promise<void> {
  const adapter = await findAdapter();
  const devices: DeviceReport[] = [{ device: 'cpu', name: 'CPU', software: false, automatic: !adapter || adapter.software }];
  if (adapter) devices.unshift({ device: 'gpu', name: adapter.name, software: adapter.software, automatic: !adapter.software });
  post({ type: 'devices', devices });
}

async function loadModel({ url, options }: Call<'load'>): Promise<void> {
  engine = await Engine.load(url, options, startModule(), (progress) => post({ type: 'progress', progress }));
  post({ type: 'loaded', info: engine.info });
}

/** Browsers may end a worker without a word: its lock goes with it, and the page waits for that. */
async function showLife(): Promise<void> {
  const lock = `ocelli-worker:${Math.random()}`;
  const locks: LockManager | undefined = navigator.locks;
  await locks?.request(lock, () => {
    post({ type: 'alive', lock });
    return new Promise(() => undefined);
  });
}

async function generate({ id, pictures, asked, options, logits }: Call<'generate'>): Promise<Answer> {
  if (!engine) throw new Error('a generation was asked for before the model was loaded');
  if (logits && options.maxNewTokens !== 1) {
    throw badArgument('`logits` was asked for with more than one new token', 'Set `maxNewTokens: 1` together with `logits`.');
  }
  // Made first, so that a call can be cancelled while its pictures are still being decoded.
  const cancel = new wasm.CancelHandle();
  cancels.set(id, cancel);
  const request = new wasm.WasmRequest(asked, options);
  try {
    const began = performance.now();
    const decoded = await Promise.all(pictures.map((picture, index) => decode(picture, `picture ${index + 1}`)));
    const decodedMs = performance.now() - began;
    for (const { width, height, data } of decoded) {
      request.add_picture(width, height, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    }
    const raw = await engine.generate(request, cancel, (text) => post({ type: 'piece', id, text }));
    const { info } = engine;
    return {
      ...raw,
      objects: raw.objects.map(outlined),
      device: info.device,
      adapter: info.adapter,
      timings: { ...raw.timings, imageMs: decodedMs + raw.timings.imageMs, downloadMs: info.downloadMs, loadMs: info.loadMs },
      ...(logits && { logits: await engine.logits() }),
    };
  } finally {
    cancels.delete(id);
    cancel.free();
    request.free();
  }
}

/** With the mask as pixels that a page can lay over the picture. */
function outlined({ mask, ...found }: RawObject): Segment {
  if (!mask) return found;
  const { left, top, width, height, alpha } = mask;
  const pixels = new Uint8ClampedArray(4 * alpha.length).fill(255);
  for (const [at, value] of alpha.entries()) pixels[4 * at + 3] = value;
  return { ...found, mask: new ImageData(pixels, width, height), origin: { x: left, y: top } };
}
