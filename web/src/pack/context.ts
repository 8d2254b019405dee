// What all parts of one load share.

import { DEFAULT_TUNING, type Tuning } from '../net/retry.js';
import type { Store } from '../store/store.js';
import type { Meter } from './progress.js';

/** One load: from where, to where, how, and until when. */
export interface Context {
  /** The directory's address, with a slash at its end. */
  readonly url: string;
  /** Further directories with the same files. */
  readonly mirrors: readonly string[];
  readonly store: Store;
  readonly tuning: Tuning;
  readonly meter: Meter;
  readonly signal: AbortSignal;
  /** The parts of a model that are wanted; all where it does not say. */
  readonly parts?: readonly string[];
  /** Use what is kept without asking the server whether it changed. */
  readonly trust?: boolean;
}

/** The usual tuning with some of it changed. */
export function tune(changes: Partial<Tuning>): Tuning {
  return { ...DEFAULT_TUNING, ...changes };
}
