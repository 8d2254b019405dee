// Chooses where models are kept, and turns what storage says into errors that can be acted on.

import { OcelliError, makeError } from '../errors.js';
import { CacheApiStore } from './cache-api.js';
import { MemoryStore } from './memory.js';
import { OpfsStore } from './opfs.js';
import type { Store } from './store.js';

/** The best place that this worker may write to; `keep: false` asks for memory alone. */
export async function openStore(keep: boolean): Promise<Store> {
  if (!keep) return new MemoryStore();
  const files = await OpfsStore.open().catch(() => undefined);
  if (await files?.works()) return files!;
  return (await CacheApiStore.works()) ? new CacheApiStore() : new MemoryStore();
}

/** Every place that may hold packs and can be listed from here. */
export async function keepers(): Promise<Store[]> {
  const files = await OpfsStore.open().catch(() => undefined);
  return [...(files ? [files] : []), ...((await CacheApiStore.works()) ? [new CacheApiStore()] : [])];
}

/** Bytes that this site may still store; undefined where the browser does not say. */
export async function room(): Promise<number | undefined> {
  const storage: StorageManager | undefined = navigator.storage;
  const { quota, usage } = (await storage?.estimate?.().catch(() => undefined)) ?? {};
  return quota === undefined ? undefined : Math.max(0, quota - (usage ?? 0));
}

/**
 * The error for a pack that needs more bytes than there is room for. Other packs are offered, never deleted.
 * @param needed bytes; undefined where it is not known how many are still to come
 */
export async function noSpace(store: Store, url: string, needed: number | undefined, available: number | undefined, cause?: unknown): Promise<OcelliError> {
  const offer = (await store.list().catch(() => [])).filter((pack) => pack.url !== url && pack.bytes > 0);
  const kept = offer.reduce((sum, pack) => sum + pack.bytes, 0);
  const wanted = needed === undefined ? '' : ` ${needed}`;
  // A browser that refuses a write may still reckon with more room than that takes.
  const short = needed !== undefined && available !== undefined && available < needed;
  const has = short ? `there is room for ${available}, which is ${needed - available} too little` : 'the browser gives less';
  return makeError({
    code: 'OCELLI_NO_SPACE',
    message: `${url} needs${wanted} more bytes of storage; ${has}`,
    remedy: offer.length > 0
      ? `Free space on the disk, or delete other models with cache.delete(): ${offer.length} hold ${kept} bytes, see \`details.offer\`.`
      : 'Free space on the disk, choose a smaller dtype, or load with `cache: false`.',
    details: { ...(needed !== undefined && { needed }), ...(available !== undefined && { available }), offer },
  }, cause);
}

/** What a failing store, or a browser without memory, becomes; errors of this package stay as they are. */
export async function storeFault(error: unknown, store: Store, url: string, missing?: () => Promise<number>): Promise<unknown> {
  if (error instanceof OcelliError) return error;
  if (error instanceof DOMException && error.name === 'QuotaExceededError') {
    return noSpace(store, url, await missing?.().catch(() => undefined), await room(), error);
  }
  if (error instanceof RangeError) {
    return makeError({
      code: 'OCELLI_OUT_OF_MEMORY',
      message: `the browser has no memory for the files of ${url}`,
      remedy: 'Close other tabs, or choose a smaller model.',
    }, error);
  }
  return makeError({
    code: 'OCELLI_CACHE',
    message: `${url} cannot be kept (${store.kind}): ${error}`,
    remedy: 'Reload the page; if it happens again, delete the model with cache.delete(), or load with `cache: false`.',
  }, error);
}
