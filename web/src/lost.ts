// A lost device: how it is told from other faults, and how a text goes on that was cut off by it.

/** Whether the device went away; whatever else failed would fail again. */
export function isLost(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === 'OCELLI_DEVICE_LOST';
}

/** Passes a text on piece by piece. After `rewind` the same text comes again from its start, and only what is new goes on. */
export class Replay {
  /** How much was passed on, and how much of that is to come again. */
  #given = 0;
  #again = 0;

  constructor(readonly emit: (piece: string) => void) {}

  /** The next piece. It may stand for the end of the text before and the start of the new one. */
  add(piece: string): void {
    const fresh = piece.slice(this.#again);
    this.#again -= piece.length - fresh.length;
    if (fresh === '') return;
    this.#given += fresh.length;
    this.emit(fresh);
  }

  /** The text will come again. */
  rewind(): void {
    this.#again = this.#given;
  }
}
