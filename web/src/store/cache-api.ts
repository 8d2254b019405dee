// Keeps packs in the Cache API, for browsers without a private file system. Its entries cannot grow, so that a file is
// kept in parts, each named by the bytes it holds.

import type { CachedPack } from '../types.js';
import { CHUNK_BYTES, byteReader } from '../net/watch.js';
import { type Appender, type PackNote, type PackStore, type Store, parseNote } from './store.js';

const PREFIX = 'ocelli:';
/** Entries need addresses; nothing is ever fetched from this one. */
const BASE = 'https://ocelli.invalid/';
const NOTE = `${BASE}.note`;
const USED = `${BASE}.used`;
/** What a break-off can lose of each file, and what one holds in memory while it downloads. */
const PART_BYTES = 1 << 20;

/** Packs in caches, one each. */
export class CacheApiStore implements Store {
  readonly kind = 'cache';

  /** Whether this page may use it: not on plain addresses, nor in some private windows. */
  static async works(): Promise<boolean> {
    try {
      await caches.keys();
      return true;
    } catch {
      return false;
    }
  }

  async pack(url: string): Promise<PackStore> {
    const cache = await caches.open(PREFIX + url);
    const note = parseNote((await (await cache.match(NOTE))?.text()) ?? '', url);
    return new CachePack(cache, note, await partsIn(cache));
  }

  async list(): Promise<CachedPack[]> {
    const packs: CachedPack[] = [];
    for (const name of await caches.keys()) {
      if (!name.startsWith(PREFIX)) continue;
      const cache = await caches.open(name);
      let bytes = 0;
      for (const parts of (await partsIn(cache)).values()) for (const [, length] of parts) bytes += length;
      packs.push({ url: name.slice(PREFIX.length), bytes, lastUsed: Number(await (await cache.match(USED))?.text()) || 0 });
    }
    return packs.sort((a, b) => a.lastUsed - b.lastUsed);
  }

  delete(url: string): Promise<boolean> {
    return caches.delete(PREFIX + url);
  }
}

/**
 * Answers whose bodies are being read. Chromium forgets about a body once the garbage collector has taken its answer: its
 * last bytes, or its end, then never come.
 */
const reading = new Set<Response>();

/** A file's parts: length by first byte. */
type Parts = Map<number, number>;

class CachePack implements PackStore {
  /** Memory of appenders that were closed, for the next. */
  readonly #spare: Uint8Array<ArrayBuffer>[] = [];

  constructor(
    readonly cache: Cache,
    readonly note: PackNote,
    readonly parts: Map<string, Parts>,
  ) {}

  async size(file: string): Promise<number> {
    return end(this.parts.get(file));
  }

  async append(file: string): Promise<Appender> {
    let parts = this.parts.get(file);
    if (!parts) this.parts.set(file, (parts = new Map()));
    return new CacheAppender(this.cache, file, parts, this.#spare);
  }

  async read(file: string, into: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    const parts = this.parts.get(file) ?? new Map<number, number>();
    const size = end(parts);
    const bytes = size <= into.length ? into.subarray(0, size) : new Uint8Array(size);
    const spare = { buffer: new ArrayBuffer(CHUNK_BYTES) };
    for (let at = 0; at < size; at += parts.get(at)!) {
      const length = parts.get(at)!;
      const part = await this.cache.match(address(file, at, length));
      const found = part ? await copy(part, bytes.subarray(at, at + length), spare) : 0;
      if (found !== length) return bytes.subarray(0, at);
    }
    return bytes;
  }

  async remove(file: string): Promise<void> {
    delete this.note.files[file];
    await removeParts(this.cache, file, this.parts.get(file));
    this.parts.delete(file);
  }

  async remember(): Promise<void> {
    await this.cache.put(NOTE, new Response(JSON.stringify(this.note)));
  }

  async touch(): Promise<void> {
    await this.cache.put(USED, new Response(String(Date.now())));
  }
}

class CacheAppender implements Appender {
  size: number;
  /** Bytes that wait for their part to be full. */
  readonly #waiting: Uint8Array<ArrayBuffer>;
  #filled = 0;

  constructor(
    readonly cache: Cache,
    readonly file: string,
    readonly parts: Parts,
    readonly spare: Uint8Array<ArrayBuffer>[],
  ) {
    this.size = end(parts);
    this.#waiting = spare.pop() ?? new Uint8Array(PART_BYTES);
  }

  async append(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const taken = bytes.subarray(at, at + PART_BYTES - this.#filled);
      this.#waiting.set(taken, this.#filled);
      this.#filled += taken.length;
      this.size += taken.length;
      at += taken.length;
      if (this.#filled === PART_BYTES) await this.#write();
    }
  }

  async clear(): Promise<void> {
    this.#filled = 0;
    this.size = 0;
    await removeParts(this.cache, this.file, this.parts);
    this.parts.clear();
  }

  async close(): Promise<void> {
    try {
      await this.#write();
    } finally {
      this.spare.push(this.#waiting);
    }
  }

  /** Writes what waits. */
  async #write(): Promise<void> {
    if (this.#filled === 0) return;
    const [from, length] = [this.size - this.#filled, this.#filled];
    this.#filled = 0;
    await this.cache.put(address(this.file, from, length), new Response(this.#waiting.subarray(0, length)));
    this.parts.set(from, length);
  }
}

/**
 * Copies an answer's body; how many bytes it had, as far as it was read.
 * @param spare memory for the way: garbage of the size of the model would pile up between two collections
 */
async function copy(answer: Response, into: Uint8Array, spare: { buffer: ArrayBuffer }): Promise<number> {
  reading.add(answer);
  try {
    const reader = answer.body && byteReader(answer.body);
    return reader ? await copyChunks(reader, into, spare) : copyWhole(await answer.arrayBuffer(), into);
  } finally {
    reading.delete(answer);
  }
}

function copyWhole(all: ArrayBuffer, into: Uint8Array): number {
  if (all.byteLength <= into.length) into.set(new Uint8Array(all));
  return all.byteLength;
}

async function copyChunks(reader: ReadableStreamBYOBReader, into: Uint8Array, spare: { buffer: ArrayBuffer }): Promise<number> {
  for (let at = 0; ; ) {
    const { done, value } = await reader.read(new Uint8Array(spare.buffer));
    if (!value) return at;
    spare.buffer = value.buffer;
    if (at + value.length > into.length) return at + value.length;
    into.set(value, at);
    at += value.length;
    if (done) return at;
  }
}

function address(file: string, from: number, length: number): string {
  return `${BASE}${encodeURIComponent(file)}/${from}+${length}`;
}

async function partsIn(cache: Cache): Promise<Map<string, Parts>> {
  const files = new Map<string, Parts>();
  for (const { url } of await cache.keys()) {
    const [, name, from, length] = /^https:\/\/ocelli\.invalid\/([^/]+)\/(\d+)\+(\d+)$/.exec(url) ?? [];
    if (name === undefined) continue;
    const file = decodeURIComponent(name);
    if (!files.has(file)) files.set(file, new Map());
    files.get(file)!.set(Number(from), Number(length));
  }
  return files;
}

async function removeParts(cache: Cache, file: string, parts: Parts | undefined): Promise<void> {
  for (const [from, length] of parts ?? []) await cache.delete(address(file, from, length));
}

/** Where the parts that follow each other from byte 0 on end. */
function end(parts: Parts | undefined): number {
  let at = 0;
  for (let length = parts?.get(0); length !== undefined && length > 0; length = parts?.get(at)) at += length;
  return at;
}
