// Keeps packs in the origin's private file system: one folder a pack, one file a file. Appending goes through
// synchronous handles, which only workers have; listing and deleting work everywhere.

import type { CachedPack } from '../types.js';
import { hex, sha256 } from '../pack/sha256.js';
import { type Appender, type PackNote, type PackStore, type Store, parseNote } from './store.js';

/** The part of the browser's interface that its usual types leave to workers. */
interface SyncHandle {
  getSize(): number;
  read(into: Uint8Array, options: { at: number }): number;
  write(bytes: Uint8Array, options: { at: number }): number;
  truncate(size: number): void;
  flush(): void;
  close(): void;
}
type FileHandle = FileSystemFileHandle & {
  createSyncAccessHandle?(options?: { mode: 'read-only' | 'readwrite' }): Promise<SyncHandle>;
};

const FOLDER = 'ocelli';
/**
 * Names that no file of a model has: they must start with a word character. Notes are written in turn: where one was cut off
 * while it was written, the other still has what was remembered before.
 */
const NOTES = ['.note', '.note-2'] as const;
const USED = '.used';
/** Opening a handle takes a few milliseconds, unless it takes forever. */
const OPEN_MS = 2000;

/** Packs in files. */
export class OpfsStore implements Store {
  readonly kind = 'opfs';

  /** @throws where the browser has no such file system, or does not let this page use it */
  static async open(): Promise<OpfsStore> {
    const root = await navigator.storage.getDirectory();
    return new OpfsStore(await root.getDirectoryHandle(FOLDER, { create: true }));
  }

  private constructor(readonly folder: FileSystemDirectoryHandle) {}

  /** Whether files can be written here, which not every browser allows in every window. */
  async works(): Promise<boolean> {
    const name = `.probe-${Math.random()}`;
    try {
      (await openSync(await this.folder.getFileHandle(name, { create: true }))).close();
      return true;
    } catch {
      return false;
    } finally {
      await this.folder.removeEntry(name).catch(() => undefined);
    }
  }

  async pack(url: string): Promise<PackStore> {
    const folder = await this.folder.getDirectoryHandle(keyOf(url), { create: true });
    const { text, serial } = await latestNote(folder);
    return new OpfsPack(folder, parseNote(text, url), serial);
  }

  async list(): Promise<CachedPack[]> {
    const packs: CachedPack[] = [];
    for await (const folder of this.folder.values()) {
      if (folder.kind !== 'directory') continue;
      let bytes = 0;
      for await (const file of folder.values()) if (file.kind === 'file') bytes += (await file.getFile()).size;
      const { url } = await latestNote(folder);
      if (url !== undefined) packs.push({ url, bytes, lastUsed: Number(await textOf(folder, USED)) || 0 });
    }
    return packs.sort((a, b) => a.lastUsed - b.lastUsed);
  }

  async delete(url: string): Promise<boolean> {
    return this.folder.removeEntry(keyOf(url), { recursive: true }).then(
      () => true,
      (error) => {
        if (error.name === 'NotFoundError') return false;
        throw error;
      },
    );
  }
}

class OpfsPack implements PackStore {
  #writing: Promise<void> = Promise.resolve();

  constructor(
    readonly folder: FileSystemDirectoryHandle,
    readonly note: PackNote,
    private serial: number,
  ) {}

  async size(file: string): Promise<number> {
    return (await fileIn(this.folder, file))?.size ?? 0;
  }

  async append(file: string): Promise<Appender> {
    const handle: FileHandle = await this.folder.getFileHandle(file, { create: true });
    return new OpfsAppender(await openSync(handle));
  }

  async read(file: string, into: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    const handle: FileHandle | undefined = await this.folder.getFileHandle(file).catch(() => undefined);
    if (!handle) return new Uint8Array();
    // Several tabs may read at once. Where the browser has no handles for that, a blob does it, but in fresh memory.
    const opening = handle.createSyncAccessHandle?.({ mode: 'read-only' });
    const sync = opening && (await inTime(opening).catch(() => undefined));
    if (!sync) return new Uint8Array(await (await handle.getFile()).arrayBuffer());
    try {
      const size = sync.getSize();
      const bytes = size <= into.length ? into.subarray(0, size) : new Uint8Array(size);
      for (let at = 0; at < size; ) {
        const read = sync.read(bytes.subarray(at), { at });
        if (read === 0) return bytes.subarray(0, at);
        at += read;
      }
      return bytes;
    } finally {
      sync.close();
    }
  }

  async remove(file: string): Promise<void> {
    delete this.note.files[file];
    await this.folder.removeEntry(file).catch(() => undefined);
  }

  /** One write after the other: several files' downloads share the note. */
  remember(): Promise<void> {
    return this.#after(async () => {
      await rewrite(this.folder, NOTES[this.serial % NOTES.length]!, JSON.stringify({ ...this.note, serial: this.serial }));
      this.serial++;
    });
  }

  touch(): Promise<void> {
    return this.#after(() => rewrite(this.folder, USED, String(Date.now())));
  }

  #after(write: () => Promise<void>): Promise<void> {
    this.#writing = this.#writing.then(write, write);
    return this.#writing;
  }
}

class OpfsAppender implements Appender {
  size: number;

  constructor(readonly handle: SyncHandle) {
    this.size = handle.getSize();
  }

  append(bytes: Uint8Array): void {
    try {
      writeAll(this.handle, bytes, this.size);
    } catch (error) {
      this.handle.truncate(this.size);
      throw error;
    }
    this.size += bytes.length;
  }

  clear(): void {
    this.handle.truncate(0);
    this.size = 0;
  }

  close(): void {
    try {
      this.handle.flush();
    } finally {
      this.handle.close();
    }
  }
}

async function rewrite(folder: FileSystemDirectoryHandle, name: string, text: string): Promise<void> {
  const handle: FileHandle = await folder.getFileHandle(name, { create: true });
  const sync = await openSync(handle);
  try {
    sync.truncate(0);
    writeAll(sync, new TextEncoder().encode(text), 0);
    sync.flush();
  } finally {
    sync.close();
  }
}

function writeAll(handle: SyncHandle, bytes: Uint8Array, at: number): void {
  for (let done = 0; done < bytes.length; ) {
    const wrote = handle.write(done === 0 ? bytes : bytes.subarray(done), { at: at + done });
    // Where there is no room left, Chromium 156 gives 4,294,967,288, an error's number, for the count.
    if (!(wrote > 0 && wrote <= bytes.length - done)) throw new DOMException('the disk took no more bytes', 'QuotaExceededError');
    done += wrote;
  }
}

/**
 * A handle for writing. A worker that was just ended may hold its own a moment longer.
 * @throws DOMException where it stays locked
 */
async function openSync(handle: FileHandle): Promise<SyncHandle> {
  if (!handle.createSyncAccessHandle) throw new Error('there are no synchronous file handles here');
  for (let waited = 0; ; waited += 20) {
    try {
      const sync = await inTime(handle.createSyncAccessHandle());
      if (sync) return sync;
    } catch (error) {
      const busy = error instanceof DOMException && error.name === 'NoModificationAllowedError';
      if (!busy || waited >= 3000) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/**
 * The handle, or undefined where it does not come: Chromium 156 never settles about one request in 10,000 when many are
 * made at a time.
 */
function inTime(opening: Promise<SyncHandle>): Promise<SyncHandle | undefined> {
  return new Promise((resolve, reject) => {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      resolve(undefined);
    }, OPEN_MS);
    opening.then(
      (sync) => {
        clearTimeout(timer);
        if (late) sync.close();
        else resolve(sync);
      },
      (error) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}

/** Addresses hold characters that names of files must not. */
function keyOf(url: string): string {
  return hex(sha256(new TextEncoder().encode(url))).slice(0, 32);
}

async function fileIn(folder: FileSystemDirectoryHandle, name: string): Promise<File | undefined> {
  return folder.getFileHandle(name).then(
    (handle) => handle.getFile(),
    (error) => {
      if (error.name === 'NotFoundError') return undefined;
      throw error;
    },
  );
}

async function textOf(folder: FileSystemDirectoryHandle, name: string): Promise<string> {
  for (let tries = 1; ; tries++) {
    try {
      return (await (await fileIn(folder, name))?.text()) ?? '';
    } catch (error) {
      // Another tab wrote it between the two steps.
      if (!(error instanceof DOMException && error.name === 'NotReadableError') || tries === 10) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** What was remembered last, the pack's address in it, and the number that the next note gets. */
async function latestNote(folder: FileSystemDirectoryHandle): Promise<{ text: string; url?: string; serial: number }> {
  let latest: { text: string; url?: string; serial: number } = { text: '', serial: 0 };
  for (const name of NOTES) {
    const text = await textOf(folder, name);
    try {
      const { url, serial = 0 } = JSON.parse(text) as { url?: unknown; serial?: unknown };
      if (typeof url === 'string' && typeof serial === 'number' && serial >= latest.serial) latest = { text, url, serial: serial + 1 };
    } catch {
      // Never written, or cut off.
    }
  }
  return latest;
}
