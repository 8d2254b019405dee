// A model in the worker: loaded, asked, and brought back to life when its device goes away. One a worker.

import * as wasm from '../pkg/ocelli.js';
import { type Adapter, findAdapter, requestSubgroups } from './adapter.js';
import { Replay, isLost } from './lost.js';
import type { SentLoadOptions } from './messages.js';
import { tune } from './pack/context.js';
import { readDirectory } from './pack/directory.js';
import { Meter } from './pack/progress.js';
import { openStore } from './store/open.js';
import type { Store } from './store/store.js';
import type { Answer, MemoryUse, ModelInfo, Progress, Timings } from './types.js';

/** What the module knows of an answer; the rest is known here. */
export type RawAnswer = Omit<Answer, 'device' | 'adapter' | 'timings' | 'logits'> & {
  timings: Omit<Timings, 'downloadMs' | 'loadMs'>;
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
  static async load(url: string, options: SentLoadOptions, started: Promise<unknown>, onProgress: (progress: Progress) => void): Promise<Engine> {
    const engine = new Engine(url, options, await openStore(options.cache));
    const meter = new Meter(onProgress);
    const began = performance.now();
    const [files] = await Promise.all([engine.#fetch(meter, false), started]);
    const fetched = performance.now();
    await engine.#open(files, meter);
    engine.#info = engine.#describe(fetched - began, performance.now() - fetched);
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

  /** The logits behind the last token; see the module. */
  logits(): Promise<Float32Array> {
    return this.#model.logits();
  }

  /** A new device, and the weights from where they are kept. */
  async #revive(): Promise<void> {
    this.#model.free();
    const silent = new Meter(() => undefined);
    await this.#open(await this.#fetch(silent, true), silent);
    this.#info = this.#describe(this.#info.downloadMs, this.#info.loadMs);
  }

  /** @param trust use what is kept without asking the server whether it changed */
  #fetch(meter: Meter, trust: boolean): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
    const { url, store, options } = this;
    // Cancelling ends this worker, and all downloads with it.
    const signal = new AbortController().signal;
    return readDirectory({ url, mirrors: options.mirrors, store, tuning: tune({ connections: options.connections }), meter, signal, trust });
  }

  async #open(files: Map<string, Uint8Array<ArrayBuffer>>, meter: Meter): Promise<void> {
    const { device: wanted, dtype, maxBindingMib } = this.options;
    const adapter = wanted === 'cpu' ? undefined : await findAdapter();
    const device = wanted === 'auto' && (!adapter || adapter.software) ? 'cpu' : wanted;
    if (adapter?.subgroups && !this.#subgroups) requestSubgroups();
    this.#subgroups ||= adapter?.subgroups !== undefined;
    let before = 0;
    this.#model = await wasm.WasmModel.load(
      files,
      { device, dtype, ...(maxBindingMib !== undefined && { maxBindingMib }), subgroups: adapter?.subgroups },
      (done: number, total: number) => {
        meter.expect('upload', total);
        meter.add('upload', done - before);
        before = done;
      },
    );
    meter.end('upload');
    meter.end('warmup');
    this.#adapter = adapter;
  }

  #describe(downloadMs: number, loadMs: number): ModelInfo {
    return {
      device: this.#model.device() as ModelInfo['device'],
      adapter: this.#model.adapter() || (this.#adapter?.name ?? ''),
      dtype: this.options.dtype,
      memory: this.#model.memory() as MemoryUse,
      downloadMs,
      loadMs,
    };
  }
}
