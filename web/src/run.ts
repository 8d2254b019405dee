// One generation as the caller sees it: its pieces while they come, and the answer at the end.

import type { Answer } from './types.js';

/**
 * A running generation.
 *
 * `for await (const piece of run)` gives the text as it comes; leaving that loop early cancels the rest.
 * `await run` gives the result. Both may be used, in any order: pieces are kept until the run is dropped.
 */
export class Run<T> implements AsyncIterable<string>, PromiseLike<T> {
  /** The whole answer with its tokens and timings; rejects with an `OcelliError`. */
  readonly answer: Promise<Answer>;
  /** What the call was for; rejects with an `OcelliError`. */
  readonly result: Promise<T>;
  readonly #cancel: (reason?: unknown) => void;
  readonly #pieces: string[] = [];
  #ended = false;
  #wake: (() => void)[] = [];

  /** @internal For `Model` only: runs `work`, which hands over pieces and in the end the answer, of which `pick` takes the result. */
  constructor(
    work: (emit: (piece: string) => void) => Promise<Answer>,
    pick: (answer: Answer) => T,
    cancel: (reason?: unknown) => void,
  ) {
    this.#cancel = cancel;
    this.answer = work((piece) => {
      this.#pieces.push(piece);
      this.#notify();
    }).finally(() => {
      this.#ended = true;
      this.#notify();
    });
    // Whoever only reads the pieces learns of a failure there; the page's log should not call it unhandled.
    this.result = this.answer.then(pick);
    this.result.catch(() => undefined);
  }

  /** Stops the generation; the result rejects with `OCELLI_CANCELLED` unless it was already there. */
  cancel(reason?: unknown): void {
    this.#cancel(reason);
  }

  /** Lets `await run` give the result. */
  then<A = T, B = never>(
    onResult?: ((result: T) => A | PromiseLike<A>) | null,
    onError?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.result.then(onResult, onError);
  }

  /** The pieces of text from the first on; throws where the run failed. */
  async *[Symbol.asyncIterator](): AsyncGenerator<string, void, undefined> {
    let complete = false;
    try {
      for (let next = 0; ; next++) {
        while (next >= this.#pieces.length && !this.#ended) await new Promise<void>((wake) => this.#wake.push(wake));
        const piece = this.#pieces[next];
        if (piece === undefined) break;
        yield piece;
      }
      complete = true;
      await this.result;
    } finally {
      if (!complete) this.#cancel('the loop over the pieces was left');
    }
  }

  #notify(): void {
    const waiting = this.#wake;
    this.#wake = [];
    for (const wake of waiting) wake();
  }
}
