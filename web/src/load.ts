// Starts a worker and has it load a model, or list the devices.

import { embedded } from './embedded.js';
import { type OcelliError, aborted, badArgument, cancelled } from './errors.js';
import { Link } from './link.js';
import type { SentLoadOptions, SentPicture } from './messages.js';
import { Model } from './model.js';
import { copyAddress, directoryAddress } from './net/address.js';
import { bitmapsOf, close, sendable } from './sendable.js';
import type { DeviceReport, LoadOptions, Picture } from './types.js';

/**
 * Loads the model that comes with the package.
 *
 * @throws OcelliError
 */
export async function load(options?: LoadOptions): Promise<Model>;
/**
 * Loads a pack, as `ocelli convert` writes it, or a Hugging Face directory: `config.json`, `tokenizer.json`,
 * `preprocessor_config.json` and `model.safetensors`, or its index and shards. A pack is streamed to the device and checked
 * file by file; a directory is held in memory as a whole.
 *
 * @param url the directory's address, relative to the page
 * @throws OcelliError
 */
export async function load(url: string | URL, options?: LoadOptions): Promise<Model>;
export async function load(first?: string | URL | LoadOptions | null, second?: LoadOptions | null): Promise<Model> {
  const [url, given] = typeof first === 'string' || first instanceof URL ? [first, second] : [undefined, first];
  const options = given ?? {};
  const { onProgress, signal } = options;
  const sent = loadOptions(options);
  const directory = url === undefined ? embedded(sent.assets) : directoryAddress(url);
  if (sent.cache && !signal?.aborted) await askToKeep();
  const pictures = options.image === undefined ? [] : await firstPicture(options.image, signal);
  let model: Model | undefined;
  let stop: (() => void) | undefined;
  try {
    if (signal?.aborted) throw cancelled('loading the model', signal.reason);
    return await new Promise<Model>((resolve, reject) => {
      const onEnd = (error: OcelliError) => (model ? model.lose(error) : reject(error));
      const link = new Link((message) => {
        if (message.type === 'progress') {
          onProgress?.(message.progress);
        } else if (message.type === 'loaded') {
          model = new Model(link, message.info);
          resolve(model);
        } else {
          model?.receive(message);
        }
      }, onEnd, sent.assets, options.worker === false);
      // The worker serves this model alone, so ending it is the surest way to stop at once.
      stop = () => link.close(cancelled('loading the model', signal?.reason));
      signal?.addEventListener('abort', stop, { once: true });
      const message = { type: 'load' as const, url: directory, options: sent };
      const [picture] = pictures;
      if (picture === undefined) return link.send(message);
      try {
        link.send({ ...message, picture }, bitmapsOf(pictures));
      } catch {
        link.send(message);
      }
    });
  } finally {
    close(pictures);
    if (stop) signal?.removeEventListener('abort', stop);
  }
}

/**
 * The devices of this browser that models can be loaded on.
 *
 * @param options where a copy of the package lies
 * @throws OcelliError
 */
export async function devices({ assets }: Pick<LoadOptions, 'assets'> = {}): Promise<DeviceReport[]> {
  return new Promise((resolve, reject) => {
    const link = new Link((message) => {
      if (message.type !== 'devices') return;
      resolve(message.devices);
      link.close(cancelled('listing the devices'));
    }, reject, assets === undefined ? undefined : copyAddress(assets));
    link.send({ type: 'devices' });
  });
}

/** None where it cannot be read: what is wrong with it is told by the question about it. */
async function firstPicture(image: Picture, signal: AbortSignal | undefined): Promise<SentPicture[]> {
  try {
    return await sendable(image, aborted(signal, 'loading the model'));
  } catch (error) {
    if (signal?.aborted) throw error;
    return [];
  }
}

function loadOptions(options: LoadOptions): SentLoadOptions {
  const { device = 'auto', dtype = 'q8', parts, maxBindingMib, asRealGpu, mirrors = [], connections = 4, cache = true } = options;
  const assets = options.assets === undefined ? undefined : copyAddress(options.assets);
  if (!Number.isInteger(connections) || connections < 1 || connections > 32) {
    throw badArgument(`\`connections\` is ${connections}; expected a whole number from 1 to 32`, 'Leave it out, or give such a number.');
  }
  return {
    device, dtype, mirrors: mirrors.map(directoryAddress), connections, cache,
    ...(assets !== undefined && { assets }), ...(parts && { parts: [...parts] }), ...(maxBindingMib !== undefined && { maxBindingMib }), ...(asRealGpu && { asRealGpu }),
  };
}

/** A browser that asks its user first is not waited for longer: an unanswered question must not hold a load up. */
const ASKED_MS = 1000;

/**
 * Asks the browser not to throw the site's data away when space gets short, before any of it is there: what it grants may
 * raise the quota. Whether it agrees changes nothing else here.
 */
async function askToKeep(): Promise<void> {
  const storage: StorageManager | undefined = navigator.storage;
  const asked = storage?.persist?.().catch(() => undefined);
  await Promise.race([asked, new Promise((resolve) => setTimeout(resolve, ASKED_MS))]);
}
