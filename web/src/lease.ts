// Models that several elements share: loaded by the first, disposed of behind the last.

import { load } from './load.js';
import type { Model } from './model.js';

interface Shared {
  readonly model: Promise<Model>;
  readonly stop: AbortController;
  users: number;
}

const models = new Map<string, Shared>();

/** A share in a model. */
export interface Lease {
  readonly model: Promise<Model>;
  /** Gives it back, once. */
  release(): void;
}

/**
 * A share in the model of an address, which is loaded where nobody has it yet.
 * @param url without it, the embedded model
 * @param assets the address of a copy of the package
 */
export function lease(url: string | undefined, assets: string | undefined): Lease {
  const key = JSON.stringify([url, assets]);
  let shared = models.get(key);
  if (!shared) {
    shared = start(url, assets);
    models.set(key, shared);
    // One that could not be loaded is tried again by the next who asks.
    shared.model.catch(() => models.delete(key));
  }
  const { model } = shared;
  shared.users++;
  return { model, release: () => leave(key, shared) };
}

function start(url: string | undefined, assets: string | undefined): Shared {
  const stop = new AbortController();
  const options = { signal: stop.signal, ...(assets !== undefined && { assets }) };
  return { model: url === undefined ? load(options) : load(url, options), stop, users: 0 };
}

function leave(key: string, shared: Shared): void {
  shared.users--;
  // Later, since an element that is moved leaves the page and is back at once.
  setTimeout(() => {
    if (shared.users > 0 || models.get(key) !== shared) return;
    models.delete(key);
    shared.stop.abort();
    shared.model.then((model) => model.dispose(), () => undefined);
  });
}
