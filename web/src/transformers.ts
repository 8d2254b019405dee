// Pipelines with the arguments and results of transformers.js, so that moving over is a change of one import.

import { embeddedLabels } from './embedded.js';
import { badArgument } from './errors.js';
import { ReloadingModel } from './reloading-model.js';
import { load } from './load.js';
import type { Model } from './model.js';
import type { AnswerOptions, Box, ClassifyOptions, DeviceChoice, Dtype, Picture, Progress, Segment } from './types.js';

/** What a pipeline can be made for. */
export type PipelineTask =
  | 'image-to-text'
  | 'visual-question-answering'
  | 'object-detection'
  | 'zero-shot-object-detection'
  | 'image-segmentation'
  | 'zero-shot-image-classification'
  | 'image-classification'
  | 'image-feature-extraction';

/** How to load. */
export interface PipelineOptions {
  /** `webgpu` and `wasm` are the names there; `gpu` and `cpu` those of this package. */
  device?: DeviceChoice | 'webgpu' | 'wasm' | null;
  /** `fp32`, `fp16` and `int8` are the names there. */
  dtype?: Dtype | 'fp32' | 'fp16' | 'int8' | null;
  progress_callback?: ((event: ProgressEvent) => void) | null;
  /** See `LoadOptions`. */
  assets?: string | URL;
}

/**
 * How far loading is. Files come together, so `progress` from 0 to 100, `loaded` and `total` in bytes are those of the whole
 * model, and each file is `done` when all are. Small files that come between two events are not told of.
 */
export type ProgressEvent =
  | { readonly status: 'initiate' | 'download' | 'done'; readonly name: string; readonly file: string }
  | { readonly status: 'progress'; readonly name: string; readonly file: string; readonly progress: number; readonly loaded: number; readonly total: number }
  | { readonly status: 'ready'; readonly task: PipelineTask; readonly model: string };

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
  /**
   * What to look for, where it is not an argument of its own. Without it, the embedded model looks for those of its nouns
   * that its own description of the picture names; other models have no list.
   */
  candidate_labels?: readonly string[];
  /**
   * Leaves out what has a lower score. Default 0.5, and 0.1 for `zero-shot-object-detection`. A box to which the embedded
   * model gives 0.5 is as likely right as wrong. For `object-detection` transformers.js begins at 0.9.
   */
  threshold?: number;
  /** From which share on a pixel belongs to a mask. Default 0.5. */
  mask_threshold?: number;
  /** At most this many, the surest first. */
  top_k?: number | null;
  /** Boxes from 0 to 1 instead of in pixels. */
  percentage?: boolean;
}

/** How to tell labels apart. */
export interface ZeroShotOptions {
  /** What labels are put into, at `{}`. Default `This is a photo of {}`, without the full stop that Python's has. */
  hypothesis_template?: string;
}

/** How many labels to tell. */
export interface ClassificationOptions {
  /** The best so many; null for all. Default 5. */
  top_k?: number | null;
}

/** Which features to give. */
export interface FeatureOptions {
  /** One row for the picture, instead of one for each part of it. Default null, which is no. */
  pool?: boolean | null;
}

/** Labels with their scores, best first. */
export type ClassificationOutput = { label: string; score: number }[];

/** Numbers in rows, as transformers.js has them. */
export interface Tensor {
  /** `[1, rows, width]`, pooled `[1, width]`; of several pictures as many in the first place. */
  readonly dims: readonly number[];
  readonly type: 'float32';
  readonly data: Float32Array;
  /** How many numbers there are. */
  readonly size: number;
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

type Images = Picture | readonly Picture[];
/** One result a picture. */
type Batch<I, O> = I extends readonly unknown[] ? O[] : O;

/** The pipeline of each task. */
export interface Pipelines {
  'image-to-text': (<I extends Images>(images: I, options?: TextOptions) => Promise<Batch<I, TextOutput>>) & Disposable;
  'visual-question-answering': (<I extends Images>(images: I, question: string, options?: TextOptions) => Promise<Batch<I, AnswerOutput>>) & Disposable;
  'object-detection': (<I extends Images>(images: I, options?: FindOptions) => Promise<Batch<I, DetectionOutput>>) & Disposable;
  'zero-shot-object-detection': (<I extends Images>(images: I, labels: string | readonly string[], options?: FindOptions) => Promise<Batch<I, DetectionOutput>>) & Disposable;
  'image-segmentation': (<I extends Images>(images: I, options?: FindOptions) => Promise<Batch<I, SegmentationOutput>>) & Disposable;
  'zero-shot-image-classification': (<I extends Images>(images: I, labels: string | readonly string[], options?: ZeroShotOptions) => Promise<Batch<I, ClassificationOutput>>) & Disposable;
  'image-classification': (<I extends Images>(images: I, options?: ClassificationOptions) => Promise<Batch<I, ClassificationOutput>>) & Disposable;
  'image-feature-extraction': ((images: Images, options?: FeatureOptions) => Promise<Tensor>) & Disposable;
}

/**
 * Makes a pipeline. Where its model breaks down, the next call loads it anew.
 *
 * @param model a pack's or Hugging Face directory's address; without it, the embedded model
 * @throws OcelliError
 */
export async function pipeline<T extends PipelineTask>(task: T, model?: string | null, options: PipelineOptions = {}): Promise<Pipelines[T]> {
  const make = MAKERS[task] as ((model: Model, nouns: Nouns) => (...values: never[]) => Promise<unknown>) | undefined;
  if (!make) throw badArgument(`\`${task}\` is no task of this package`, `Choose one of ${Object.keys(MAKERS).join(', ')}.`);
  const { device, dtype, assets, progress_callback: report } = options;
  const name = model ?? 'embedded';
  const given = {
    ...(device && { device: DEVICES[device] ?? (device as DeviceChoice) }),
    ...(dtype && { dtype: DTYPES[dtype] ?? (dtype as Dtype) }),
    ...(assets !== undefined && { assets }),
  };
  const nouns = model ? undefined : () => embeddedLabels(assets);
  const reloading = new ReloadingModel(async () => {
    const reporter = report ? new Reporter(name, report) : undefined;
    const told = { ...given, ...(reporter && { onProgress: (at: Progress) => reporter.add(at) }) };
    const loaded = await (model ? load(model, told) : load(told));
    reporter?.end();
    report?.({ status: 'ready', task, model: name });
    return loaded;
  });
  await reloading.get();
  const call = async (...values: never[]): Promise<unknown> => make(await reloading.get(), nouns)(...values);
  const dispose = async (): Promise<void> => reloading.dispose();
  return Object.assign(call, { dispose }) as unknown as Pipelines[T];
}

/** Tells of loading as it is told there, file by file. */
class Reporter {
  readonly #files = new Set<string>();
  #file: string | undefined;

  constructor(readonly name: string, readonly report: (event: ProgressEvent) => void) {}

  add({ file = this.#file, fraction, done, total }: Progress): void {
    if (file === undefined) return;
    const { name } = this;
    this.#file = file;
    if (!this.#files.has(file)) {
      this.#files.add(file);
      this.report({ status: 'initiate', name, file });
      this.report({ status: 'download', name, file });
    }
    this.report({ status: 'progress', name, file, progress: 100 * fraction, loaded: done, total: total ?? 0 });
  }

  end(): void {
    for (const file of this.#files) this.report({ status: 'done', name: this.name, file });
  }
}

const DEVICES: Record<string, DeviceChoice> = { webgpu: 'gpu', wasm: 'cpu' };
const DTYPES: Record<string, Dtype> = { fp32: 'f32', fp16: 'f16', int8: 'q8' };

/**
 * Where to begin to believe a score. Those of the embedded model are calibrated: what has this one is as often right as
 * wrong. The 0.9 of transformers.js is for scores of another kind, and would leave out most of what is right here.
 */
const SURE = 0.5;

/** The things that a model can name, where it has a list of them. */
type Nouns = (() => Promise<readonly string[]>) | undefined;

const MAKERS = {
  'image-to-text': (model: Model) => (images: Images, options?: TextOptions) =>
    each(images, async (image): Promise<TextOutput> => [{ generated_text: (await model.caption(image, sampling(options))).text }]),
  'visual-question-answering': (model: Model) => (images: Images, question: string, options?: TextOptions) =>
    each(images, async (image): Promise<AnswerOutput> => {
      const { text, logprobs } = await model.ask(image, question, sampling(options));
      const mean = logprobs.reduce((sum, logprob) => sum + logprob, 0) / Math.max(1, logprobs.length);
      return [{ answer: text, score: Math.exp(mean) }];
    }),
  'object-detection': (model: Model, nouns: Nouns) => (images: Images, options?: FindOptions) =>
    each(images, async (image) => detected(model, image, options?.candidate_labels ?? (await named(model, image, nouns)), { threshold: SURE, ...options })),
  'zero-shot-object-detection': (model: Model) => (images: Images, labels: string | readonly string[], options?: FindOptions) =>
    each(images, async (image) => (await detected(model, image, labels, { threshold: 0.1, ...options })).sort((a, b) => b.score - a.score)),
  'image-segmentation': (model: Model, nouns: Nouns) => (images: Images, options?: FindOptions) =>
    each(images, async (image): Promise<SegmentationOutput> => {
      const found = await model.segment(image, options?.candidate_labels ?? (await named(model, image, nouns)));
      const size = await sizeOf(image);
      const least = 255 * (options?.mask_threshold ?? 0.5);
      return chosen(found, { threshold: SURE, ...options }).map(({ label, score, mask, origin }) => ({ score, label, mask: whole(size, mask, origin, least) }));
    }),
  'zero-shot-image-classification': (model: Model) => (images: Images, labels: string | readonly string[], options?: ZeroShotOptions) =>
    each(images, (image) => classified(model, image, labels, { template: options?.hypothesis_template ?? 'This is a photo of {}' })),
  'image-classification': (model: Model) => (images: Images, options?: ClassificationOptions) =>
    each(images, (image) => classified(model, image, [], { topK: options?.top_k === null ? ALL : (options?.top_k ?? 5) })),
  'image-feature-extraction': (model: Model) => async (images: Images, options?: FeatureOptions): Promise<Tensor> => {
    const rows: { rows: number; width: number; values: Float32Array }[] = [];
    for (const image of (Array.isArray(images) ? images : [images]) as readonly Picture[]) {
      const pooled = options?.pool ? await model.embed({ image }, { normalize: false }) : undefined;
      rows.push(pooled ? { rows: 1, width: pooled.length, values: pooled } : await model.features(image));
    }
    return tensor(rows, Boolean(options?.pool));
  },
} satisfies { [T in PipelineTask]: (model: Model, nouns: Nouns) => (...values: never[]) => Promise<unknown> };

/** More labels than any model has. */
const ALL = 2 ** 31;

async function classified(model: Model, image: Picture, labels: string | readonly string[], options: ClassifyOptions): Promise<ClassificationOutput> {
  const { labels: found } = await model.classify(image, labels, options);
  return found.map(({ label, score }) => ({ label, score }));
}

/**
 * Features of pictures as one tensor.
 * @throws OcelliError where pictures of other proportions have other numbers of rows
 */
function tensor(pictures: readonly { rows: number; width: number; values: Float32Array }[], pooled: boolean): Tensor {
  const { rows, width } = pictures[0] ?? { rows: 0, width: 0 };
  if (pictures.some((picture) => picture.rows !== rows)) throw badArgument('the pictures have other proportions, and so other numbers of rows', 'Give one picture at a time.');
  const data = new Float32Array(pictures.length * rows * width);
  pictures.forEach(({ values }, n) => data.set(values, n * rows * width));
  return { dims: pooled ? [pictures.length, width] : [pictures.length, rows, width], type: 'float32', data, size: data.length };
}

/** A result of one picture, or a list of results of a list. */
async function each<O>(images: Images, one: (image: Picture) => Promise<O>): Promise<O | O[]> {
  return Array.isArray(images) ? Promise.all(images.map(one)) : one(images as Picture);
}

async function detected(model: Model, image: Picture, labels: string | readonly string[], options: FindOptions): Promise<DetectionOutput> {
  const found = await model.detect(image, labels);
  const size = options.percentage ? await sizeOf(image) : { width: 1, height: 1 };
  return chosen(found, options).map(({ label, score, box: { xmin, ymin, xmax, ymax } }) => ({
    score, label, box: { xmin: xmin / size.width, ymin: ymin / size.height, xmax: xmax / size.width, ymax: ymax / size.height },
  }));
}

/**
 * What to look for where nothing is said: the model finds whatever it is told to, so it is told what it sees itself.
 * @throws OcelliError where the model has no list of nouns
 */
async function named(model: Model, image: Picture, nouns: Nouns): Promise<readonly string[]> {
  if (!nouns) throw badArgument('`candidate_labels` is missing, and only the embedded model has nouns of its own', 'Say what to look for, such as { candidate_labels: ["cat", "dog"] }.');
  const [all, { text }] = await Promise.all([nouns(), model.describe(image)]);
  const words = new Set(text.toLowerCase().match(/\p{L}+/gu)?.flatMap((word) => [word, word.replace(/s$/, ''), word.replace(/es$/, '')]));
  return all.filter((noun) => words.has(noun));
}

function chosen<T extends Segment>(found: readonly T[], { threshold = 0, top_k }: FindOptions): T[] {
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
function whole({ width, height }: { width: number; height: number }, mask: ImageData | undefined, origin = { x: 0, y: 0 }, least: number): Mask {
  const data = new Uint8ClampedArray(width * height);
  for (let y = 0; mask && y < mask.height; y++) {
    for (let x = 0; x < mask.width; x++) {
      if (mask.data[4 * (y * mask.width + x) + 3]! >= least) data[(origin.y + y) * width + origin.x + x] = 255;
    }
  }
  return { data, width, height, channels: 1 };
}
