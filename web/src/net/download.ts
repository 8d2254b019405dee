// Brings one file into a store, however often the connection breaks: from one of several servers, going on where the
// last try ended.

import { type ErrorCode, cancelled, makeError } from '../errors.js';
import type { Appender, FileNote, PackStore } from '../store/store.js';
import { addressOf } from './address.js';
import { type Bytes, type Reply, ask } from './range.js';
import { type Tuning, backOff, sleep } from './retry.js';
import { Broken, Watch, readChunks } from './watch.js';

/** A file of a model. */
export interface FileEntry {
  readonly file: string;
  /** Its length, where a manifest says it. */
  readonly bytes?: number;
  /** Its checksum, in hexadecimal, where a manifest says it. */
  readonly sha256?: string;
  /** It need not exist. */
  readonly optional?: boolean;
  /** What is there of it is another version: its end is not to be asked for. */
  readonly whole?: boolean;
}

/** Up to here an answer that repeats what is there already is cheaper to skip than to ask again. */
const SKIP_BYTES = 1 << 20;

/** What one try came to. */
type Outcome = Exclude<Reply, Bytes> | { kind: 'done' } | { kind: 'broken'; why: string; cause: unknown } | { kind: 'bare' };

/** The state of one file's download. */
interface Task {
  readonly entry: FileEntry;
  readonly pack: PackStore;
  readonly appender: Appender;
  note: FileNote;
  failures: number;
  whole: boolean;
  /** Ask for ranges of whatever version there is: the checksum will tell. */
  bare: boolean;
}

/** Downloads files of one model from its mirrors. */
export class Downloader {
  /** The mirror that worked last. */
  #mirror = 0;
  /** When each mirror may be asked again. */
  readonly #rest = new Map<number, number>();
  /** Whether any server ever answered. */
  #reached = false;
  /** Files to be asked for without a range. */
  readonly #plain = new Set<string>();

  /**
   * @param mirrors directories with the same files, each address with a slash at its end; the first is the model's own
   * @param onBytes called with the change in the bytes in place, and with the bytes that came over the network
   * @param onLength called with the length of a file that no manifest gives, where its server says it
   */
  constructor(
    readonly mirrors: readonly string[],
    readonly tuning: Tuning,
    readonly signal: AbortSignal,
    readonly onBytes: (file: string, change: number, arrived: number) => void,
    readonly onLength: (file: string, bytes: number) => void = () => undefined,
  ) {}

  /**
   * Appends to a file until all of it is in the store; its checksum is for the caller to check.
   * @returns false where it is optional and no mirror has it
   * @throws OcelliError, or what the store throws
   */
  async bring(entry: FileEntry, pack: PackStore): Promise<boolean> {
    const appender = await pack.append(entry.file, entry.bytes);
    let came: boolean | undefined;
    try {
      const known = pack.note.files[entry.file];
      const task: Task = { entry, pack, appender, note: known ?? {}, failures: 0, whole: entry.whole === true || this.#plain.has(entry.file), bare: false };
      const other = known !== undefined && known.sha256 !== entry.sha256;
      if (other || (entry.bytes !== undefined && appender.size > entry.bytes)) await this.#restart(task);
      // What came before a note was lost is gone on with: the checksum will tell.
      else if (!known) await this.#begin(task);
      came = (entry.bytes !== undefined && appender.size === entry.bytes) || (await this.#persist(task));
    } finally {
      await appender.close();
    }
    if (!came) await pack.remove(entry.file);
    return came;
  }

  /** A file came with wrong bytes: another mirror is asked first next time, and in the plainest way. */
  distrust(file: string): void {
    this.#plain.add(file);
    this.#mirror = (this.#mirror + 1) % this.mirrors.length;
  }

  /** Tries until the file is there or there is nothing left to try. */
  async #persist(task: Task): Promise<boolean> {
    const { entry, appender } = task;
    const useless = new Map<number, Outcome>();
    let mirror = this.#mirror;
    for (;;) {
      while (useless.has(mirror)) mirror = (mirror + 1) % this.mirrors.length;
      await this.#wait(mirror);
      const before = appender.size;
      const url = addressOf(entry.file, this.mirrors[mirror]!);
      const outcome = await this.#attempt(task, url);
      // Getting ahead is what counts: a connection that breaks every minute still brings a large file.
      if (appender.size - before > Math.min(SKIP_BYTES, (entry.bytes ?? 0) / 16)) task.failures = 0;
      switch (outcome.kind) {
        case 'done':
          this.#mirror = mirror;
          return true;
        case 'bare':
          task.bare = true;
          continue;
        case 'missing':
        case 'refused':
          useless.set(mirror, outcome);
          if (useless.size < this.mirrors.length) continue;
          if (outcome.kind === 'missing' && entry.optional) return false;
          throw this.#fault(outcome, url, entry);
        case 'wrong':
          task.whole = outcome.whole;
      }
      task.failures++;
      const pause = outcome.kind === 'later' ? (outcome.afterMs ?? 0) : 0;
      // Whoever never answered at all is more likely wrong than overloaded.
      const tries = this.#reached ? this.tuning.tries : Math.min(3, this.tuning.tries);
      if (task.failures >= tries || pause > this.tuning.patienceMs) throw this.#fault(outcome, url, entry);
      const delay = Math.max(pause, backOff(task.failures, this.tuning));
      this.#rest.set(mirror, Math.max(this.#rest.get(mirror) ?? 0, performance.now() + pause));
      mirror = (mirror + 1) % this.mirrors.length;
      // Another server need not be waited for as long as the one that asked for a pause.
      await sleep(this.mirrors.length > 1 ? backOff(task.failures, this.tuning) : delay, this.signal);
    }
  }

  /** A server that asked for a pause gets it from all files. */
  async #wait(mirror: number): Promise<void> {
    const ms = (this.#rest.get(mirror) ?? 0) - performance.now();
    if (ms > 0) await sleep(ms, this.signal);
  }

  async #attempt(task: Task, url: string): Promise<Outcome> {
    const { entry, appender, note } = task;
    if (this.signal.aborted) throw cancelled('the download', this.signal.reason);
    // Without a checksum nothing would tell that two servers' files differ.
    if (appender.size > 0 && entry.sha256 === undefined && (note.url !== url || !note.validator)) await this.#restart(task);
    const watch = new Watch(this.signal, this.tuning.stallMs);
    try {
      const { whole } = task;
      const from = whole ? 0 : appender.size;
      const validator = task.bare || note.url !== url ? undefined : note.validator;
      const reply = await watch.over(ask({ url, from, validator, bytes: entry.bytes, whole }, watch.signal));
      this.#reached = true;
      if (reply.kind !== 'bytes') return reply;
      if (reply.start < appender.size) {
        if (validator && entry.sha256 !== undefined && appender.size > SKIP_BYTES) return { kind: 'bare' };
        if (entry.sha256 === undefined && reply.validator !== task.note.validator) await this.#restart(task);
      }
      return await this.#fill(task, reply, url, watch);
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
      return { kind: 'broken', why: error.message, cause: error.cause };
    } finally {
      watch.end();
    }
  }

  /** Appends what an answer brings, as far as it is new and within the file's length. */
  async #fill(task: Task, { body, start, total, validator }: Bytes, url: string, watch: Watch): Promise<Outcome> {
    const { entry, pack, appender, note } = task;
    const length = entry.bytes ?? total;
    if (entry.bytes === undefined && total !== undefined && note.total !== total) {
      this.onLength(entry.file, total - (note.total ?? 0));
      note.total = total;
    }
    let written: Promise<void> | undefined;
    if (note.url !== url || note.validator !== validator) {
      note.url = url;
      if (validator === undefined) delete note.validator;
      else note.validator = validator;
      pack.note.files[entry.file] = note;
      // Meanwhile bytes come in: whatever waits inside the browser when a connection breaks is lost.
      written = pack.remember();
      written.catch(() => undefined);
    }
    let at = start;
    for await (const chunk of readChunks(body, watch)) {
      const fresh = chunk.subarray(Math.max(0, appender.size - at), length === undefined ? undefined : Math.max(0, length - at));
      at += chunk.length;
      if (fresh.length > 0) await appender.append(fresh);
      this.onBytes(entry.file, fresh.length, chunk.length);
      if (appender.size === length) break;
    }
    await written;
    if (length !== undefined && appender.size < length) {
      return { kind: 'broken', why: `it ended after ${at} of ${length} bytes`, cause: undefined };
    }
    if (entry.bytes === undefined) {
      note.total = appender.size;
      note.complete = true;
      await pack.remember();
    }
    return { kind: 'done' };
  }

  async #restart(task: Task): Promise<void> {
    const { entry, appender } = task;
    if (appender.size > 0) this.onBytes(entry.file, -appender.size, 0);
    await appender.clear();
    await this.#begin(task);
  }

  async #begin(task: Task): Promise<void> {
    const { entry, pack } = task;
    task.note = pack.note.files[entry.file] = entry.sha256 === undefined ? {} : { sha256: entry.sha256 };
    await pack.remember();
  }

  #fault(outcome: Exclude<Outcome, { kind: 'done' | 'bare' }>, url: string, { file }: FileEntry): Error {
    const make = (code: ErrorCode, message: string, remedy: string, cause?: unknown) =>
      makeError({ code, message, remedy, details: { file } }, cause);
    const others = this.mirrors.length > 1 ? `, nor from ${this.mirrors.length - 1} other server(s)` : '';
    switch (outcome.kind) {
      case 'missing':
        return make('OCELLI_NOT_FOUND', `${url} does not exist (status ${outcome.status})`,
          `Give the address of a complete model; it must hold ${file}.`);
      case 'refused':
        return make('OCELLI_IO', `${url} could not be fetched (status ${outcome.status})${others}`,
          'Check the address, and whether its server asks for a login.');
      case 'later':
        return make('OCELLI_IO', `${url} could not be fetched: ${outcome.why}${others}`,
          'Try again later: what has arrived is kept. If a login page came, log in first.');
      case 'wrong':
        return make('OCELLI_BAD_DOWNLOAD', `${url} is not the file that was meant: ${outcome.why}${others}`,
          'Upload the model to its server again, or use another mirror.');
      case 'broken':
        return make('OCELLI_IO', `${url} could not be fetched: ${outcome.why}${others}`,
          'Check the connection, the address, and that its server and the page\'s policy allow this page to read it; what has arrived is kept.',
          outcome.cause);
    }
  }
}
