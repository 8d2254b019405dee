// Every failure is an OcelliError with a stable code, a remedy, and where there is one the cause.

import type { CachedPack, Dtype } from './types.js';

/** The stable codes, the same as in the command line's JSON; those of downloads and storage are the browser's own. */
export type ErrorCode =
  | 'OCELLI_NOT_FOUND'
  | 'OCELLI_BAD_MODEL_FILE'
  | 'OCELLI_BAD_CONFIG'
  | 'OCELLI_UNSUPPORTED'
  | 'OCELLI_BAD_TOKENIZER'
  | 'OCELLI_BAD_IMAGE'
  | 'OCELLI_BAD_ARGUMENT'
  | 'OCELLI_NO_DEVICE'
  | 'OCELLI_DEVICE_LIMIT'
  | 'OCELLI_OUT_OF_MEMORY'
  | 'OCELLI_DEVICE_LOST'
  | 'OCELLI_CANCELLED'
  | 'OCELLI_IO'
  | 'OCELLI_BAD_DOWNLOAD'
  | 'OCELLI_NO_SPACE'
  | 'OCELLI_CACHE'
  | 'OCELLI_INTERNAL';

/** What an error is about, in figures, where there is something to act on. */
export interface ErrorDetails {
  /** The file that could not be had. */
  readonly file?: string;
  /** Bytes that are needed. */
  readonly needed?: number;
  /** Bytes that there are. */
  readonly available?: number;
  /** A dtype whose weights would fit. */
  readonly fits?: Dtype;
  /** Bytes of the weights in it. */
  readonly fitsBytes?: number;
  /** Kept packs whose deletion would make room, the least recently used first. */
  readonly offer?: readonly CachedPack[];
}

/** An error as it crosses from the worker to the page. */
export interface ErrorRecord {
  readonly code: ErrorCode;
  readonly message: string;
  readonly remedy: string;
  readonly details?: ErrorDetails;
  readonly cause?: CauseRecord;
}

/** What lay behind an error, as it crosses: of errors of any class, these are left. */
export interface CauseRecord {
  readonly name: string;
  readonly message: string;
  readonly stack?: string | undefined;
}

/** The base of all errors of this package. */
export class OcelliError extends Error {
  override readonly name: string = 'OcelliError';
  /** Tells kinds of failure apart; never changes between versions. */
  readonly code: ErrorCode;
  /** One sentence: what can be done about it. */
  readonly remedy: string;
  /** What can be acted on, where there is anything. */
  readonly details: ErrorDetails | undefined;

  /** @internal Errors are made by this package. */
  constructor(record: Omit<ErrorRecord, 'cause'>, cause?: unknown) {
    super(record.message, cause === undefined ? undefined : { cause });
    this.code = record.code;
    this.remedy = record.remedy;
    this.details = record.details;
  }
}

/** The model's files are missing, broken, contradict each other or cannot be run. */
export class ModelError extends OcelliError {
  override readonly name = 'ModelError';
}

/** There is no room to keep the model, or what is kept cannot be used. */
export class StorageError extends OcelliError {
  override readonly name = 'StorageError';
}

/** The picture cannot be used. */
export class PictureError extends OcelliError {
  override readonly name = 'PictureError';
}

/** An argument is out of range. */
export class ArgumentError extends OcelliError {
  override readonly name = 'ArgumentError';
}

/** There is no such device, it is too small, or it went away. */
export class DeviceError extends OcelliError {
  override readonly name = 'DeviceError';
}

/** The caller stopped the work. */
export class CancelledError extends OcelliError {
  override readonly name = 'CancelledError';
}

/** A defect of this package. */
export class InternalError extends OcelliError {
  override readonly name = 'InternalError';
}

const CLASSES: Record<ErrorCode, typeof OcelliError> = {
  OCELLI_NOT_FOUND: ModelError,
  OCELLI_BAD_MODEL_FILE: ModelError,
  OCELLI_BAD_CONFIG: ModelError,
  OCELLI_UNSUPPORTED: ModelError,
  OCELLI_BAD_TOKENIZER: ModelError,
  OCELLI_IO: ModelError,
  OCELLI_BAD_DOWNLOAD: ModelError,
  OCELLI_NO_SPACE: StorageError,
  OCELLI_CACHE: StorageError,
  OCELLI_BAD_IMAGE: PictureError,
  OCELLI_BAD_ARGUMENT: ArgumentError,
  OCELLI_NO_DEVICE: DeviceError,
  OCELLI_DEVICE_LIMIT: DeviceError,
  OCELLI_OUT_OF_MEMORY: DeviceError,
  OCELLI_DEVICE_LOST: DeviceError,
  OCELLI_CANCELLED: CancelledError,
  OCELLI_INTERNAL: InternalError,
};

/** Makes the error whose class fits the code. */
export function makeError(record: ErrorRecord, cause: unknown = record.cause && Object.assign(new Error(), record.cause)): OcelliError {
  return new (CLASSES[record.code] ?? InternalError)(record, cause);
}

/** The same error as a record that can be posted; what is no OcelliError is a defect. */
export function toRecord(error: unknown): ErrorRecord {
  if (isRecord(error)) {
    const cause = (error as { cause?: unknown }).cause;
    const { code, message, remedy, details } = error;
    return { code, message, remedy, ...(details && { details }), ...(cause !== undefined && { cause: toCause(cause) }) };
  }
  return { code: 'OCELLI_INTERNAL', message: String(error), remedy: 'This is a defect of ocelli: please report it.', ...(error instanceof Error && { cause: toCause(error) }) };
}

function toCause(cause: unknown): CauseRecord {
  if (!(cause instanceof Error)) return { name: 'Error', message: String(cause) };
  const { name, message, stack } = cause;
  return { name, message, stack };
}

function isRecord(error: unknown): error is ErrorRecord {
  if (typeof error !== 'object' || error === null) return false;
  const { code, message, remedy } = error as Partial<ErrorRecord>;
  return typeof code === 'string' && code in CLASSES && typeof message === 'string' && typeof remedy === 'string';
}

/** What an aborted signal becomes. */
export function cancelled(what: string, reason?: unknown): OcelliError {
  return makeError({ code: 'OCELLI_CANCELLED', message: `${what} was cancelled`, remedy: 'Start it again.' }, reason);
}

/** Never resolves; rejects when the signal is aborted. */
export function aborted(signal: AbortSignal | undefined, what: string): Promise<never> {
  return new Promise((_, reject) => {
    const fail = () => reject(cancelled(what, signal?.reason));
    if (signal?.aborted) fail();
    else signal?.addEventListener('abort', fail, { once: true });
  });
}

/** An argument that the types do not allow. */
export function badArgument(message: string, remedy: string): OcelliError {
  return makeError({ code: 'OCELLI_BAD_ARGUMENT', message, remedy });
}
