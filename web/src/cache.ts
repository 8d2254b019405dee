// What the page sees of the models that are kept on this machine.

import { makeError } from './errors.js';
import { directoryAddress } from './net/address.js';
import { tryHold } from './store/locks.js';
import { keepers } from './store/open.js';
import type { CachedPack } from './types.js';

/** The models that this site keeps on this machine. */
export const cache = {
  /** All of them with their sizes, also those that are not complete, the least recently used first. */
  async list(): Promise<CachedPack[]> {
    const lists = await Promise.all((await keepers()).map((store) => store.list()));
    return lists.flat().sort((a, b) => a.lastUsed - b.lastUsed);
  },

  /**
   * Deletes the model that was loaded from an address. Models that are loaded already go on working.
   * @returns whether there was one
   * @throws OcelliError where a tab is loading it right now
   */
  async delete(url: string | URL): Promise<boolean> {
    return remove(directoryAddress(url));
  },

  /** Deletes all of them. */
  async clear(): Promise<void> {
    for (const { url } of await cache.list()) await remove(url);
  },
};

async function remove(url: string): Promise<boolean> {
  const held = await tryHold(url, 'exclusive');
  if (!held) {
    throw makeError({
      code: 'OCELLI_CACHE',
      message: `${url} is being loaded, in this tab or another`,
      remedy: 'Delete it when it is loaded, or stop loading it first.',
    });
  }
  try {
    let found = false;
    for (const store of await keepers()) found = (await store.delete(url)) || found;
    return found;
  } finally {
    await held.release();
  }
}
