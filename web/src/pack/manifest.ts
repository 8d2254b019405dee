// `ocelli.json` as far as a download needs it; the rest is read by the wasm module.

import { makeError } from '../errors.js';
import type { FileEntry } from '../net/download.js';
import type { Dtype } from '../types.js';

export const MANIFEST = 'ocelli.json';
/** The format that this package reads. */
const FORMAT = 1;
/** Far more shards than any model has; bounds what a hostile manifest can ask for. */
const MAX_SHARDS = 65_536;
/** A file passes through the module's memory as a whole; a quarter of what that can ever be. */
const MAX_FILE_BYTES = 2 ** 30;

/** A file whose length and checksum are known. */
export type KnownFile = FileEntry & { readonly bytes: number; readonly sha256: string };

/** What a pack consists of. */
export interface Manifest {
  readonly dtype: Dtype;
  readonly tokenizer: KnownFile;
  /** In the order in which a model's pass uses them. */
  readonly shards: readonly KnownFile[];
  readonly licence: KnownFile | undefined;
}

/**
 * @param place where it came from, for messages
 * @throws OcelliError with `OCELLI_BAD_MODEL_FILE`, or `OCELLI_UNSUPPORTED` for another format
 */
export function parseManifest(bytes: Uint8Array, place: string): Manifest {
  const bad = (what: string, cause?: unknown) =>
    makeError({ code: 'OCELLI_BAD_MODEL_FILE', message: `${place} ${what}`, remedy: 'Convert the model again with `ocelli convert`.' }, cause);
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw bad(`is no JSON: ${cause instanceof Error ? cause.message : cause}`, cause);
  }
  if (!isObject(json)) throw bad('is no JSON object');
  if (json['format'] !== FORMAT) {
    throw makeError({
      code: 'OCELLI_UNSUPPORTED',
      message: `${place} is a pack of format ${JSON.stringify(json['format'])}; expected ${FORMAT}`,
      remedy: 'Use the version of ocelli that the pack was made with, or convert the model again.',
    });
  }
  const dtype = json['dtype'];
  if (dtype !== 'f32' && dtype !== 'f16' && dtype !== 'q8' && dtype !== 'q4') {
    throw bad(`has the dtype ${JSON.stringify(dtype)}; expected f32, f16, q8 or q4`);
  }
  const names = new Set<string>();
  const file = (value: unknown, what: string): KnownFile => {
    if (!isObject(value)) throw bad(`has no ${what}`);
    const { file, bytes, sha256 } = value;
    // A file lies beside its manifest: a manifest must not send the browser elsewhere.
    if (typeof file !== 'string' || !/^\w[\w.-]{0,127}$/.test(file)) throw bad(`names the ${what} ${JSON.stringify(file)}; expected a plain file name`);
    if (typeof bytes !== 'number' || !Number.isSafeInteger(bytes) || bytes < 0) throw bad(`gives ${file} ${JSON.stringify(bytes)} bytes`);
    if (bytes > MAX_FILE_BYTES) throw bad(`gives ${file} ${bytes} bytes; expected at most ${MAX_FILE_BYTES}`);
    if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256)) throw bad(`gives ${file} no sha256 of 64 lower-case hexadecimal digits`);
    if (names.has(file) || file === MANIFEST) throw bad(`names ${file} twice`);
    names.add(file);
    return { file, bytes, sha256 };
  };
  const shards = json['shards'];
  if (!Array.isArray(shards) || shards.length === 0 || shards.length > MAX_SHARDS) throw bad(`has no list \`shards\` of 1 to ${MAX_SHARDS} files`);
  const licence = json['licence'] ?? undefined;
  return {
    dtype,
    tokenizer: file(json['tokenizer'], 'tokenizer'),
    shards: shards.map((shard, index) => file(shard, `shard ${index + 1}`)),
    licence: licence === undefined ? undefined : file(licence, 'licence'),
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
