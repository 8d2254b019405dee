// `ocelli.json` as far as a download needs it; the rest is read by the wasm module.

import { badArgument, makeError } from '../errors.js';
import type { FileEntry } from '../net/download.js';
import type { Dtype } from '../types.js';

export const MANIFEST = 'ocelli.json';
/** Far more shards than any model has; bounds what a hostile manifest can ask for. */
const MAX_SHARDS = 65_536;
/** Far more parts than any model has. */
const MAX_PARTS = 64;
/** The parts that the shards of format 1 brought together: it was PaliGemma's alone. */
const PARTS_OF_FORMAT_1 = ['vision', 'decoder'];
/** A file passes through the module's memory as a whole; a quarter of what that can ever be. */
const MAX_FILE_BYTES = 2 ** 30;

/** A file whose length and checksum are known. */
export type KnownFile = FileEntry & { readonly bytes: number; readonly sha256: string };

/** Shards that belong together: whoever wants any part that they cover needs them all. */
export interface WeightGroup {
  /** Names of parts of the model. */
  readonly parts: readonly string[];
  readonly shards: readonly KnownFile[];
}

/** What a pack consists of, whatever format its manifest has. */
export interface Manifest {
  readonly dtype: Dtype;
  /** That of the checkpoint that it was made of, where it says so. */
  readonly checksum: string | undefined;
  /** None where the model reads no text. */
  readonly tokenizer: KnownFile | undefined;
  /** In the order in which a model's passes use them. */
  readonly groups: readonly WeightGroup[];
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
  const format = json['format'];
  if (format !== 1 && format !== 2) {
    throw makeError({
      code: 'OCELLI_UNSUPPORTED',
      message: `${place} is a pack of format ${JSON.stringify(format)}; expected 1 or 2`,
      remedy: 'Use the version of ocelli that the pack was made with, or convert the model again.',
    });
  }
  const dtype = json['dtype'];
  if (dtype !== 'f32' && dtype !== 'f16' && dtype !== 'q8' && dtype !== 'q4') {
    throw bad(`has the dtype ${JSON.stringify(dtype)}; expected f32, f16, q8 or q4`);
  }
  const checksum = json['checksum'];
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
  let count = 0;
  const shards = (list: unknown): KnownFile[] => {
    if (!Array.isArray(list) || count + list.length > MAX_SHARDS) throw bad(`has no list \`shards\` of 1 to ${MAX_SHARDS} files`);
    return list.map((shard) => file(shard, `shard ${++count}`));
  };
  const groups = format === 1 ? [{ parts: partsOfFormat1(json['mask_decoder']), shards: shards(json['shards']) }] : readParts(json['parts'], shards, bad);
  if (count === 0) throw bad(`has no list \`shards\` of 1 to ${MAX_SHARDS} files`);
  const optional = (value: unknown, what: string) => (value === undefined || value === null ? undefined : file(value, what));
  return {
    dtype,
    checksum: typeof checksum === 'string' && /^[0-9a-f]{64}$/.test(checksum) ? checksum : undefined,
    tokenizer: format === 1 ? file(json['tokenizer'], 'tokenizer') : optional(json['tokenizer'], 'tokenizer'),
    groups,
    licence: optional(json['licence'], 'licence'),
  };
}

/**
 * The shards that bring some parts of a model, or all, in order.
 * @throws OcelliError where the pack has no such part
 */
export function shardsOf({ groups }: Manifest, parts?: readonly string[]): KnownFile[] {
  const known = groups.flatMap((group) => group.parts);
  const missing = parts?.find((part) => !known.includes(part));
  if (missing !== undefined) throw badArgument(`the pack has no part \`${missing}\``, `Name some of its parts: ${known.join(', ')}.`);
  return groups.filter((group) => !parts || group.parts.some((part) => parts.includes(part))).flatMap((group) => group.shards);
}

function partsOfFormat1(maskDecoder: unknown): string[] {
  return maskDecoder === true ? [...PARTS_OF_FORMAT_1, 'mask_decoder'] : PARTS_OF_FORMAT_1;
}

function readParts(list: unknown, shards: (list: unknown) => KnownFile[], bad: (what: string) => Error): WeightGroup[] {
  if (!Array.isArray(list) || list.length === 0 || list.length > MAX_PARTS) throw bad(`has no list \`parts\` of 1 to ${MAX_PARTS} parts`);
  const names = new Set<string>();
  return list.map((part: unknown) => {
    const name = isObject(part) ? part['name'] : undefined;
    if (!isObject(part) || typeof name !== 'string' || !/^\w{1,64}$/.test(name)) throw bad(`names a part ${JSON.stringify(name)}; expected letters, digits and _`);
    if (names.has(name)) throw bad(`names the part ${name} twice`);
    names.add(name);
    return { parts: [name], shards: shards(part['shards']) };
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
