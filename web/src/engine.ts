// A model in the worker: loaded, asked, and brought back to life when its device goes away. One a worker.

import * as wasm from '../pkg/ocelli.js';
import { type Adapter, findAdapter, withSubgroups } from './adapter.js';
import { cancelled } from './errors.js';
import { Replay, isLost } from './lost.js';
import type { SentLoadOptions } from './messages.js';
import { type Context, tune } from './pack/context.js';
import { checkpointChecksum } from './pack/checkpoint-checksum.js';
import { readDirectory } from './pack/directory.js';
import { Meter } from './pack/progress.js';
import { digest, hex } from './pack/sha256.js';
import { type PackSource, openPack } from './pack/source.js';
import { openStore } from './store/open.js';
import type { Store } from './store/store.js';
import { type Pixels, bytesOf } from './picture.js';
import type { ModelInfo, Progress } from './types.js';
import type { MemoryUse, TaskResult } from './wire.js';

/** A model, and the milliseconds that it took at its device. */
interface Loaded {
  model: wasm.WasmModel;
  loadMs: number;
  /** What the model is known by. */
  checksum: string;
}

/** What a task came to, with its vectors if there are any. */
type Result = TaskResult & { readonly values?: Float32Array };

/** Devices that one call may lose before it is given up. */
const MAX_DEVICE_LOSSES = 3;

/** A loaded model. */
export class Engine {
  /** None between a loss of its device and the next call. */
  #model: wasm.WasmModel | undefined;
  #info!: ModelInfo;
  #adapter: Adapter | undefined;

  /**
   * Loads a model.
   * @param started resolves when the module can be used
   * @param first the picture that will be asked about first, if that is known, on its way
   */
  static async load(
    url: string,
    options: SentLoadOptions,
    started: Promise<unknown>,
    onProgress: (progress: Progress) => void,
    signal: AbortSignal,
    first?: Promise<Pixels>,
  ): Promise<Engine> {
    const engine = new Engine(url, options, await openStore(options.cache));
    await engine.#open(new Meter(onProgress), started, signal, false, first);
    return engine;
  }

  private constructor(
    readonly url: string,
    readonly options: SentLoadOptions,
    readonly store: Store,
  ) {}

  get info(): ModelInfo {
    return this.#info;
  }

  /**
   * Answers a request. Where the device is lost meanwhile, the model is put on a new one, and the text goes on where it
   * was.
   * @param call stops the answer, and knows what it has said
   * @param signal aborted together with it: stops a revival
   * @throws OcelliError, or a record of one; what made a revival fail does not keep the next call from trying another
   */
  async run(request: wasm.WasmRequest, call: wasm.CallHandle, signal: AbortSignal, emit: (text: string) => void): Promise<Result> {
    const replay = new Replay(emit);
    for (let losses = 0; ; ) {
      try {
        const model = this.#model ?? (await this.#revive(signal));
        return (await model.run(request, call, (piece: string) => replay.add(piece))) as Result;
      } catch (error) {
        if (!isLost(error)) throw error;
        this.free();
        if (++losses === MAX_DEVICE_LOSSES) throw error;
        replay.rewind();
      }
    }
  }

  /** Frees the model and its device. Nothing may be at work. */
  free(): void {
    this.#model?.free();
    this.#model = undefined;
  }

  /** The logits after the last token; see the module. */
  async logits(): Promise<Float32Array> {
    if (!this.#model) throw new Error('logits were asked for without an answer');
    return this.#model.logits();
  }

  /** Puts the model on a new device, with the weights from where they are kept. */
  async #revive(signal: AbortSignal): Promise<wasm.WasmModel> {
    const { downloadMs, loadMs } = this.#info;
    const model = await this.#open(new Meter(() => undefined), Promise.resolve(), signal, true);
    this.#info = { ...this.#info, downloadMs, loadMs };
    return model;
  }

  /**
   * Fetches the model and puts it on a device: a pack shard by shard, a directory as a whole.
   * @param trust use what is kept without asking the server whether it changed
   */
  async #open(meter: Meter, started: Promise<unknown>, signal: AbortSignal, trust: boolean, first?: Promise<Pixels>): Promise<wasm.WasmModel> {
    const { url, store, options } = this;
    const { mirrors, connections, parts } = options;
    const context: Context = { url, mirrors, store, tuning: tune({ connections }), meter, signal, trust, ...(parts && { parts }) };
    const began = performance.now();
    const pack = await openPack(context);
    const readsText = async (config: Uint8Array) => {
      await started;
      return wasm.reads_text(config);
    };
    // Time at the device; what else passes is the download's.
    const { model, loadMs, checksum } = pack ? await this.#stream(pack, meter, started, first) : await this.#whole(await readDirectory(context, readsText), meter, started, signal);
    meter.end('upload');
    meter.end('warmup');
    this.#model = model;
    this.#info = {
      architecture: model.architecture(),
      tasks: model.tasks(),
      checksum,
      device: model.device() as ModelInfo['device'],
      adapter: model.adapter() || (this.#adapter?.name ?? ''),
      dtype: model.dtype() as ModelInfo['dtype'],
      memory: model.memory() as MemoryUse,
      downloadMs: performance.now() - began - loadMs,
      loadMs,
    };
    return model;
  }

  /** Hands over one shard at a time, so that this worker never holds much of the model. */
  async #stream(pack: PackSource, meter: Meter, started: Promise<unknown>, first?: Promise<Pixels>): Promise<Loaded> {
    meter.expect('upload', pack.shards.reduce((sum, { bytes }) => sum + bytes, 0));
    let loader: wasm.WasmPack | undefined;
    let prepared: Promise<void> | undefined;
    let unseen = first;
    let loadMs = 0;
    const timed = async <T>(work: () => T | Promise<T>): Promise<T> => {
      const began = performance.now();
      const result = await work();
      loadMs += performance.now() - began;
      return result;
    };
    const begin = async (tokenizer: Uint8Array | undefined): Promise<wasm.WasmPack> => {
      const begun = (loader = await timed(() => this.#onDevice((device) => wasm.WasmPack.begin(pack.manifestBytes, tokenizer, device))));
      // Pipelines are made while shards arrive.
      const ready = begun.prepare().then(() => meter.end('warmup'));
      ready.catch(() => undefined);
      prepared = ready;
      return begun;
    };
    try {
      await started;
      // The tokenizer comes first, and the shards only when the device has room for them.
      let taken = pack.manifest.tokenizer ? undefined : await begin(undefined);
      for await (const { file, bytes } of pack.files()) {
        if (!taken) {
          taken = await begin(bytes);
          continue;
        }
        const filling = taken;
        await timed(() => prepared);
        await timed(() => filling.push(file, bytes));
        meter.add('upload', bytes.length, file);
        if (unseen && filling.vision_ready()) {
          const pixels = await withTimeout(unseen);
          unseen = undefined;
          // What fails here fails again where the picture is asked about, and is told there.
          if (pixels) await timed(() => filling.encode_image(pixels.width, pixels.height, bytesOf(pixels))).catch(() => undefined);
        }
      }
      if (!taken) throw new Error('the pack gave no tokenizer');
      const filled = taken;
      loader = undefined;
      // Consumes it.
      const checksum = pack.manifest.checksum ?? hex(await digest(new Uint8Array(pack.manifestBytes)));
      return { model: await timed(() => filled.finish()), loadMs, checksum };
    } finally {
      await prepared?.catch(() => undefined);
      loader?.free();
      pack.close();
    }
  }

  async #whole(files: Map<string, Uint8Array<ArrayBuffer>>, meter: Meter, started: Promise<unknown>, signal: AbortSignal): Promise<Loaded> {
    await started;
    if (signal.aborted) throw cancelled('loading the model', signal.reason);
    const began = performance.now();
    let before = 0;
    const count = (done: number, total: number) => {
      meter.expect('upload', total);
      meter.add('upload', done - before);
      before = done;
    };
    // What is wrong with a file, the module tells.
    const checksum = await checkpointChecksum(files).catch(() => '');
    const model = await this.#onDevice((device) => wasm.WasmModel.load(files, device, count));
    return { model, loadMs: performance.now() - began, checksum };
  }

  /** Has the module open a device as it was asked for. */
  async #onDevice<T>(open: (options: object) => Promise<T>): Promise<T> {
    const { device: wanted, dtype, parts, maxBindingMib, asRealGpu } = this.options;
    const adapter = wanted === 'cpu' ? undefined : await findAdapter();
    const device = wanted === 'auto' && (!adapter || adapter.software) ? 'cpu' : wanted;
    this.#adapter = adapter;
    const { software = false, subgroups } = adapter ?? {};
    const given = { device, dtype, ...(parts && { parts }), ...(maxBindingMib !== undefined && { maxBindingMib }), ...(asRealGpu && { asRealGpu }), software, subgroups };
    return subgroups ? withSubgroups(() => open(given)) : open(given);
  }
}

/** How long shards wait for a picture. */
const TIMEOUT_MS = 1000;

/** The picture where it comes in time, and can be read. */
async function withTimeout(picture: Promise<Pixels>): Promise<Pixels | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => (timer = setTimeout(resolve, TIMEOUT_MS)));
  try {
    return await Promise.race([picture, late]);
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
