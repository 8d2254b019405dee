// The worker of the second module.

import start, * as wasm from '../pkg/ocelli_extra.js';
import { toRecord } from './errors.js';
import type { ExtraCalls, FromExtra, ToExtra } from './extra.js';

type Answers = { [Name in keyof ExtraCalls]: (given: ExtraCalls[Name]['given']) => ExtraCalls[Name]['gives'] };

const answers: Answers = {
  kernels: () => wasm.kernels(),
  encode: ({ file, bos, image, texts }) => {
    const tokenizer = new wasm.WasmTokenizer(new Uint8Array(file), bos, image);
    try {
      return texts.map((text) => tokenizer.encode(text));
    } finally {
      tokenizer.free();
    }
  },
};

const started = start();

self.onmessage = async ({ data: { id, name, given } }: MessageEvent<ToExtra>) => {
  const post = (message: FromExtra, transfer: Transferable[] = []) => self.postMessage(message, { transfer });
  try {
    await started;
    const value = (answers[name] as (given: object) => unknown)(given);
    post({ id, value }, buffersOf(value));
  } catch (error) {
    post({ id, error: toRecord(error) });
  }
};

/** Tensors cross without being copied. */
function buffersOf(value: unknown): ArrayBuffer[] {
  const all = Array.isArray(value) ? value : [value];
  return all.filter(ArrayBuffer.isView).map(({ buffer }) => buffer as ArrayBuffer);
}
