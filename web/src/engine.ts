// A model in the worker: loaded, asked, and brought back to life when its device goes away. One a worker.

import * as wasm from '../pkg/ocelli.js';
import { type Adapter, findAdapter, requestSubgroups } from './adapter.js';
import { Replay, isLost } from './lost.js';
import type { SentLoadOptions } from './messages.js';
import { type Context, tune } from './pack/context.js';
import { readDirectory } from './pack/directory.js';
import { Meter } from './pack/progress.js';
import { type PackSource, openPack } from './pack/source.js';
import { openStore } from './store/open.js';
import type { Store } from './store/store.js';
import type { Answer, Found, MemoryUse, ModelInfo, Progress, Timings } from './types.js';

/** An object as the module gives it. */
export type RawObject = Found & {
  mask?: { left: number; top: number; width: number; height: number; alpha: Uint8Array } | undefined;
};

/** What the module knows of an answer; the rest is known here. */
export type RawAnswer = Omit<Answer, 'device' | 'adapter' | 'timings' | 'logits' | 'objects'> & {
  timings: Omit<Timings, 'downloadMs' | 'loadMs'>;
  objects: RawObject[];
};

/** Devices that one call may lose before it is given up. */
const LIVES = 3;

/** A loaded model. */
export class Engine {
  #model!: wasm.WasmModel;
  #info!: ModelInfo;
  #adapter: Adapter | undefined;
  #subgroups = false;

  /** Loads a model; `started` resolves when the module can be used. */
  static async load(url: string, options: SentLoadOptions, started: Promise<unknown>, onProgress: (progress: Progress) => void, signal: AbortSignal): Promise<Engine> {
    const engine = new Engine(url, options, await openStore(options.cache), signal);
    const meter = new Meter(onProgress);
    await engine.#open(meter, started, false);
    return engine;
  }

  private constructor(
    readonly url: string,
    readonly options: SentLoadOptions,
    readonly store: Store,
    readonly signal: AbortSignal,
  ) {}

  get info(): ModelInfo {
    return this.#info;
  }

  /**
   * Answers a request. Where the device is lost meanwhile, the model is put on a new one, and the text goes on where it
   * was.
   * @throws OcelliError, or a record of one
   */
  async generate(request: wasm.WasmRequest, cancel: wasm.CancelHandle, emit: (text: string) => void): Promise<RawAnswer> {
    const heard = new Replay(emit);
    for (let life = 1; ; life++) {
      try {
        const answer = (await this.#model.generate(request, cancel, (piece: string) => heard.add(piece))) as RawAnswer;
        heard.finish();
        return answer;
      } catch (error) {
        if (!isLost(error) || life === LIVES) throw error;
        await this.#revive();
        heard.rewind(error);
      }
    }
  }

  /** Frees the model and its device. Nothing may be at work. */
  free(): void {
    this.#model.free();
  }

  /** The logits behind the last token; see the module. */
  logits(): Promise<Float32Array> {
    return this.#model.logits();
  }

  /** A new device, and the weights from where they are kept. */
  async #revive(): Promise<void> {
    this.#model.free();
    const { downloadMs, loadMs } = this.#info;
    await this.#open(new Meter(() => undefined), Promise.resolve(), true);
    this.#info = { ...this.#info, downloadMs, loadMs };
  }

  /**
   * Fetches the model and puts it on a device: a pack shard by shard, a directory as a whole.
   * @param trust use what is kept without asking the server whether it changed
   */
  async #open(meter: Meter, started: Promise<unknown>, trust: boolean): Promise<void> {
    const { url, store, options, signal } = this;
    const context: Context = { url, mirrors: options.mirrors, store, tuning: tune({ connections: options.connections }), meter, signal, trust };
    const began = performance.now();
    const pack = await openPack(context);
    // Time at the device; what else passes is the download's.
    const loadMs = pack ? await this.#stream(pack, meter, started) : await this.#whole(await readDirectory(context), meter, started);
    meter.end('upload');
    meter.end('warmup');
    this.#info = {
      device: this.#model.device() as ModelInfo['device'],
      adapter: this.#model.adapter() || (this.#adapter?.name ?? ''),
      dtype: this.#model.dtype() as ModelInfo['dtype'],
      memory: this.#model.memory() as MemoryUse,
      downloadMs: performance.now() - began - loadMs,
      loadMs,
    };
  }

  /** Hands over one shard at a time, so that this worker never holds much of the model; the milliseconds that took. */
  async #stream(pack: PackSource, meter: Meter, started: Promise<unknown>): Promise<number> {
    const { shards } = pack.manifest;
    meter.expect('upload', shards.reduce((sum, { bytes }) => sum + bytes, 0));
    let loader: wasm.WasmPack | undefined;
    let spent = 0;
    const timed = async <T>(work: () => T | Promise<T>): Promise<T> => {
      const began = performance.now();
      const result = await work();
      spent += performance.now() - began;
      return result;
    };
    try {
      await started;
      for await (const { file, bytes } of pack.files()) {
        // The tokenizer comes first.
        loader ??= await timed(async () => wasm.WasmPack.begin(pack.manifestBytes, bytes, await this.#deviceOptions()));
        if (file === pack.manifest.tokenizer.file) continue;
        const taken = loader;
        await timed(() => taken.push(file, bytes));
        meter.add('upload', bytes.length, file);
      }
      if (!loader) throw new Error('the pack gave no tokenizer');
      const filled = loader;
      loader = undefined;
      // Consumes it.
      this.#model = await timed(() => filled.finish());
      return spent;
    } finally {
      loader?.free();
      pack.close();
    }
  }

  async #whole(files: Map<string, Uint8Array<ArrayBuffer>>, meter: Meter, started: Promise<unknown>): Promise<number> {
    await started;
    const began = performance.now();
    let before = 0;
    this.#model = await wasm.WasmModel.load(files, await this.#deviceOptions(), (done: number, total: number) => {
      meter.expect('upload', total);
      meter.add('upload', done - before);
      before = done;
    });
    return performance.now() - began;
  }

  async #deviceOptions(): Promise<object> {
    const { device: wanted, dtype, maxBindingMib, asRealGpu } = this.options;
    const adapter = wanted === 'cpu' ? undefined : await findAdapter();
    const device = wanted === 'auto' && (!adapter || adapter.software) ? 'cpu' : wanted;
    if (adapter?.subgroups && !this.#subgroups) requestSubgroups();
    this.#subgroups ||= adapter?.subgroups !== undefined;
    this.#adapter = adapter;
    const { software = false, subgroups } = adapter ?? {};
    return { device, dtype, ...(maxBindingMib !== undefined && { maxBindingMib }), ...(asRealGpu && { asRealGpu }), software, subgroups };
  }
}
