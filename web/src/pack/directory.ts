// The files of a Hugging Face directory, which has no checksums and often no lengths: what its server says is believed.

import { type OcelliError, cancelled, makeError } from '../errors.js';
import { Downloader } from '../net/download.js';
import { Turn } from '../store/locks.js';
import { storeFault } from '../store/open.js';
import type { Context } from './context.js';
import { refresh } from './fresh.js';

const CONFIG = 'config.json';
const TOKENIZER = 'tokenizer.json';
const OPTIONAL = ['preprocessor_config.json', 'generation_config.json', 'tokenizer_config.json'];
const WEIGHTS = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';

/**
 * @param readsText whether a model of this configuration needs a tokenizer
 * @returns the files' bytes by name
 * @throws OcelliError where a file that is needed is missing, or the connection fails for good
 */
export async function readDirectory(context: Context, readsText: (config: Uint8Array) => Promise<boolean>): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const { url, mirrors, store, tuning, meter, signal } = context;
  const turn = new Turn(url, signal, () => meter.wait());
  try {
    if (store.kind !== 'memory') await turn.take('exclusive');
    meter.end('wait');
    const pack = await store.pack(url);
    // A shard's length comes before it does, with the index.
    let announced = false;
    const expect = (bytes: number) => !announced && meter.expectMore('download', bytes);
    const downloader = new Downloader([url, ...mirrors], tuning, signal, (file, change) => meter.add('download', change, file), (_, bytes) => expect(bytes));
    const have = async (file: string, optional: boolean) =>
      refresh({ file, optional }, pack, downloader, context.trust, (bytes) => {
        expect(bytes);
        meter.add('download', bytes, file, true);
      });
    const files = new Map<string, Uint8Array<ArrayBuffer>>();
    const get = async (file: string, optional = false) => {
      if (!(await have(file, optional))) return undefined;
      if (signal.aborted) throw cancelled('the download', signal.reason);
      const bytes = await pack.read(file, new Uint8Array());
      files.set(file, bytes);
      return bytes;
    };
    // The small ones first: a wrong address fails before gigabytes are fetched.
    const config = get(CONFIG);
    const tokenizer = async () => get(TOKENIZER, !(await readsText((await config) ?? new Uint8Array())));
    await all([config, tokenizer(), ...OPTIONAL.map((file) => get(file, true))]);
    if (!(await get(WEIGHTS, true))) {
      const index = await get(INDEX, true);
      if (!index) {
        throw makeError({
          code: 'OCELLI_NOT_FOUND',
          message: `${url} has neither ${WEIGHTS} nor ${INDEX}`,
          remedy: 'Give the address of a complete Hugging Face directory, or of a pack.',
        });
      }
      const { shards, bytes } = readIndex(index);
      if (bytes > 0) meter.expectMore('download', bytes);
      announced = bytes > 0;
      await inTurns(shards, tuning.connections, get);
    }
    meter.end('download');
    meter.end('verify');
    await pack.touch().catch(() => undefined);
    return files;
  } catch (error) {
    meter.stop();
    throw await storeFault(error, store, url);
  } finally {
    await turn.release();
  }
}

/** As `Promise.all`, but nothing goes on behind the caller's back. */
async function all(work: Promise<unknown>[]): Promise<void> {
  for (const result of await Promise.allSettled(work)) if (result.status === 'rejected') throw result.reason;
}

/** Works through a list, several at a time, until one fails. */
async function inTurns<T>(items: readonly T[], width: number, work: (item: T) => Promise<unknown>): Promise<void> {
  const rest = [...items];
  const next = async () => {
    try {
      for (let item = rest.shift(); item !== undefined; item = rest.shift()) await work(item);
    } catch (error) {
      rest.length = 0;
      throw error;
    }
  };
  await all(Array.from({ length: width }, next));
}

/** The shards that an index names. Its other claims are checked where the model is opened. */
function readIndex(bytes: Uint8Array): { shards: string[]; bytes: number } {
  const bad = (what: string, cause?: unknown): OcelliError =>
    makeError({ code: 'OCELLI_BAD_MODEL_FILE', message: `${INDEX} ${what}`, remedy: 'Download the model again.' }, cause);
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
    if (typeof name === 'string' && /^\w[\w.-]*\.safetensors$/.test(name)) return name;
    throw bad(`names a shard ${JSON.stringify(name)}; expected the name of a .safetensors file beside it`);
  });
  if (shards.length === 0) throw bad('names no shard');
  const total = index?.metadata?.total_size;
  return { shards: shards.sort(), bytes: typeof total === 'number' && total > 0 ? total : 0 };
}
