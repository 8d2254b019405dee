// Keeps an eye on one connection: ends it when it falls silent or when the work is cancelled, and tells its faults from
// those of everything else.

import { cancelled } from '../errors.js';

/** The connection failed: another try may help. */
export class Broken extends Error {}

/** Bytes taken from a connection at a time. */
export const CHUNK_BYTES = 256 << 10;

/** One connection's clock and switch. */
export class Watch {
  readonly #controller = new AbortController();
  readonly #follow = () => this.#controller.abort();

  constructor(
    readonly outer: AbortSignal,
    readonly stallMs: number,
  ) {
    if (outer.aborted) this.#follow();
    else outer.addEventListener('abort', this.#follow, { once: true });
  }

  /** For the request. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /**
   * Waits for a sign of life. Only waiting counts as silence, not the time between.
   * @throws Broken where the connection failed or fell silent; OcelliError where the work was cancelled
   */
  over<T>(sign: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = () => {
        clearTimeout(timer);
        this.outer.removeEventListener('abort', stop);
      };
      // The connection is not trusted to end in time when it is told to.
      const stop = () => {
        settle();
        reject(cancelled('the download', this.outer.reason));
      };
      const timer = setTimeout(() => {
        settle();
        this.#controller.abort();
        reject(new Broken(`nothing came for ${this.stallMs / 1000} s`));
      }, this.stallMs);
      if (this.outer.aborted) return stop();
      this.outer.addEventListener('abort', stop, { once: true });
      sign.then(
        (value) => {
          settle();
          resolve(value);
        },
        (cause) => {
          settle();
          reject(new Broken('the connection failed or broke off', { cause }));
        },
      );
    });
  }

  /** Drops the connection if it is still there. */
  end(): void {
    this.outer.removeEventListener('abort', this.#follow);
    this.#controller.abort();
  }
}

/** The chunks of a body as they come; each is valid until the next is asked for. */
export async function* readChunks(body: ReadableStream<Uint8Array>, watch: Watch): AsyncGenerator<Uint8Array> {
  const byob = byteReader(body);
  if (!byob) {
    const reader = body.getReader();
    for (;;) {
      const { done, value } = await watch.over(reader.read());
      if (done) return;
      yield value;
    }
  }
  // One buffer for all chunks: garbage of the size of the model would pile up between two collections.
  let buffer = new ArrayBuffer(CHUNK_BYTES);
  for (;;) {
    const { done, value } = await watch.over(byob.read(new Uint8Array(buffer)));
    if (value && value.length > 0) yield value;
    if (done || !value) return;
    buffer = value.buffer as ArrayBuffer;
  }
}

/** A reader that fills a buffer it is given; undefined where the browser's network streams are no byte streams. */
export function byteReader(body: ReadableStream<Uint8Array>): ReadableStreamBYOBReader | undefined {
  try {
    return body.getReader({ mode: 'byob' });
  } catch {
    return undefined;
  }
}
