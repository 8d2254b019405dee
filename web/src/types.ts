// What callers give and get. Numbers about a model come from the model itself, never from here; what crosses to the module
// and back is declared in Rust, see wire.ts.

import type { AnswerTimings, Classify, FoundObject, GenerateOptions as Generating, Generated, Generation, LabelScore, MemoryUse } from './wire.js';

export type { Box, LabelScore, MemoryUse } from './wire.js';

/** How weights are kept: quantised while loading where the files hold wider ones. */
export type Dtype = 'f32' | 'f16' | 'q8' | 'q4';

/** `auto` takes WebGPU on a real GPU, and the CPU where there is none or only a software adapter. */
export type DeviceChoice = 'auto' | 'gpu' | 'cpu';

/** The parts of loading, in order: another tab's download is waited for, files are fetched, their checksums are checked, weights
 * are put on the device, and its programs are made ready. They overlap; the earliest that is not finished is named. */
export type Phase = 'wait' | 'download' | 'verify' | 'upload' | 'warmup';

/** How far loading has come. From event to event the phase, `done` within a phase, and `fraction` never go back. */
export interface Progress {
  readonly phase: Phase;
  /** Bytes of this phase so far. */
  readonly done: number;
  /** Bytes of this phase in all, where they are known. */
  readonly total: number | undefined;
  /** Bytes a second over the last moments. */
  readonly rate: number | undefined;
  /** Seconds until this phase ends, at that rate. */
  readonly secondsLeft: number | undefined;
  /** The share of the whole load that is done, from 0 to 1: roughly, since phases differ in speed. */
  readonly fraction: number;
  /** The file being worked on. */
  readonly file?: string;
}

/** A model that is kept on this machine. */
export interface CachedPack {
  /** The address it was loaded from: of its directory. */
  readonly url: string;
  /** Bytes that it takes now; fewer than the model has where its download has not ended. */
  readonly bytes: number;
  /** When it was last loaded, in milliseconds since 1970; 0 where that is not known. */
  readonly lastUsed: number;
}

/** How to load a model. */
export interface LoadOptions {
  /** Default `auto`. */
  device?: DeviceChoice;
  /** Default `q8`. */
  dtype?: Dtype;
  /**
   * The parts of a pack to load, such as `['text']` of a SigLIP whose pictures are embedded already: only their files are
   * fetched, and the model can do what they can. Default all; `ocelli inspect` lists them.
   */
  parts?: readonly string[];
  /** Lowers the largest storage binding, in MiB, to behave like a smaller device. */
  maxBindingMib?: number;
  /** Further directories with the same files, tried where the first fails. */
  mirrors?: readonly (string | URL)[];
  /** Files fetched at the same time. Default 4. */
  connections?: number;
  /** Keep the files on this machine, so that the next load needs no network. Default true. */
  cache?: boolean;
  /** Work in a worker of the model's own, so that the page stays quick. Default true; false works in the page. */
  worker?: boolean;
  /**
   * The address of a copy of the package's folder, for bundlers that leave its worker, its module and the embedded model
   * behind: `/ocelli/` has `/ocelli/dist/worker.js`. Default: beside the script, or where the bundler put them.
   */
  assets?: string | URL;
  /**
   * A picture that will be asked about first: the vision encoder takes it while the decoder's weights are on their way, and the
   * first question about it starts that much sooner. For packs; what is wrong with it is told by that question.
   */
  image?: Picture;
  /** Chooses kernels as for a real GPU, even on a software adapter, where they are slow: for tests. */
  asRealGpu?: boolean;
  /** Called while files arrive and weights are prepared. */
  onProgress?: (progress: Progress) => void;
  /** Stops loading: the promise rejects with `OCELLI_CANCELLED`. */
  signal?: AbortSignal;
}

/** A picture: a file or other blob, pixels, a bitmap, what a page shows, or the address of a file. */
export type Picture =
  | Blob
  | ImageData
  | ImageBitmap
  | HTMLImageElement
  | HTMLCanvasElement
  | OffscreenCanvas
  | HTMLVideoElement
  | VideoFrame
  | URL
  | string;

/** How to answer. */
export interface AnswerOptions extends Generating {
  /** Stops generating: the promise rejects with `OCELLI_CANCELLED`. */
  signal?: AbortSignal;
}

/** What to generate. */
export interface GenerateOptions extends AnswerOptions {
  /** One picture, or several in the order in which the model sees them. */
  image: Picture | readonly Picture[];
  /** What to ask, such as `caption en`. */
  prompt: string;
  /** Also return the logits at the last prompt position. Needs `maxNewTokens: 1`. */
  logits?: boolean;
}

/** How to answer in words. */
export interface TextOptions extends AnswerOptions {
  /** The language's code, where the model speaks it. Default `en`. */
  language?: string;
}

/** A thing found in a picture. */
export interface Found extends Omit<FoundObject, 'mask'> {}

/** A thing found in a picture, with its outline. */
export interface Segment extends Found {
  /**
   * White pixels whose alpha says how much of each belongs to the thing. It covers the box alone: lay its upper left
   * corner on `origin`. Missing where the model gave no outline, or has no decoder for it.
   */
  readonly mask?: ImageData;
  /** Where the mask begins, in whole pixels of the picture. */
  readonly origin?: { readonly x: number; readonly y: number };
}

/** Where time went, in milliseconds. */
export interface Timings extends AnswerTimings {
  /** Fetching the model's files. */
  readonly downloadMs: number;
  /** Opening the device and preparing weights on it. */
  readonly loadMs: number;
}

/** A finished answer. */
export interface Answer extends Generation, Omit<Generated, 'generation' | 'timings'> {
  readonly device: 'gpu' | 'cpu';
  readonly adapter: string;
  readonly timings: Timings;
  readonly memory: MemoryUse;
  /** What was found, for `detect` and `segment`. */
  readonly objects: readonly Segment[];
  /** Objects that the model began and did not end well; they were left out. */
  readonly dropped: number;
  /** Where they were asked for: one number an entry of the vocabulary. */
  readonly logits?: Float32Array;
}

/** How to tell labels apart. */
export interface ClassifyOptions extends Omit<Classify, 'labels'> {
  /** Stops it: the promise rejects with `OCELLI_CANCELLED`. */
  signal?: AbortSignal;
}

/** Labels with their scores, best first. */
export interface Labelled {
  readonly labels: readonly LabelScore[];
  /** What is to be known about them, such as labels that were cut. */
  readonly warnings: readonly string[];
}

/** How to make vectors. */
export interface EmbedOptions {
  /** Give vectors of length 1, whose products are their cosines. Default true; false leaves them as the model does. */
  normalize?: boolean;
  /** Stops it: the promise rejects with `OCELLI_CANCELLED`. */
  signal?: AbortSignal;
}

/** Rows of numbers. */
export interface Vectors {
  readonly rows: number;
  /** Numbers of each row. */
  readonly width: number;
  /** The rows one after the other. */
  readonly values: Float32Array;
  /** What is to be known about them, such as texts that were cut. */
  readonly warnings: readonly string[];
}

/** What a loaded model is, and what it runs on. */
export interface ModelInfo {
  /** What it is, such as `paligemma`. */
  readonly architecture: string;
  /** The tasks that it can do, by the names of their methods. */
  readonly tasks: readonly string[];
  /** What it is known by, whatever its dtype: vectors of another model cannot be compared with those of this one. */
  readonly checksum: string;
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
