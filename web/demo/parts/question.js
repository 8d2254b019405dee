// One question about one picture, from being asked to its answer.

import { CancelledError } from '../dist/index.js';
import { event } from './dom.js';
import { TASKS } from './tasks.js';

/** Fires `piece` as text comes and `change` when its state does. */
export class Question extends EventTarget {
  /** @type {'waiting' | 'running' | 'done' | 'failed' | 'cancelled'} */
  state = 'waiting';
  text = '';
  /** @type {import('../../src/types.js').Answer | undefined} */
  answer;
  error;
  /** Numbers of the objects that are switched off. */
  hidden = new Set();
  /** What answered: for the record that is saved. */
  model = '';
  /** Which model was to answer, and how. @type {import('./models.js').Wanted} */
  wanted;
  #stop = new AbortController();

  /**
   * @param {import('./picture.js').Shown} picture
   * @param {import('./tasks.js').Asked} asked
   * @param {object} options
   */
  constructor(picture, asked, options) {
    super();
    this.picture = picture;
    this.asked = asked;
    this.options = options;
  }

  get title() {
    return TASKS[this.asked.task].title(this.asked);
  }

  get over() {
    return this.state !== 'waiting' && this.state !== 'running';
  }

  cancel() {
    this.#stop.abort('the button was pressed');
  }

  /** Has it answered. Never rejects: what went wrong is its state. @param {import('./models.js').Models} models */
  async run(models) {
    const { signal } = this.#stop;
    this.wanted = models.wanted;
    try {
      const model = await Promise.race([models.get(this.picture.blob), aborted(signal)]);
      if (signal.aborted) throw signal.reason;
      this.model = models.name;
      this.#become('running');
      const run = TASKS[this.asked.task].call(model, this.picture.blob, this.asked, { ...this.options, signal });
      for await (const piece of run) {
        this.text += piece;
        this.dispatchEvent(event('piece', piece));
      }
      this.answer = await run.answer;
      this.text = this.answer.text;
      models.note(this.answer);
      this.#become('done');
    } catch (error) {
      this.error = error;
      models.survive(error);
      this.#become(signal.aborted || error instanceof CancelledError ? 'cancelled' : 'failed');
    }
  }

  #become(state) {
    this.state = state;
    this.dispatchEvent(event('change'));
  }
}

/** Never resolves. */
function aborted(signal) {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
