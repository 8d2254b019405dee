// What crosses between page and module. Made of the Rust types by src/tasks/tests/wire.rs, which says how.

/** What is asked about a picture: the page's request and the command line's subcommand are read from this one
 * declaration. How it is asked is the model's own business, see its recipes. */
export type Task = { 'prompt': {
  /** Such as `caption en`. */
  text: string;
} } | { 'caption': {
  /** The code of the answer's language, such as `en`, where the model speaks it. */
  language: string;
} } | { 'describe': {
  /** The code of the answer's language, such as `en`, where the model speaks it. */
  language: string;
} } | { 'ask': {
  /** The code of the answer's language, such as `en`, where the model speaks it. */
  language: string;
  /** The question. */
  question: string;
} } | 'ocr' | { 'detect': {
  /** What to look for, a name each. */
  labels: readonly string[];
} } | { 'segment': {
  /** What to look for, a name each. */
  labels: readonly string[];
} } | { 'classify': Classify } | { 'embed': {
  /** The texts; pictures come beside the request. */
  texts: readonly string[];
} } | 'features';

/** Labels, and how they are told apart. */
export interface Classify {
  /** What to choose among. A model with labels of its own needs none. */
  labels?: readonly string[];
  /** What labels are put into, at `{}`, for models that compare pictures with texts. Default `This is a photo of {}.` */
  template?: string;
  /** What a model that writes is asked; the labels are scored as its answer. Default the model's own question. */
  prompt?: string;
  /** Score each label by itself: several may be true of one picture. */
  multi?: boolean;
  /** Tell the best so many. Default all that were given, or 5 of the model's own. */
  topK?: number;
}

/** How an answer is generated. The command line's arguments and the page's options are read from this one declaration. */
export interface GenerateOptions {
  /** At most this many tokens. Default 128, and more for tasks that need more. */
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
  /** Keep what `detect` and `segment` find well-formed, drawn tokens too, but not those of beams. Default true. */
  constrained?: boolean;
}

/** What a task came to, as both edges tell it. */
export interface TaskResult {
  /** What the task was for. */
  readonly outcome: Outcome;
  /** Bytes held on the device. */
  readonly memory: MemoryUse;
}

/** What a task was for: a kind of result a variant. */
export type Outcome = { type: 'text';
  /** The words. */
  readonly answer: Generated;
} | { type: 'objects';
  /** The words that they were read from. */
  readonly answer: Generated;
  /** What was found, in the model's order. */
  readonly objects: readonly FoundObject[];
  /** Objects that the model began and did not end well; they were left out. */
  readonly dropped: number;
} | { type: 'labels';
  /** Labels with their scores, best first. */
  readonly labels: readonly LabelScore[];
  /** What is to be known about them, such as labels that were cut. */
  readonly warnings: readonly string[];
} | { type: 'embeddings';
  /** How many. */
  readonly count: number;
  /** Values of each. */
  readonly width: number;
  /** What is to be known about them, such as texts that were cut. */
  readonly warnings: readonly string[];
} | { type: 'features';
  /** Rows, one for each part of the picture. */
  readonly rows: number;
  /** Values of each. */
  readonly width: number;
};

/** What a model answers in words. */
export interface Generated {
  /** Text, tokens and why it ended. */
  readonly generation: Generation;
  /** The ids after the picture's own slots. */
  readonly promptTokens: readonly number[];
  /** Where the time went. */
  readonly timings: AnswerTimings;
}

/** What was generated. */
export interface Generation {
  /** The text, without what ended it. */
  readonly text: string;
  /** The tokens' ids, with the final end token where there is one. */
  readonly tokens: readonly number[];
  /** The natural logarithm of each token's probability, before temperature and cuts. */
  readonly logprobs: readonly number[];
  /** Why it ended: the end token, a stop text, or the allowed length. */
  readonly finish: 'eos' | 'stop' | 'length';
}

/** Where the time of an answer went, in milliseconds. */
export interface AnswerTimings {
  /** Decoding, resizing and normalising the pictures. */
  readonly imageMs: number;
  /** The vision encoder and the projector. */
  readonly encodeMs: number;
  /** One pass over picture and prompt. */
  readonly prefillMs: number;
  /** Each further token, on average. */
  readonly decodeMsPerToken: number;
}

/** Bytes held on the device. */
export interface MemoryUse {
  /** Weights with their scales and padding. */
  readonly weightsBytes: number;
  /** Keys and values of all layers, for every slot and position that is reserved. */
  readonly kvBytes: number;
  /** Scratch, inputs and results. */
  readonly activationBytes: number;
}

/** A thing found in a picture. */
export interface FoundObject {
  /** What it is, in the model's words. */
  readonly label: string;
  /** How sure the model is of the box, from 0 to 1. */
  readonly score: number;
  /** Where it is. */
  readonly box: Box;
  /** Its mask, where the model came with a decoder of masks. */
  readonly mask?: Mask;
}

/** How well a label fits a picture. */
export interface LabelScore {
  /** The label as it was given, or as the model calls it. */
  readonly label: string;
  /** How likely it is, from 0 to 1. */
  readonly score: number;
  /** What the score is made of. */
  readonly logit: number;
}

/** Edges in pixels of the picture given: `xmin < xmax`, `ymin < ymax`. */
export interface Box {
  /** Left edge. */
  readonly xmin: number;
  /** Upper edge. */
  readonly ymin: number;
  /** Right edge. */
  readonly xmax: number;
  /** Lower edge. */
  readonly ymax: number;
}

/** A soft mask over the part of a picture that its box covers. */
export interface Mask {
  /** Pixels left of the mask. */
  readonly left: number;
  /** Pixels above the mask. */
  readonly top: number;
  /** Pixels from left to right. */
  readonly width: number;
  /** Pixels from top to bottom. */
  readonly height: number;
  /** How much of each pixel belongs to the thing, row by row: 0 nothing, 255 all. */
  readonly alpha: Uint8Array;
}
