// The worker of the second module.

import start, * as wasm from '../pkg/ocelli_extra.js';
import { toRecord } from './errors.js';
import type { ExtraCalls, FromExtra, ToExtra } from './extra.js';

type Answers = { [Name in keyof ExtraCalls]: (given: ExtraCalls[Name]['given']) => ExtraCalls[Name]['gives'] };

/** The indexes that are open, by their numbers. */
const indexes = new Map<number, wasm.WasmIndex>();

function index(number: number): wasm.WasmIndex {
  const found = indexes.get(number);
  if (!found) throw new Error(`index ${number} is not open`);
  return found;
}

const answers: Answers = {
  kernels: () => wasm.kernels(),
  indexOpen: ({ index: number, width, model, file }) => {
    const opened = file ? wasm.WasmIndex.read(new Uint8Array(file)) : new wasm.WasmIndex(width, model);
    indexes.set(number, opened);
    return { model: opened.model(), width: opened.width(), sources: opened.sources() };
  },
  indexAdd: ({ index: number, source, vector }) => index(number).add(source, vector),
  indexRemove: ({ index: number, name }) => index(number).remove(name),
  indexSearch: ({ index: number, vector, top, least }) => index(number).search(vector, top, least),
  indexDoubles: ({ index: number, least }) => index(number).doubles(least),
  indexFile: ({ index: number }) => index(number).write(),
  indexClose: ({ index: number }) => {
    index(number).free();
    indexes.delete(number);
  },
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
