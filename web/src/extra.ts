// What few pages ask for: a second module, fetched only then, in a worker and a memory of its own.

import { startElsewhere } from './elsewhere.js';
import { type ErrorRecord, makeError } from './errors.js';

/** A kernel as a browser is given it. */
export interface KernelText {
  readonly name: string;
  readonly wgsl: string;
  readonly readOnly: readonly boolean[];
  readonly hasParams: boolean;
  readonly usesStep: boolean;
  readonly shaderF16: boolean;
  readonly subgroups: boolean;
}

/** What a vector of an index was made of. */
export interface IndexSource {
  /** Its name, such as a path. */
  readonly name: string;
  /** Bytes of the file. */
  readonly size: number;
  /** When it was changed last, in milliseconds since 1970. */
  readonly modified: number;
}

/** The model that made the vectors of an index: those of another cannot be compared with them. */
export interface IndexModel {
  readonly checksum: string;
  readonly dtype: string;
}

/** An index as the page sees it. */
export interface IndexState {
  readonly model: IndexModel;
  readonly width: number;
  readonly sources: readonly IndexSource[];
}

/** A vector that was found. */
export interface Hit {
  /** What it was made of. */
  readonly source: string;
  /** The cosine, from -1 to 1. */
  readonly score: number;
}

/** What the second module can do. Buffers belong to the call; arrays come back as their own. */
export interface ExtraCalls {
  kernels: { given: object; gives: KernelText[] };
  /** Opens the index of a number from its file, or a new one. The other calls are about the open one. */
  indexOpen: { given: { index: number; width: number; model: IndexModel; file?: ArrayBuffer | undefined }; gives: IndexState };
  indexAdd: { given: { index: number; source: IndexSource; vector: Float32Array }; gives: boolean };
  indexRemove: { given: { index: number; name: string }; gives: boolean };
  indexSearch: { given: { index: number; vector: Float32Array; top: number; least: number }; gives: Hit[] };
  indexDoubles: { given: { index: number; least: number }; gives: string[][] };
  indexFile: { given: { index: number }; gives: Uint8Array };
  indexClose: { given: { index: number }; gives: void };
  /** The ids of texts by a tokenizer's file; `bos` and `image` are the ids that the model's configuration tells. */
  encode: { given: { file: ArrayBuffer; bos: number; image: number; texts: readonly string[] }; gives: Uint32Array[] };
}

/** From the page to the worker. */
export type ToExtra = { [Name in keyof ExtraCalls]: { id: number; name: Name; given: ExtraCalls[Name]['given'] } }[keyof ExtraCalls];

/** From the worker to the page: one a call. */
export type FromExtra = { id: number; value: unknown } | { id: number; error: ErrorRecord };

/** The second module. Nothing of it is fetched before this is made. */
export class Extra {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: unknown) => void }>();
  #calls = 0;

  /** @param assets the address of a copy of the package, with a slash at its end */
  constructor(assets?: string) {
    // As in start.ts, but here: a page without it must not carry the worker along.
    this.#worker = startElsewhere('extra-worker.js', assets) ?? new Worker(new URL('./extra-worker.js', import.meta.url), { type: 'module', name: 'ocelli-extra' });
    this.#worker.onmessage = ({ data }: MessageEvent<FromExtra>) => {
      const waiting = this.#waiting.get(data.id);
      this.#waiting.delete(data.id);
      if ('error' in data) waiting?.reject(makeError(data.error));
      else waiting?.resolve(data.value);
    };
    this.#worker.onerror = ({ message }) => this.#fail({ code: 'OCELLI_INTERNAL', message: `the second module stopped: ${message}`, remedy: 'Serve the whole package, or report this as a defect of ocelli.' });
  }

  call<Name extends keyof ExtraCalls>(name: Name, given: ExtraCalls[Name]['given'], transfer: Transferable[] = []): Promise<ExtraCalls[Name]['gives']> {
    const id = ++this.#calls;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      this.#worker.postMessage({ id, name, given }, transfer);
    });
  }

  /** Ends the worker and frees its memory. */
  close(): void {
    this.#worker.terminate();
    this.#fail({ code: 'OCELLI_CANCELLED', message: 'the call was cancelled', remedy: 'Start it again.' });
  }

  #fail(error: ErrorRecord): void {
    for (const { reject } of this.#waiting.values()) reject(makeError(error));
    this.#waiting.clear();
  }
}
