// Fetches the files of a Hugging Face directory, with progress.

import { makeError } from './errors.js';
import type { ErrorCode } from './errors.js';
import type { Progress } from './types.js';

const REQUIRED = ['config.json', 'tokenizer.json'];
const OPTIONAL = ['preprocessor_config.json', 'generation_config.json'];
const WEIGHTS = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';

/**
 * @param directory its absolute address, with a slash at the end
 * @returns the files' bytes by name
 * @throws OcelliError where a file that is needed is missing, or the connection fails
 */
export async function download(
  directory: string,
  onProgress: (progress: Progress) => void,
): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  const progress = new Meter(onProgress);
  const get = async (name: string, required: boolean) => {
    const bytes = await fetchFile(directory, name, required, progress);
    if (bytes) files.set(name, bytes);
    return bytes;
  };
  // The small ones first: a wrong address fails before gigabytes are fetched.
  await Promise.all([...REQUIRED.map((name) => get(name, true)), ...OPTIONAL.map((name) => get(name, false))]);
  if (!(await get(WEIGHTS, false))) {
    const index = await get(INDEX, false);
    if (!index) {
      throw fault('OCELLI_NOT_FOUND', `${directory} has neither ${WEIGHTS} nor ${INDEX}`,
        'Give the address of a complete Hugging Face directory.');
    }
    const { shards, bytes } = readIndex(index);
    progress.expect(bytes);
    for (const shard of shards) await get(shard, true);
  }
  progress.end();
  return files;
}

/** Counts bytes over all files, and reports at most every 50 ms. */
class Meter {
  #done = 0;
  #total = 0;
  #file = '';
  #last = 0;

  constructor(readonly report: (progress: Progress) => void) {}

  /** More bytes will come. */
  expect(bytes: number): void {
    this.#total += bytes;
  }

  add(bytes: number, file: string): void {
    this.#done += bytes;
    this.#file = file;
    const now = performance.now();
    if (now - this.#last < 50) return;
    this.#last = now;
    this.#send(this.#total >= this.#done ? this.#total : undefined);
  }

  end(): void {
    this.#send(this.#done);
  }

  #send(total: number | undefined): void {
    this.report({ phase: 'download', done: this.#done, total, file: this.#file });
  }
}

async function fetchFile(
  directory: string,
  name: string,
  required: boolean,
  progress: Meter,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const url = new URL(name, directory).href;
  let response: Response;
  try {
    response = await fetch(url);
  } catch (cause) {
    throw fault('OCELLI_IO', `${url} could not be fetched`,
      'Check the connection, the address, and that its server and the page\'s policy allow this page to read it.', cause);
  }
  if (response.status === 404 || response.status === 410) {
    await response.body?.cancel();
    if (!required) return undefined;
    throw fault('OCELLI_NOT_FOUND', `${url} does not exist (status ${response.status})`,
      `Give the address of a complete Hugging Face directory; it must hold ${name}.`);
  }
  if (!response.ok || !response.body) {
    throw fault('OCELLI_IO', `${url} could not be fetched (status ${response.status})`,
      'Check the address, and whether its server asks for a login or limits requests.');
  }
  // A compressed answer's length says nothing about the bytes that come out.
  const length = response.headers.get('content-encoding') ? undefined : contentLength(response);
  if (length !== undefined && name !== INDEX && !/-of-\d+\.safetensors$/.test(name)) progress.expect(length);
  try {
    return await readBody(response.body, length, (bytes) => progress.add(bytes, name));
  } catch (cause) {
    if (cause instanceof RangeError) {
      throw fault('OCELLI_OUT_OF_MEMORY', `the browser has no memory for ${url} (${length ?? 'unknown'} bytes)`,
        'Close other tabs, or choose a smaller model.', cause);
    }
    throw fault('OCELLI_IO', `the connection broke off while ${url} was fetched`, 'Try again.', cause);
  }
}

function contentLength(response: Response): number | undefined {
  const text = response.headers.get('content-length');
  return text !== null && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** Reads into one buffer where the length is known, so that a large file is held once and not twice. */
async function readBody(
  body: ReadableStream<Uint8Array>,
  length: number | undefined,
  add: (bytes: number) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  let bytes = new Uint8Array(length ?? 65536);
  let filled = 0;
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (filled + value.length > bytes.length) {
      const larger = new Uint8Array(Math.max(2 * bytes.length, filled + value.length));
      larger.set(bytes.subarray(0, filled));
      bytes = larger;
    }
    bytes.set(value, filled);
    filled += value.length;
    add(value.length);
  }
  return filled === bytes.length ? bytes : bytes.slice(0, filled);
}

/** The shards that an index names. Its other claims are checked where the model is opened. */
function readIndex(bytes: Uint8Array): { shards: string[]; bytes: number } {
  const bad = (what: string, cause?: unknown) =>
    fault('OCELLI_BAD_MODEL_FILE', `${INDEX} ${what}`, 'Download the model again.', cause);
  let index: { weight_map?: unknown; metadata?: { total_size?: unknown } } | null;
  try {
    index = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw bad(`is no JSON: ${cause instanceof Error ? cause.message : cause}`, cause);
  }
  const map = index?.weight_map;
  if (typeof map !== 'object' || map === null) throw bad('has no object `weight_map`');
  const shards = [...new Set(Object.values(map as Record<string, unknown>))].map((name) => {
    // A shard lies in the same directory: an index must not send the browser elsewhere.
    if (typeof name === 'string' && /^[\w.-]+\.safetensors$/.test(name)) return name;
    throw bad(`names a shard ${JSON.stringify(name)}; expected the name of a .safetensors file beside it`);
  });
  if (shards.length === 0) throw bad('names no shard');
  const total = index?.metadata?.total_size;
  return { shards: shards.sort(), bytes: typeof total === 'number' && total > 0 ? total : 0 };
}

function fault(code: ErrorCode, message: string, remedy: string, cause?: unknown): Error {
  return makeError({ code, message, remedy }, cause);
}
