// What callers give and get. Numbers about a model come from the model itself, never from here.

/** How weights are kept: quantised while loading where the files hold wider ones. */
export type Dtype = 'f32' | 'f16' | 'q8' | 'q4';

/** `auto` takes WebGPU on a real GPU, and the CPU where there is none or only a software adapter. */
export type DeviceChoice = 'auto' | 'gpu' | 'cpu';

/** The parts of loading: fetching files, then preparing weights on the device. */
export interface Progress {
  readonly phase: 'download' | 'prepare';
  /** Bytes so far. */
  readonly done: number;
  /** Bytes in all, where they are known. */
  readonly total: number | undefined;
  /** The file being fetched. */
  readonly file?: string;
}

/** How to load a model. */
export interface LoadOptions {
  /** Default `auto`. */
  device?: DeviceChoice;
  /** Default `q8`. */
  dtype?: Dtype;
  /** Lowers the largest storage binding, in MiB, to behave like a smaller device. */
  maxBindingMib?: number;
  /** Called while files arrive and weights are prepared. */
  onProgress?: (progress: Progress) => void;
  /** Stops loading: the promise rejects with `OCELLI_CANCELLED`. */
  signal?: AbortSignal;
}

/** A picture: a file or other blob, pixels, a bitmap, or the address of a file. */
export type Picture = Blob | ImageData | ImageBitmap | URL | string;

/** What to generate. */
export interface GenerateOptions {
  /** One picture, or several in the order in which the model sees them. */
  image: Picture | readonly Picture[];
  /** What to ask, such as `caption en`. */
  prompt: string;
  /** At most this many tokens. Default 128. */
  maxNewTokens?: number;
  /** 0 (default) always takes the likeliest token; higher values draw more freely. */
  temperature?: number;
  /** Draw among this many likeliest tokens, at most 64; 0 among all. Default 50. */
  topK?: number;
  /** Draw among the likeliest tokens that together have this probability. Default 1. */
  topP?: number;
  /** The same seed gives the same draws on every device. Default 0. */
  seed?: number;
  /** Beam search with this many beams. Default 1. */
  beams?: number;
  /** Texts that end the answer; they are not part of it. */
  stop?: readonly string[];
  /** Also return the logits at the last prompt position. Needs `maxNewTokens: 1`. */
  logits?: boolean;
  /** Stops generating: the promise rejects with `OCELLI_CANCELLED`. */
  signal?: AbortSignal;
}

/** Where time went, in milliseconds. */
export interface Timings {
  /** Fetching the model's files. */
  readonly downloadMs: number;
  /** Opening the device and preparing weights on it. */
  readonly loadMs: number;
  /** Decoding, resizing and normalising the pictures. */
  readonly imageMs: number;
  /** The vision tower and the projector. */
  readonly encodeMs: number;
  /** One pass over picture and prompt. */
  readonly prefillMs: number;
  /** Each further token, on average. */
  readonly decodeMsPerToken: number;
}

/** Bytes held on the device. */
export interface MemoryUse {
  readonly weightsBytes: number;
  readonly kvBytes: number;
  readonly activationBytes: number;
}

/** A finished answer. */
export interface Answer {
  readonly text: string;
  /** The tokens' ids, with the final end token where there is one. */
  readonly tokens: readonly number[];
  /** The natural logarithm of each token's probability. */
  readonly logprobs: readonly number[];
  /** Why it ended: the end token, a stop text, or the allowed length. */
  readonly finish: 'eos' | 'stop' | 'length';
  /** The ids behind the picture's own slots. */
  readonly promptTokens: readonly number[];
  readonly device: 'gpu' | 'cpu';
  readonly adapter: string;
  readonly timings: Timings;
  readonly memory: MemoryUse;
  /** Where they were asked for: one number an entry of the vocabulary. */
  readonly logits?: Float32Array;
}

/** What a loaded model runs on. */
export interface ModelInfo {
  readonly device: 'gpu' | 'cpu';
  readonly adapter: string;
  readonly dtype: Dtype;
  readonly memory: MemoryUse;
  readonly downloadMs: number;
  readonly loadMs: number;
}

/** A device that a model can be loaded on. */
export interface DeviceReport {
  readonly device: 'gpu' | 'cpu';
  readonly name: string;
  /** Runs on the CPU behind a graphics interface: slower than the CPU device, never chosen by `auto`. */
  readonly software: boolean;
  /** The one that `auto` takes. */
  readonly automatic: boolean;
}
