// Keeps nothing between visits: for browsers and pages without storage. A file stays only until it was read.

import type { CachedPack } from '../types.js';
import type { Appender, PackNote, PackStore, Store } from './store.js';

/** Files in plain memory, gone with the worker. */
export class MemoryStore implements Store {
  readonly kind = 'memory';
  readonly #packs = new Map<string, MemoryPack>();

  async pack(url: string): Promise<PackStore> {
    let pack = this.#packs.get(url);
    if (!pack) this.#packs.set(url, (pack = new MemoryPack(url)));
    return pack;
  }

  async list(): Promise<CachedPack[]> {
    return [];
  }

  async delete(url: string): Promise<boolean> {
    return this.#packs.delete(url);
  }
}

class MemoryPack implements PackStore {
  readonly note: PackNote;
  readonly #files = new Map<string, MemoryFile>();

  constructor(url: string) {
    this.note = { url, files: {} };
  }

  async size(file: string): Promise<number> {
    return this.#files.get(file)?.size ?? 0;
  }

  async append(file: string, bytes: number | undefined): Promise<Appender> {
    let held = this.#files.get(file);
    if (!held) this.#files.set(file, (held = new MemoryFile(bytes)));
    return held;
  }

  /** Hands the memory over: the file is gone from here. */
  async read(file: string): Promise<Uint8Array<ArrayBuffer>> {
    const held = this.#files.get(file);
    this.#files.delete(file);
    delete this.note.files[file];
    return held?.take() ?? new Uint8Array();
  }

  async remove(file: string): Promise<void> {
    this.#files.delete(file);
    delete this.note.files[file];
  }

  async remember(): Promise<void> {}
  async touch(): Promise<void> {}
}

/** Grows by doubling where the length is unknown, so that a large file is held once and not twice where it is known. */
class MemoryFile implements Appender {
  size = 0;
  #held = new Uint8Array();

  constructor(readonly bytes: number | undefined) {}

  append(bytes: Uint8Array): void {
    const needed = this.size + bytes.length;
    if (needed > this.#held.length) {
      const larger = new Uint8Array(this.bytes !== undefined && this.bytes >= needed ? this.bytes : Math.max(65536, 2 * needed));
      larger.set(this.#held.subarray(0, this.size));
      this.#held = larger;
    }
    this.#held.set(bytes, this.size);
    this.size = needed;
  }

  clear(): void {
    this.size = 0;
  }

  close(): void {}

  take(): Uint8Array<ArrayBuffer> {
    const { size } = this;
    return size === this.#held.length ? this.#held : this.#held.slice(0, size);
  }
}
