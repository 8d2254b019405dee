// Has a model answer messages: in the package's own worker, or in the page by option.

import start, * as wasm from '../pkg/ocelli.js';
import { findAdapter } from './adapter.js';
import { Engine } from './engine.js';
import { badArgument, toRecord } from './errors.js';
import type { FromWorker, ToWorker, Wordless } from './messages.js';
import { bytesOf, decode } from './picture.js';
import type { Answer, DeviceReport, Progress, Segment } from './types.js';
import type { FoundObject } from './wire.js';

type Call<T extends ToWorker['type']> = Extract<ToWorker, { type: T }>;

/** One model and its calls. */
export class Host {
  #engine: Engine | undefined;
  readonly #stops = new Map<number, AbortController>();
  /** What is at work, so that the model is freed after it. */
  readonly #working = new Set<Promise<unknown>>();
  readonly #stop = new AbortController();

  constructor(readonly post: (message: FromWorker) => void) {}

  receive(message: ToWorker): void {
    switch (message.type) {
      case 'devices':
        return this.#work(this.#listDevices().catch((error) => this.fail(error)));
      case 'load':
        return this.#work(this.#load(message).catch((error) => this.fail(error)));
      case 'generate':
        return this.#work(this.#generate(message).then(
          (answer) => this.post({ type: 'answer', id: message.id, answer }),
          (error) => this.post({ type: 'failed', id: message.id, error: toRecord(error) }),
        ));
      case 'cancel':
        return this.#stops.get(message.id)?.abort();
    }
  }

  /** Tells that nothing works any more. */
  fail(error: unknown): void {
    this.post({ type: 'broken', error: toRecord(error) });
  }

  /** Stops everything and frees the model. A worker is simply ended instead. */
  end(): void {
    this.#stop.abort();
    for (const stop of this.#stops.values()) stop.abort();
    void Promise.allSettled(this.#working).then(() => this.#engine?.free());
  }

  #work(work: Promise<unknown>): void {
    this.#working.add(work);
    void work.finally(() => this.#working.delete(work));
  }

  /** @param assets the address of a copy of the package that holds the module; without it, it lies beside the glue */
  async #startModule(assets?: string): Promise<void> {
    await start(assets && { module_or_path: new URL('pkg/ocelli_bg.wasm', assets) });
    wasm.report_panics((message: string) => this.fail(`the module stopped: ${message}`));
  }

  async #listDevices(): Promise<void> {
    const adapter = await findAdapter();
    const devices: DeviceReport[] = [{ device: 'cpu', name: 'CPU', software: false, automatic: !adapter || adapter.software }];
    if (adapter) devices.unshift({ device: 'gpu', name: adapter.name, software: adapter.software, automatic: !adapter.software });
    this.post({ type: 'devices', devices });
  }

  async #load({ url, options, picture }: Call<'load'>): Promise<void> {
    const tell = (progress: Progress) => this.post({ type: 'progress', progress });
    const first = picture === undefined ? undefined : decode(picture, 'the first picture', this.#stop.signal);
    first?.catch(() => undefined);
    this.#engine = await Engine.load(url, options, this.#startModule(options.assets), tell, this.#stop.signal, first);
    this.post({ type: 'loaded', info: this.#engine.info });
  }

  async #generate({ id, pictures, task, options, logits }: Call<'generate'>): Promise<Answer | Wordless> {
    const engine = this.#engine;
    if (!engine) throw new Error('a generation was asked for before the model was loaded');
    // Made first, so that a call can be cancelled while its pictures are still being decoded.
    const stop = new AbortController();
    this.#stops.set(id, stop);
    const call = new wasm.CallHandle();
    stop.signal.addEventListener('abort', () => call.cancel());
    let request: wasm.WasmRequest | undefined;
    try {
      const began = performance.now();
      // Before anything can be found wrong, since it also closes the message's bitmaps.
      const decoded = await Promise.all(pictures.map((picture, index) => decode(picture, `picture ${index + 1}`, stop.signal)));
      const decodedMs = performance.now() - began;
      if (logits && options.maxNewTokens !== 1) {
        throw badArgument('`logits` was asked for with more than one new token', 'Set `maxNewTokens: 1` together with `logits`.');
      }
      request = new wasm.WasmRequest(task, options);
      for (const each of decoded) request.add_picture(each.width, each.height, bytesOf(each));
      const result = await engine.run(request, call, stop.signal, (text) => this.post({ type: 'piece', id, text }));
      const { outcome, memory, values = new Float32Array() } = result;
      if (outcome.type === 'labels') return outcome;
      if (outcome.type === 'embeddings') return { rows: outcome.count, width: outcome.width, values, warnings: outcome.warnings };
      if (outcome.type === 'features') return { rows: outcome.rows, width: outcome.width, values, warnings: [] };
      const { generation, promptTokens, timings } = outcome.answer;
      const { device, adapter, downloadMs, loadMs } = engine.info;
      return {
        ...generation,
        promptTokens,
        objects: outcome.type === 'objects' ? outcome.objects.map(outlined) : [],
        dropped: outcome.type === 'objects' ? outcome.dropped : 0,
        device,
        adapter,
        timings: { ...timings, imageMs: decodedMs + timings.imageMs, downloadMs, loadMs },
        memory,
        ...(logits && { logits: await engine.logits() }),
      };
    } finally {
      this.#stops.delete(id);
      call.free();
      request?.free();
    }
  }
}

/** With the mask as pixels that a page can lay over the picture. */
function outlined({ mask, ...found }: FoundObject): Segment {
  if (!mask) return found;
  const { left, top, width, height, alpha } = mask;
  const pixels = new Uint8ClampedArray(4 * alpha.length).fill(255);
  for (const [at, value] of alpha.entries()) pixels[4 * at + 3] = value;
  return { ...found, mask: new ImageData(pixels, width, height), origin: { x: left, y: top } };
}
