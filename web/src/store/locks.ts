// Makes tabs take turns: one downloads a pack while the others wait for it, and nobody deletes what another one reads.

import { cancelled } from '../errors.js';

/** A lock that is held until it is released, or the tab or worker ends. */
export interface Held {
  /** Resolves when others, and this tab itself, can have it. */
  release(): Promise<void>;
}

/** Reading goes together with reading; changing with nothing. */
export type Mode = 'shared' | 'exclusive';

const name = (url: string) => `ocelli:${url}`;

/** Takes a pack's lock if it is free now. Where the browser has no locks, each tab is on its own. */
export function tryHold(url: string, mode: Mode): Promise<Held | undefined> {
  return take(url, { mode, ifAvailable: true });
}

/**
 * Waits for a pack's lock.
 * @throws OcelliError where the wait is cancelled
 */
export async function hold(url: string, mode: Mode, signal: AbortSignal): Promise<Held> {
  try {
    const held = await take(url, { mode, signal });
    if (held) return held;
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  throw cancelled('waiting for another tab', signal.reason);
}

function take(url: string, options: LockOptions): Promise<Held | undefined> {
  const locks: LockManager | undefined = navigator.locks;
  if (!locks) return Promise.resolve({ release: () => Promise.resolve() });
  return new Promise((resolve, reject) => {
    const until = (lock: Lock | null) => {
      if (!lock) return resolve(undefined);
      return new Promise<void>((end) => {
        const release = () => {
          end();
          return over;
        };
        resolve({ release });
      });
    };
    const over: Promise<void> = locks.request(name(url), options, until).then(() => undefined);
    over.catch(reject);
  });
}

/** One load's turn at a pack: several may read it at once, one may change it. */
export class Turn {
  #held: Held | undefined;
  #mode: Mode = 'shared';

  /** @param onWait called where another tab must be waited for */
  constructor(
    readonly url: string,
    readonly signal: AbortSignal,
    readonly onWait: () => void,
  ) {}

  /** Takes the lock, or changes it; in between others may have had it. */
  async take(mode: Mode): Promise<void> {
    if (this.#held && (this.#mode === 'exclusive' || mode === 'shared')) return;
    await this.release();
    this.#held = await tryHold(this.url, mode);
    if (!this.#held) {
      this.onWait();
      this.#held = await hold(this.url, mode, this.signal);
    }
    this.#mode = mode;
  }

  async release(): Promise<void> {
    const held = this.#held;
    this.#held = undefined;
    await held?.release();
  }
}
