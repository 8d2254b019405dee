// A model that outlasts its worker: where that broke down, whoever asks next gets the model loaded anew.

import { cancelled } from './errors.js';
import type { Model } from './model.js';

/** One model at a time, until `dispose`. */
export class ReloadingModel {
  /** None between a loss and the next call. */
  #model: Promise<Model> | undefined;
  #disposed = false;

  constructor(readonly load: () => Promise<Model>) {}

  /**
   * The model; loaded where there is none, or none any more.
   * @throws OcelliError where it cannot be loaded; the next call tries once more
   */
  async get(): Promise<Model> {
    if (this.#disposed) throw cancelled('the model was disposed and its call');
    this.#model ??= this.#start();
    return this.#model;
  }

  /** Frees it, also where it is still on its way. */
  dispose(): void {
    this.#disposed = true;
    this.#model?.then((model) => model.dispose(), () => undefined);
  }

  #start(): Promise<Model> {
    const model = this.load();
    const forget = () => {
      if (this.#model === model) this.#model = undefined;
    };
    model.then(({ lost }) => lost).then(forget, forget);
    return model;
  }
}
