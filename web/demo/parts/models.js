// The model: which one is wanted, loading it once, and letting go of it.

import { ArgumentError, CancelledError, DeviceError, InternalError, load } from '../dist/index.js';
import { event } from './dom.js';

/** The model that comes with the site. */
export const EMBEDDED = 'models/tiny/';

/** What the site offers by name; anything else is an address. */
export const KNOWN = {
  [EMBEDDED]: { name: 'Embedded', says: 'A small model of drawings, trained for this site. It comes with the page.' },
};

/** Formats of weights, in a person's words. */
export const DTYPES = { f32: '32 bits', f16: '16 bits', q8: '8 bits', q4: '4 bits' };

/**
 * @typedef {object} Wanted
 * @property {string} url
 * @property {import('../../src/types.js').DeviceChoice} device
 * @property {import('../../src/types.js').Dtype} dtype
 * @property {boolean} keep on this machine, for the next visit
 */

/** Fires `change` when its state does. */
export class Models extends EventTarget {
  /** @type {Wanted} */
  wanted = { url: EMBEDDED, device: 'auto', dtype: 'q8', keep: true };
  /** @type {'none' | 'loading' | 'ready' | 'failed'} */
  state = 'none';
  /** @type {import('../../src/types.js').Progress | undefined} */
  progress;
  /** @type {import('../../src/model.js').Model | undefined} */
  model;
  /** What it takes now: more than after loading once it has answered. */
  memory;
  #loading;
  #stop;

  get name() {
    return KNOWN[this.wanted.url]?.name ?? this.wanted.url.replace(/\/$/, '').split('/').pop();
  }

  /** Wants another model, or the same on another device; what was loaded goes. @param {Wanted} wanted */
  want(wanted) {
    if (JSON.stringify(wanted) === JSON.stringify(this.wanted) && this.state !== 'failed') return;
    this.wanted = { ...wanted };
    this.drop();
  }

  /**
   * The model that is wanted, loaded by whoever asks first.
   * @param {Blob} [image] what that is about: the model looks at it while the rest of it is on its way
   * @returns {Promise<import('../../src/model.js').Model>}
   */
  get(image) {
    this.#loading ??= this.#load(image);
    return this.#loading;
  }

  /** Stops loading. */
  cancel() {
    this.#stop?.abort('the button was pressed');
  }

  /** Frees what is loaded. */
  drop() {
    this.cancel();
    this.model?.dispose();
    this.model = this.#loading = undefined;
    this.#become('none');
  }

  /** Notes what an answer took. @param {import('../../src/types.js').Answer} answer */
  note({ memory }) {
    this.memory = memory;
    this.dispatchEvent(event('change'));
  }

  /** A device that broke down takes its model along: the next question loads it again. */
  survive(error) {
    if (error instanceof DeviceError || error instanceof InternalError) this.drop();
  }

  async #load(image) {
    const stop = new AbortController();
    this.#stop = stop;
    const { url, device, dtype, keep } = this.wanted;
    this.progress = undefined;
    this.#become('loading');
    try {
      // What is no address at all, the package says.
      if (URL.canParse(url, document.baseURI) && new URL(url, document.baseURI).origin !== location.origin) throw elsewhere(url);
      const model = await load(url, {
        device, dtype, cache: keep, signal: stop.signal, ...(image && { image }),
        onProgress: (progress) => {
          this.progress = progress;
          this.dispatchEvent(event('progress', progress));
        },
      });
      this.model = model;
      this.memory = model.info.memory;
      // One whose worker broke down while nothing was asked: the next question loads it again.
      void model.lost.then(() => this.model === model && this.drop());
      this.#become('ready');
      return model;
    } catch (error) {
      if (this.#stop === stop) {
        this.#loading = undefined;
        this.#become(error instanceof CancelledError ? 'none' : 'failed');
      }
      throw error;
    } finally {
      if (this.#stop === stop) this.#stop = undefined;
    }
  }

  #become(state) {
    this.state = state;
    this.dispatchEvent(event('change'));
  }
}

/** The page's policy says so too, but a worker does not inherit it. */
function elsewhere(url) {
  return new ArgumentError({
    code: 'OCELLI_BAD_ARGUMENT',
    message: `${url} is on another site, and this one asks nothing of others`,
    remedy: 'Put the model’s folder beside the page, and give its address here.',
  });
}
