// Pipelines with the arguments and results of transformers.js, so that moving over is a change of one import.

import { badArgument } from './errors.js';
import { load } from './load.js';
import type { Model } from './model.js';
import type { AnswerOptions, Box, DeviceChoice, Dtype, Picture, Progress, Segment } from './types.js';

/** What a pipeline can be made for. */
export type PipelineTask =
  | 'image-to-text'
  | 'visual-question-answering'
  | 'object-detection'
  | 'zero-shot-object-detection'
  | 'image-segmentation';

/** How to load. */
export interface PipelineOptions {
  /** `webgpu` and `wasm` are the names there; `gpu` and `cpu` those of this package. */
  device?: DeviceChoice | 'webgpu' | 'wasm' | null;
  /** `fp32`, `fp16` and `int8` are the names there. */
  dtype?: Dtype | 'fp32' | 'fp16' | 'int8' | null;
  progress_callback?: ((event: ProgressEvent) => void) | null;
}

/** How far loading is; `progress` runs from 0 to 100. */
export interface ProgressEvent {
  readonly status: 'progress' | 'ready';
  readonly name: string;
  readonly file: string;
  readonly progress: number;
  readonly loaded: number;
  readonly total: number;
}

/** How to generate. */
export interface TextOptions {
  max_new_tokens?: number;
  num_beams?: number;
  temperature?: number;
  top_k?: number;
  top_p?: number;
}

/** How to find things. */
export interface FindOptions {
  /** What to look for, where it is not an argument of its own. */
  candidate_labels?: readonly string[];
  /** Leaves out what has a lower score. Default 0. */
  threshold?: number;
  /** At most this many, the surest first. */
  top_k?: number | null;
  /** Boxes from 0 to 1 instead of in pixels. */
  percentage?: boolean;
}

/** A text. */
export type TextOutput = { generated_text: string }[];
/** An answer, and the mean probability of its tokens. */
export type AnswerOutput = { answer: string; score: number }[];
/** A thing with its box. */
export type DetectionOutput = { score: number; label: string; box: Box }[];
/** A thing with a mask of the picture's size: 0 outside, 255 inside. */
export type SegmentationOutput = { score: number | null; label: string; mask: Mask }[];

/** A picture of one channel. */
export interface Mask {
  readonly data: Uint8ClampedArray;
  readonly width: number;
  readonly height: number;
  readonly channels: 1;
}

interface Disposable {
  /** Frees the model. */
  dispose(): Promise<void>;
}

type Batch<I, O> = I extends readonly unknown[] ? O[] : O;

/** The pipeline of each task. */
export interface Pipelines {
  'image-to-text': (<I extends Picture | readonly Picture[]>(image: I, options?: TextOptions) => Promise<Batch<I, TextOutput>>) & Disposable;
  'visual-question-answering': ((image: Picture, question: string, options?: TextOptions) => Promise<AnswerOutput>) & Disposable;
  'object-detection': ((image: Picture, options: FindOptions) => Promise<DetectionOutput>) & Disposable;
  'zero-shot-object-detection': ((image: Picture, labels: string | readonly string[], options?: FindOptions) => Promise<DetectionOutput>) & Disposable;
  'image-segmentation': ((image: Picture, options: FindOptions) => Promise<SegmentationOutput>) & Disposable;
}

/**
 * Makes a pipeline.
 *
 * @param model a pack's or Hugging Face directory's address; without it, the embedded model
 * @throws OcelliError
 */
export async function pipeline<T extends PipelineTask>(task: T, model?: string | null, options: PipelineOptions = {}): Promise<Pipelines[T]> {
  const make = MAKERS[task] as ((model: Model) => (...values: never[]) => Promise<unknown>) | undefined;
  if (!make) throw badArgument(`\`${task}\` is no task of this package`, `Choose one of ${Object.keys(MAKERS).join(', ')}.`);
  const { device, dtype, progress_callback: report } = options;
  const name = model ?? 'embedded';
  const given = {
    ...(device && { device: DEVICES[device] ?? (device as DeviceChoice) }),
    ...(dtype && { dtype: DTYPES[dtype] ?? (dtype as Dtype) }),
    ...(report && { onProgress: (at: Progress) => report({ status: 'progress', name, file: at.file ?? '', progress: 100 * at.fraction, loaded: at.done, total: at.total ?? 0 }) }),
  };
  const loaded = await (model ? load(model, given) : load(given));
  report?.({ status: 'ready', name, file: '', progress: 100, loaded: 0, total: 0 });
  const dispose = async (): Promise<void> => loaded.dispose();
  return Object.assign(make(loaded), { dispose }) as unknown as Pipelines[T];
}

const DEVICES: Record<string, DeviceChoice> = { webgpu: 'gpu', wasm: 'cpu' };
const DTYPES: Record<string, Dtype> = { fp32: 'f32', fp16: 'f16', int8: 'q8' };

const MAKERS = {
  'image-to-text': (model: Model) => async (image: Picture | readonly Picture[], options?: TextOptions) => {
    const one = async (picture: Picture): Promise<TextOutput> => [{ generated_text: (await model.caption(picture, sampling(options))).text }];
    return Array.isArray(image) ? Promise.all(image.map(one)) : one(image as Picture);
  },
  'visual-question-answering': (model: Model) => async (image: Picture, question: string, options?: TextOptions): Promise<AnswerOutput> => {
    const { text, logprobs } = await model.ask(image, question, sampling(options));
    const mean = logprobs.reduce((sum, logprob) => sum + logprob, 0) / Math.max(1, logprobs.length);
    return [{ answer: text, score: Math.exp(mean) }];
  },
  'object-detection': (model: Model) => (image: Picture, options: FindOptions) => detected(model, image, options?.candidate_labels, options),
  'zero-shot-object-detection': (model: Model) => (image: Picture, labels: string | readonly string[], options?: FindOptions) => detected(model, image, labels, options),
  'image-segmentation': (model: Model) => async (image: Picture, options: FindOptions): Promise<SegmentationOutput> => {
    const size = await sizeOf(image);
    const found = await model.segment(image, named(options?.candidate_labels));
    return chosen(found, options).map(({ label, score, mask, origin }) => ({ score, label, mask: whole(size, mask, origin) }));
  },
} satisfies { [T in PipelineTask]: (model: Model) => (...values: never[]) => Promise<unknown> };

async function detected(model: Model, image: Picture, labels: string | readonly string[] | undefined, options: FindOptions | undefined): Promise<DetectionOutput> {
  const size = options?.percentage ? await sizeOf(image) : { width: 1, height: 1 };
  const found = await model.detect(image, named(labels));
  return chosen(found, options).map(({ label, score, box: { xmin, ymin, xmax, ymax } }) => ({
    score, label, box: { xmin: xmin / size.width, ymin: ymin / size.height, xmax: xmax / size.width, ymax: ymax / size.height },
  }));
}

/** Models there know their labels; this one looks for what it is told. */
function named(labels: string | readonly string[] | undefined): string | readonly string[] {
  if (labels !== undefined) return labels;
  throw badArgument('`candidate_labels` is missing', 'Say what to look for, such as { candidate_labels: ["cat", "dog"] }.');
}

function chosen<T extends Segment>(found: readonly T[], { threshold = 0, top_k }: FindOptions = {}): T[] {
  const sure = found.filter(({ score }) => score >= threshold);
  return top_k ? [...sure].sort((a, b) => b.score - a.score).slice(0, top_k) : sure;
}

function sampling(options: TextOptions = {}): AnswerOptions {
  const { max_new_tokens: maxNewTokens, num_beams: beams, temperature, top_k: topK, top_p: topP } = options;
  const given = { maxNewTokens, beams, temperature, topK, topP };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

async function sizeOf(image: Picture): Promise<{ width: number; height: number }> {
  const source = typeof image === 'string' || image instanceof URL ? await (await fetch(image)).blob() : image;
  const bitmap = await createImageBitmap(source);
  const { width, height } = bitmap;
  bitmap.close();
  return { width, height };
}

/** The mask of a box, laid into the picture. */
function whole({ width, height }: { width: number; height: number }, mask: ImageData | undefined, origin = { x: 0, y: 0 }): Mask {
  const data = new Uint8ClampedArray(width * height);
  for (let y = 0; mask && y < mask.height; y++) {
    for (let x = 0; x < mask.width; x++) {
      if (mask.data[4 * (y * mask.width + x) + 3]! >= 128) data[(origin.y + y) * width + origin.x + x] = 255;
    }
  }
  return { data, width, height, channels: 1 };
}
