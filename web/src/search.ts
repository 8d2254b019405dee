/** Search among many pictures and texts by their vectors: in a worker, kept in the browser, offline. */

import { badArgument } from './errors.js';
import { Extra, type Hit, type IndexModel, type IndexSource, type IndexState } from './extra.js';

export type { Hit, IndexModel, IndexSource } from './extra.js';

/** How an index is opened. */
export interface OpenOptions {
  /** The model that makes the vectors, such as `model.info`. */
  model: IndexModel;
  /** Values of a vector, such as `vector.length`. */
  width: number;
  /** Keep the index in the browser, in the origin's private file system. Default true. */
  keep?: boolean;
  /** The address of a copy of the package's folder, as in `load`. */
  assets?: string | URL;
}

/** How to search. */
export interface SearchOptions {
  /** Tell the best so many. Default 10. */
  top?: number;
  /** Tell only those whose cosine is at least this: none at all means that nothing is like it. Default -1. */
  least?: number;
}

const FOLDER = 'ocelli-indexes';

/** One worker for all indexes of a page. */
let shared: Extra | undefined;
let opened = 0;

/** Vectors by the names of what they were made of. */
export class SearchIndex {
  readonly #extra: Extra;
  readonly #number: number;
  readonly #sources = new Map<string, IndexSource>();
  /** Values of a vector. */
  readonly width: number;

  /**
   * Opens an index by its name: what was saved under it, or an empty one.
   * @throws OcelliError where what was saved is damaged, or is of another model; `SearchIndex.delete` makes room for a new one
   */
  static async open(name: string, options: OpenOptions): Promise<SearchIndex> {
    const { model, width, keep = true, assets } = options;
    if (!Number.isInteger(width) || width < 1) throw badArgument(`\`width\` is ${width}; expected a whole number above 0`, 'Give the length of the vectors, such as `vector.length`.');
    const file = keep ? await saved(name) : undefined;
    shared ??= new Extra(assets === undefined ? undefined : String(assets));
    const number = ++opened;
    const wanted = { checksum: model.checksum, dtype: model.dtype };
    const state = await shared.call('indexOpen', { index: number, width, model: wanted, file }, file ? [file] : []);
    if (state.width !== width || state.model.checksum !== wanted.checksum || state.model.dtype !== wanted.dtype) {
      await shared.call('indexClose', { index: number });
      throw badArgument(
        `the index "${name}" was made by another model (${state.model.dtype}, vectors of ${state.width}); this one has ${wanted.dtype}, vectors of ${width}`,
        'Use the model and dtype of the index, or delete it with `SearchIndex.delete` and make it again.',
      );
    }
    return new SearchIndex(shared, number, keep ? name : undefined, state);
  }

  /** Deletes what was saved under a name; whether there was anything. */
  static async delete(name: string): Promise<boolean> {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER, { create: true });
    return folder.removeEntry(fileOf(name)).then(() => true, () => false);
  }

  private constructor(extra: Extra, number: number, readonly name: string | undefined, state: IndexState) {
    this.#extra = extra;
    this.#number = number;
    this.width = state.width;
    for (const source of state.sources) this.#sources.set(source.name, source);
  }

  /** What the vectors were made of, by name: where `size` and `modified` are what they were, nothing is to be done. */
  get sources(): ReadonlyMap<string, IndexSource> {
    return this.#sources;
  }

  /**
   * Adds a vector, or puts it in the place of the one of that name.
   * @throws OcelliError where it has another width, or no length
   */
  async add(name: string, vector: Float32Array, { size = 0, modified = 0 }: { size?: number; modified?: number } = {}): Promise<void> {
    const source = { name, size, modified };
    if (!(await this.#extra.call('indexAdd', { index: this.#number, source, vector }))) {
      throw badArgument(`the vector of "${name}" has ${vector.length} values, or all are 0 or no numbers; expected ${this.width}`, 'Give a vector as the model of the index makes it.');
    }
    this.#sources.set(name, source);
  }

  /** Removes a vector; whether there was one. */
  async remove(name: string): Promise<boolean> {
    this.#sources.delete(name);
    return this.#extra.call('indexRemove', { index: this.#number, name });
  }

  /** The vectors most like another, best first. */
  search(vector: Float32Array, { top = 10, least = -1 }: SearchOptions = {}): Promise<Hit[]> {
    return this.#extra.call('indexSearch', { index: this.#number, vector, top, least });
  }

  /** Names of what is all but the same, in groups. */
  doubles(least = 0.98): Promise<string[][]> {
    return this.#extra.call('indexDoubles', { index: this.#number, least });
  }

  /** The index as a file, which the command line reads, too. */
  file(): Promise<Uint8Array> {
    return this.#extra.call('indexFile', { index: this.#number });
  }

  /** Keeps it in the browser under its name. */
  async save(): Promise<void> {
    if (this.name === undefined) throw badArgument('this index was opened with `keep: false`', 'Open it without, or store `file()` yourself.');
    const bytes = await this.file();
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER, { create: true });
    const file = await folder.getFileHandle(fileOf(this.name), { create: true });
    // A writable replaces the file when it is closed: until then the old one stays as it is.
    const writable = await file.createWritable();
    await writable.write(bytes as Uint8Array<ArrayBuffer>);
    await writable.close();
  }

  /** Frees its memory. What was not saved is lost. */
  async close(): Promise<void> {
    await this.#extra.call('indexClose', { index: this.#number });
  }
}

/** What was saved under a name; nothing where the browser keeps nothing. */
async function saved(name: string): Promise<ArrayBuffer | undefined> {
  try {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER);
    const file = await (await folder.getFileHandle(fileOf(name))).getFile();
    return await file.arrayBuffer();
  } catch (error) {
    if ((error as DOMException).name === 'NotFoundError') return undefined;
    throw error;
  }
}

/** A name that every file system takes. */
const fileOf = (name: string) => `${encodeURIComponent(name)}.index`;
