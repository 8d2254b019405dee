/** Vision-language models that run in a browser tab. */

export { devices, load } from './load.js';
export { Model } from './model.js';
export { Run } from './run.js';
export {
  ArgumentError,
  CancelledError,
  DeviceError,
  type ErrorCode,
  InternalError,
  ModelError,
  OcelliError,
  PictureError,
} from './errors.js';
export type {
  Answer,
  DeviceChoice,
  DeviceReport,
  Dtype,
  GenerateOptions,
  LoadOptions,
  MemoryUse,
  ModelInfo,
  Picture,
  Progress,
  Timings,
} from './types.js';
