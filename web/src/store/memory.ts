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
  /** Memory of the file read last, for the next: garbage of the size of the model would pile up between two collections. */
  #spare = new Uint8Array();

  constructor(url: string) {
    this.note = { url, files: {} };
  }

  async size(file: string): Promise<number> {
    return this.#files.get(file)?.size ?? 0;
  }

  async append(file: string, bytes: number | undefined): Promise<Appender> {
    let held = this.#files.get(file);
    if (!held) {
      this.#files.set(file, (held = new MemoryFile(bytes, this.#spare)));
      this.#spare = new Uint8Array();
    }
    return held;
  }

  /** The file is gone from here then. */
  async read(file: string, into: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    const held = this.#files.get(file);
    await this.remove(file);
    if (!held || held.size > into.length) return held?.take() ?? new Uint8Array();
    into.set(held.bytes);
    this.#spare = held.memory;
    return into.subarray(0, held.size);
  }

  async remove(file: string): Promise<void> {
    this.#files.delete(file);
    delete this.note.files[file];
  }

  async remember(): Promise<void> {}
  async touch(): Promise<void> {}
}

/** Memory taken at once for a file whose length is known; beyond it no more than twice what has come. */
const AHEAD_BYTES = 16 << 20;

/** Grows by doubling, but takes no more than the length where that is known. */
class MemoryFile implements Appender {
  size = 0;

  /** @param memory to begin with, whatever it holds */
  constructor(readonly length: number | undefined, public memory: Uint8Array<ArrayBuffer>) {}

  get bytes(): Uint8Array<ArrayBuffer> {
    return this.memory.subarray(0, this.size);
  }

  append(bytes: Uint8Array): void {
    const needed = this.size + bytes.length;
    if (needed > this.memory.length) {
      const ahead = Math.max(this.length === undefined ? 65_536 : AHEAD_BYTES, 2 * needed);
      const larger = new Uint8Array(this.length !== undefined && this.length >= needed ? Math.min(this.length, ahead) : ahead);
      larger.set(this.bytes);
      this.memory = larger;
    }
    this.memory.set(bytes, this.size);
    this.size = needed;
  }

  clear(): void {
    this.size = 0;
  }

  close(): void {}

  take(): Uint8Array<ArrayBuffer> {
    const { size } = this;
    return size === this.memory.length ? this.memory : this.memory.slice(0, size);
  }
}
