// Models that several elements share: loaded by the first, disposed of after the last, loaded anew where one broke down.

import { load } from './load.js';
import type { Model } from './model.js';

interface Entry {
  readonly model: Promise<Model>;
  readonly stop: AbortController;
  users: number;
}

const models = new Map<string, Entry>();

/** A share in a model. */
export interface SharedModel {
  readonly model: Promise<Model>;
  /** Gives it back, once. */
  release(): void;
}

/**
 * A share in the model of an address, which is loaded where nobody has it yet.
 * @param url without it, the embedded model
 * @param assets the address of a copy of the package
 */
export function shareModel(url: string | undefined, assets: string | undefined): SharedModel {
  const key = JSON.stringify([url, assets]);
  const shared = models.get(key) ?? share(key, start(url, assets));
  const { model } = shared;
  shared.users++;
  return { model, release: () => leave(key, shared) };
}

/** Has others find it, as long as it can be used: one that could not be loaded, or broke down, is loaded anew by the next. */
function share(key: string, shared: Entry): Entry {
  const forget = () => void (models.get(key) === shared && models.delete(key));
  models.set(key, shared);
  shared.model.then(({ lost }) => lost).then(forget, forget);
  return shared;
}

function start(url: string | undefined, assets: string | undefined): Entry {
  const stop = new AbortController();
  const options = { signal: stop.signal, ...(assets !== undefined && { assets }) };
  return { model: url === undefined ? load(options) : load(url, options), stop, users: 0 };
}

function leave(key: string, shared: Entry): void {
  shared.users--;
  // Later, since an element that is moved leaves the page and is back at once.
  setTimeout(() => {
    if (shared.users > 0 || models.get(key) !== shared) return;
    models.delete(key);
    shared.stop.abort();
    shared.model.then((model) => model.dispose(), () => undefined);
  });
}
