// Brings a pack's files in order, several at a time, and hands each over only after its checksum was found right.

import { type OcelliError, makeError } from '../errors.js';
import type { Downloader } from '../net/download.js';
import type { PackStore } from '../store/store.js';
import type { KnownFile } from './manifest.js';
import type { Meter } from './progress.js';
import { digest, hex } from './sha256.js';

/** One run through a pack's files. */
export class Transfer {
  /** One buffer for all files: garbage of the size of the model would pile up between two collections. */
  #buffer = new Uint8Array();
  readonly #arrivals: Promise<void>[] = [];
  #next = 0;
  #taken = 0;
  #wide = false;
  #wake: (() => void)[] = [];

  /**
   * @param window how many files may be on their way or waiting beyond those taken: what a store in memory holds
   * @param repair called before a file is fetched again, which the files' lock must allow
   */
  constructor(
    readonly files: readonly KnownFile[],
    readonly pack: PackStore,
    readonly downloader: Downloader,
    readonly meter: Meter,
    readonly window: number,
    readonly repair: () => Promise<void>,
  ) {}

  /** Starts downloading the first file. What fails here is thrown where the file is taken. */
  start(): void {
    const settle = this.files.map((file, index) => {
      let resolve!: () => void;
      let reject!: (error: unknown) => void;
      this.#arrivals[index] = new Promise<void>((yes, no) => ((resolve = yes), (reject = no)));
      this.#arrivals[index]!.catch(() => undefined);
      return { file, resolve, reject };
    });
    const work = async () => {
      for (let index = this.#next++; index < settle.length; index = this.#next++) {
        const { file, resolve, reject } = settle[index]!;
        try {
          while (index >= (this.#wide ? this.#taken + this.window : 1)) await new Promise<void>((wake) => this.#wake.push(wake));
          if (!(await isComplete(file, this.pack))) await this.downloader.bring(file, this.pack);
          resolve();
        } catch (error) {
          // One file that cannot be fetched makes the others useless; what has arrived of them stays.
          this.#next = settle.length;
          for (const later of settle.slice(index + 1)) later.reject(error);
          return reject(error);
        }
      }
    };
    const workers = Array.from({ length: Math.min(this.downloader.tuning.connections, settle.length) }, work);
    void Promise.all(workers).then(() => Promise.all(this.#arrivals)).then(() => this.meter.end('download'), () => undefined);
  }

  /** Lets the others follow. */
  widen(): void {
    this.#wide = true;
    this.#rouse();
  }

  #rouse(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }

  /**
   * The bytes of a file, checked. They are valid until the next file is taken.
   * @throws OcelliError where it cannot be fetched, or stays wrong however often it is fetched
   */
  async take(index: number): Promise<Uint8Array<ArrayBuffer>> {
    const file = this.files[index]!;
    await this.#arrivals[index];
    for (let fetched = 1; ; fetched++) {
      // Only now: what a manifest claims takes no memory before as many bytes have come.
      if (this.#buffer.length < file.bytes) this.#buffer = new Uint8Array(file.bytes);
      const bytes = await this.pack.read(file.file, this.#buffer);
      const sum = hex(await digest(bytes));
      if (bytes.length === file.bytes && sum === file.sha256) {
        this.#taken = index + 1;
        this.#rouse();
        this.meter.add('verify', file.bytes, file.file);
        return bytes;
      }
      if (fetched >= this.downloader.tuning.wholes) throw badSum(file, bytes.length, sum, fetched);
      await this.repair();
      this.meter.add('download', -file.bytes);
      await this.pack.remove(file.file);
      this.downloader.distrust(file.file);
      await this.downloader.bring(file, this.pack);
    }
  }
}

/** Whether a file is in place as far as its length and what was noted of it say; its checksum is checked when it is taken. */
export async function isComplete({ file, bytes, sha256 }: KnownFile, pack: PackStore): Promise<boolean> {
  const note = pack.note.files[file];
  return (note === undefined || note.sha256 === sha256) && (await pack.size(file)) === bytes;
}

function badSum({ file, bytes, sha256 }: KnownFile, found: number, sum: string, fetched: number): OcelliError {
  return makeError({
    code: 'OCELLI_BAD_DOWNLOAD',
    message: `${file} is damaged: expected ${bytes} bytes with the sha-256 ${sha256}, found ${found} with ${sum}, after fetching it ${fetched} times`,
    remedy: 'Upload this file to its server again, or use another mirror.',
    details: { file },
  });
}
