/** Vision-language models that run in a browser tab. */

export { cache } from './cache.js';
export { devices, load } from './load.js';
export { Model } from './model.js';
export { Run } from './run.js';
export {
  ArgumentError,
  CancelledError,
  DeviceError,
  type ErrorCode,
  type ErrorDetails,
  InternalError,
  ModelError,
  OcelliError,
  PictureError,
  StorageError,
} from './errors.js';
export type {
  Answer,
  AnswerOptions,
  Box,
  CachedPack,
  ClassifyOptions,
  DeviceChoice,
  DeviceReport,
  Dtype,
  EmbedOptions,
  Found,
  GenerateOptions,
  LabelScore,
  Labelled,
  LoadOptions,
  MemoryUse,
  ModelInfo,
  Phase,
  Picture,
  Progress,
  Segment,
  TextOptions,
  Timings,
  Vectors,
} from './types.js';
