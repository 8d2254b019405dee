// A lost device: how it is told from other faults, and how a text goes on that was cut off by it.

import { makeError } from './errors.js';

/** Whether the device went away; whatever else failed would fail again. */
export function isLost(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === 'OCELLI_DEVICE_LOST';
}

/** Passes a text on piece by piece. After `rewind` the text comes again from its start, and only what is new goes on. */
export class Replay {
  /** What was passed on. */
  #text = '';
  /** How much of it has come again. */
  #at = 0;
  #loss: unknown;
  #strayed = false;

  constructor(readonly emit: (piece: string) => void) {}

  /** The next piece. It may stand for the end of the text before and the start of the new one. */
  add(piece: string): void {
    const known = this.#text.slice(this.#at, this.#at + piece.length);
    if (!piece.startsWith(known)) this.#strayed = true;
    if (this.#strayed) return;
    this.#at += piece.length;
    const fresh = piece.slice(known.length);
    if (fresh === '') return;
    this.#text += fresh;
    this.emit(fresh);
  }

  /** The text will come again. */
  rewind(loss: unknown): void {
    this.#at = 0;
    this.#loss = loss;
  }

  /** @throws OcelliError where the repeated text was another one: what was passed on cannot be taken back */
  finish(): void {
    if (!this.#strayed && this.#at >= this.#text.length) return;
    throw makeError({
      code: 'OCELLI_DEVICE_LOST',
      message: 'the device was lost, and on the new one the same request gave another text',
      remedy: 'Ask again.',
    }, this.#loss);
  }
}
