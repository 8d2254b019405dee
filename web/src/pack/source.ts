// A pack, from wherever its files are: kept on this machine, on its way, or on a server.

import { OcelliError, cancelled } from '../errors.js';
import { addressOf } from '../net/address.js';
import { Downloader } from '../net/download.js';
import { Turn } from '../store/locks.js';
import { noSpace, room, storeFault } from '../store/open.js';
import type { PackStore } from '../store/store.js';
import type { Context } from './context.js';
import { refresh, stateOf } from './fresh.js';
import { type KnownFile, MANIFEST, type Manifest, parseManifest, shardsOf } from './manifest.js';
import { Transfer, isComplete } from './transfer.js';

/** Where a model's weights come from. Every byte it gives was checked against its checksum. */
export interface PackSource {
  readonly manifest: Manifest;
  /** The shards of the parts that are wanted, in order. */
  readonly shards: readonly KnownFile[];
  /** `ocelli.json` as it is. */
  readonly manifestBytes: Uint8Array;
  /** Bytes that are still to be downloaded. */
  readonly missing: number;
  /** The tokenizer, if there is one, and then the shards, in order; each one's bytes are valid until the next is asked for. */
  files(): AsyncGenerator<{ file: string; bytes: Uint8Array<ArrayBuffer> }>;
  /** Lets other tabs go on. To be called in any case. */
  close(): void;
}

/** How many files may arrive ahead where memory keeps them: one more is in use, and the module holds its copy of that. */
const MEMORY_WINDOW = 1;

const ENTRY = { file: MANIFEST, optional: true };

/**
 * Reads a pack's manifest and waits for the pack to be free; `undefined` where the address has none.
 * @throws OcelliError, among others where there is too little room to keep it
 */
export async function openPack(context: Context): Promise<PackSource | undefined> {
  const { url, mirrors, store, tuning, signal, meter } = context;
  const turn = new Turn(url, signal, () => meter.wait());
  try {
    const probe = new Downloader([url, ...mirrors], { ...tuning, tries: Math.min(3, tuning.tries) }, signal, () => undefined);
    let pack = await store.pack(url);
    // Whoever only reads need not wait for others that only read.
    if (store.kind !== 'memory' && (await stateOf(ENTRY, pack, probe, context.trust)) === 'kept') {
      await turn.take('shared');
      const source = await KeptPack.open(context, turn, await store.pack(url));
      if (source.missing === 0) return source;
      await turn.release();
    }
    if (store.kind !== 'memory') await turn.take('exclusive');
    // Opened again: another tab may have been at work until now.
    pack = await store.pack(url);
    const source = await openFresh(context, turn, pack, probe);
    if (!source) await turn.release();
    if (!source) return undefined;
    if (store.kind !== 'memory' && source.missing > 0) {
      const available = await room();
      if (available !== undefined && available < source.missing) throw await noSpace(store, url, source.missing, available);
    }
    return source;
  } catch (error) {
    await turn.release();
    throw await storeFault(error, store, url);
  }
}

/** Fetches the manifest until it can be read: it has no checksum of its own, and what came may have been cut off or a web page. */
async function openFresh(context: Context, turn: Turn, pack: PackStore, probe: Downloader): Promise<KeptPack | undefined> {
  for (let fetched = 1; ; fetched++) {
    if (!(await refresh(ENTRY, pack, probe, context.trust))) return undefined;
    try {
      return await KeptPack.open(context, turn, pack);
    } catch (error) {
      if (!(error instanceof OcelliError) || error.code !== 'OCELLI_BAD_MODEL_FILE') throw error;
      await pack.remove(MANIFEST);
      if (fetched >= context.tuning.wholes) throw error;
      probe.distrust(MANIFEST);
    }
  }
}

class KeptPack implements PackSource {
  readonly #files: readonly KnownFile[];
  readonly shards: readonly KnownFile[];
  missing = 0;

  static async open(context: Context, turn: Turn, pack: PackStore): Promise<KeptPack> {
    const bytes = await pack.read(MANIFEST, new Uint8Array());
    const source = new KeptPack(context, turn, pack, bytes, parseManifest(bytes, addressOf(MANIFEST, context.url)));
    source.missing = await source.#count();
    return source;
  }

  private constructor(
    readonly context: Context,
    readonly turn: Turn,
    readonly pack: PackStore,
    readonly manifestBytes: Uint8Array,
    readonly manifest: Manifest,
  ) {
    const { tokenizer, licence } = manifest;
    this.shards = shardsOf(manifest, context.parts);
    this.#files = [...(tokenizer ? [tokenizer] : []), ...this.shards, ...(licence ? [licence] : [])];
  }

  async *files(): AsyncGenerator<{ file: string; bytes: Uint8Array<ArrayBuffer> }> {
    const { url, mirrors, store, tuning, meter, signal } = this.context;
    const stop = new AbortController();
    const follow = () => stop.abort(signal.reason);
    if (signal.aborted) follow();
    else signal.addEventListener('abort', follow, { once: true });
    try {
      const all = this.#files.reduce((sum, { bytes }) => sum + bytes, 0);
      meter.expect('download', all);
      meter.expect('verify', all);
      meter.end('wait');
      for (const { file } of this.#files) meter.add('download', await this.pack.size(file), file, true);
      const downloader = new Downloader([url, ...mirrors], tuning, stop.signal, (file, change) => meter.add('download', change, file));
      const window = store.kind === 'memory' ? MEMORY_WINDOW : Infinity;
      const transfer = new Transfer(this.#files, this.pack, downloader, meter, window, async () => {
        if (store.kind !== 'memory') await this.turn.take('exclusive');
      });
      transfer.start();
      for (const [index, { file }] of this.#files.entries()) {
        // What is kept comes without a connection that would hear of it.
        if (signal.aborted) throw cancelled('the download', signal.reason);
        const bytes = await transfer.take(index);
        if (file !== this.manifest.licence?.file) yield { file, bytes };
        // Whoever got the first file has found room for the rest by now: nothing of that comes in vain.
        if (index === 0) transfer.widen();
      }
      meter.end('verify');
      await this.pack.touch().catch(() => undefined);
    } catch (error) {
      // It may be the manifest that is wrong: it is to be fetched again next time.
      if (error instanceof OcelliError && error.code === 'OCELLI_BAD_DOWNLOAD') await this.pack.remove(MANIFEST);
      meter.stop();
      throw await storeFault(error, store, url, () => this.#count());
    } finally {
      // Whatever ended this early, the downloads end with it.
      signal.removeEventListener('abort', follow);
      stop.abort();
      this.close();
    }
  }

  close(): void {
    void this.turn.release();
  }

  /** Bytes that are not in place. */
  async #count(): Promise<number> {
    let missing = 0;
    for (const file of this.#files) {
      if (!(await isComplete(file, this.pack))) missing += Math.max(0, file.bytes - (await this.pack.size(file.file)));
    }
    return missing;
  }
}
