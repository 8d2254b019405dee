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
  DeviceChoice,
  DeviceReport,
  Dtype,
  Found,
  GenerateOptions,
  LoadOptions,
  MemoryUse,
  ModelInfo,
  Phase,
  Picture,
  Progress,
  Segment,
  TextOptions,
  Timings,
} from './types.js';
