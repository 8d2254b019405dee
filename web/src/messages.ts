// Everything that crosses between the page and its worker. Both sides match on `type`, and the set is closed.

import type { ErrorRecord } from './errors.js';
import type { Answer, DeviceChoice, DeviceReport, Dtype, ModelInfo, Progress, Vectors } from './types.js';
import type { GenerateOptions, Outcome, Task } from './wire.js';

/** A picture on its way to the worker: addresses are absolute, and bitmaps belong to the message. */
export type SentPicture = Blob | ImageData | ImageBitmap | string;

/** How a model is loaded. */
export interface SentLoadOptions {
  device: DeviceChoice;
  dtype: Dtype;
  maxBindingMib?: number;
  parts?: readonly string[];
  /** Absolute addresses, each with a slash at its end. */
  mirrors: readonly string[];
  connections: number;
  cache: boolean;
  /** The address of a copy of the package, with a slash at its end. */
  assets?: string;
  asRealGpu?: boolean;
}

/** From the page to the worker. `load` or `devices` comes first and once. */
export type ToWorker =
  | { type: 'devices' }
  | { type: 'load'; url: string; options: SentLoadOptions; picture?: SentPicture }
  | { type: 'generate'; id: number; pictures: SentPicture[]; task: Task; options: GenerateOptions; logits: boolean }
  | { type: 'cancel'; id: number };

/** What a task came to that is answered without a word. */
export type Wordless = Extract<Outcome, { type: 'labels' }> | Vectors;

/** From the worker to the page. Each `generate` is answered by pieces and then one `answer` or `failed`. */
export type FromWorker =
  /** The worker runs, and holds the lock of this name for as long as it does. */
  | { type: 'alive'; lock: string }
  | { type: 'devices'; devices: DeviceReport[] }
  | { type: 'progress'; progress: Progress }
  | { type: 'loaded'; info: ModelInfo }
  | { type: 'piece'; id: number; text: string }
  | { type: 'answer'; id: number; answer: Answer | Wordless }
  | { type: 'failed'; id: number; error: ErrorRecord }
  /** Loading failed, or the worker is no longer usable. */
  | { type: 'broken'; error: ErrorRecord };
