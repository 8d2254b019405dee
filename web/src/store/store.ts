// Where model files are kept between visits. Three places offer the same: the origin's private file system, the Cache
// API, and plain memory.

import type { CachedPack } from '../types.js';

/** What is remembered of a file, so that its download can go on later. */
export interface FileNote {
  /** The address that the bytes came from. */
  url?: string;
  /** The server's mark of the version that the bytes belong to. */
  validator?: string;
  /** The checksum that the bytes are meant to have. */
  sha256?: string;
  /** The file's length, where a server said it and no manifest does. */
  total?: number;
  /** Every byte is there; only for files without a known length. */
  complete?: boolean;
  /** The server said that there is no such file. */
  absent?: boolean;
}

/** What is remembered of a pack. */
export interface PackNote {
  url: string;
  files: Record<string, FileNote>;
}

/** A file opened for appending. */
export interface Appender {
  /** Bytes in place, from the first on. */
  readonly size: number;
  /** The bytes are copied or written before it returns, or before its promise resolves. */
  append(bytes: Uint8Array): void | Promise<void>;
  /** Starts over. */
  clear(): void | Promise<void>;
  close(): void | Promise<void>;
}

/** The files of one pack. */
export interface PackStore {
  readonly note: PackNote;
  /** Bytes in place of a file; 0 where there is none. */
  size(file: string): Promise<number>;
  /** @param bytes the length that the file will have, where it is known */
  append(file: string, bytes: number | undefined): Promise<Appender>;
  /** Reads a whole file into the front of `into`, where that is long enough, or else into fresh memory. */
  read(file: string, into: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
  remove(file: string): Promise<void>;
  /** Writes the note down. */
  remember(): Promise<void>;
  /** Marks the pack as used now. */
  touch(): Promise<void>;
}

/** A place that keeps packs. */
export interface Store {
  readonly kind: 'opfs' | 'cache' | 'memory';
  /** Opens a pack, or begins an empty one. */
  pack(url: string): Promise<PackStore>;
  list(): Promise<CachedPack[]>;
  /** @returns whether there was such a pack */
  delete(url: string): Promise<boolean>;
}

/** A note that was read back; whatever is not as written by `remember` counts as never written. */
export function parseNote(text: string, url: string): PackNote {
  try {
    const note = JSON.parse(text) as Partial<PackNote> | null;
    if (note && note.url === url && typeof note.files === 'object' && note.files !== null) return { url, files: note.files };
  } catch {
    // Cut off while it was written.
  }
  return { url, files: {} };
}
