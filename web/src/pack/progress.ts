// One stream of progress over everything that loading does. It only ever goes forward.

import type { Phase, Progress } from '../types.js';

const PHASES: readonly Phase[] = ['wait', 'download', 'verify', 'upload', 'warmup'];
/** Roughly how a load's time divides, over an ordinary connection. */
const SHARES: Record<Phase, number> = { wait: 0, download: 0.85, verify: 0.03, upload: 0.1, warmup: 0.02 };
/** Events are at least this far apart, but for the first and last of each phase. */
const EVENT_MS = 50;
/** The stretch of time that a rate is taken over. */
const RATE_MS = 5000;

interface Part {
  done: number;
  /** The highest `done` that was reported: a file fetched again does not take progress back. */
  peak: number;
  total: number | undefined;
  ended: boolean;
}

/** Counts what all phases have done; they overlap, and the earliest that is not finished gives the event its name. */
export class Meter {
  readonly #parts = Object.fromEntries(
    PHASES.map((phase) => [phase, { done: 0, peak: 0, total: undefined, ended: false }]),
  ) as unknown as Record<Phase, Part>;
  #phase = 0;
  #last = -Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #fraction = 0;
  #samples: { at: number; done: number }[] = [];
  /** Bytes of the current phase that took no time: they were there already. */
  #free = 0;

  constructor(
    readonly report: (progress: Progress) => void,
    readonly now: () => number = () => performance.now(),
  ) {}

  /** Sets what a phase has to do, in bytes. */
  expect(phase: Phase, total: number): void {
    this.#parts[phase].total = total;
  }

  /** More will come than was expected so far. */
  expectMore(phase: Phase, bytes: number): void {
    this.expect(phase, (this.#parts[phase].total ?? 0) + bytes);
  }

  /** Another tab is at work: this one waits for it. */
  wait(): void {
    this.#send(undefined);
  }

  /**
   * @param bytes done now; negative where bytes turned out to be of no use
   * @param free they were there already and say nothing about speed
   */
  add(phase: Phase, bytes: number, file?: string, free = false): void {
    const current = PHASES[this.#phase] === phase;
    this.#parts[phase].done += bytes;
    if (free && current) this.#free += bytes;
    const since = this.now() - this.#last;
    if (since >= EVENT_MS) return this.#send(current ? file : undefined);
    // The last of a series must not be lost: a stall may follow it.
    this.#timer ??= setTimeout(() => this.#send(current ? file : undefined), EVENT_MS - since);
  }

  /** The phase has nothing left to do. */
  end(phase: Phase): void {
    const part = this.#parts[phase];
    part.ended = true;
    part.done = part.total = Math.max(part.done, part.peak);
    while (this.#phase < PHASES.length && this.#parts[PHASES[this.#phase]!].ended) {
      if (phase !== 'wait') this.#send(undefined);
      if (this.#phase === PHASES.length - 1) return;
      this.#phase++;
      this.#samples = [];
      this.#free = this.#parts[PHASES[this.#phase]!].done;
      this.#last = -Infinity;
    }
  }

  /** Nothing more will come: the load failed. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  #send(file: string | undefined): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const now = this.now();
    this.#last = now;
    const phase = PHASES[this.#phase]!;
    const part = this.#parts[phase];
    part.peak = Math.max(part.peak, part.done);
    const total = part.total === undefined ? undefined : Math.max(part.total, part.peak);
    const rate = this.#rate(now, part.peak - this.#free);
    this.#fraction = Math.max(this.#fraction, PHASES.reduce((sum, p) => sum + SHARES[p] * share(this.#parts[p]), 0));
    this.report({
      phase,
      done: part.peak,
      total,
      rate,
      secondsLeft: rate && total !== undefined ? (total - part.peak) / rate : undefined,
      fraction: Math.min(1, this.#fraction),
      ...(file !== undefined && { file }),
    });
  }

  /** Bytes a second over the last moments. */
  #rate(at: number, done: number): number | undefined {
    this.#samples.push({ at, done });
    while (this.#samples.length > 2 && at - this.#samples[1]!.at >= RATE_MS) this.#samples.shift();
    const first = this.#samples[0]!;
    return at - first.at >= EVENT_MS ? Math.max(0, (done - first.done) / ((at - first.at) / 1000)) : undefined;
  }
}

function share({ done, total, ended }: Part): number {
  if (ended) return 1;
  return total ? Math.min(1, Math.max(0, done / total)) : 0;
}
