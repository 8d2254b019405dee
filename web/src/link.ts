// The page's end of a worker: starts it, sends it typed messages, and turns its death into one error.

import { type OcelliError, makeError } from './errors.js';
import type { FromWorker, ToWorker } from './messages.js';

/** A worker of this package. Once broken or closed it stays so. */
export class Link {
  readonly #worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'ocelli' });
  #end: OcelliError | undefined;

  /**
   * @param onMessage called with every message but `broken`
   * @param onEnd called once, when the worker broke down or the link was closed
   */
  constructor(
    onMessage: (message: Exclude<FromWorker, { type: 'broken' | 'alive' }>) => void,
    readonly onEnd: (error: OcelliError) => void,
  ) {
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (this.#end) return;
      if (data.type === 'broken') this.close(makeError(data.error));
      else if (data.type === 'alive') this.#watch(data.lock);
      else onMessage(data);
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.close(broken(event.message || 'its script could not be loaded'));
    };
    this.#worker.onmessageerror = () => this.close(broken('it sent a message that cannot be read'));
  }

  /** Why nothing can be sent any more. */
  get end(): OcelliError | undefined {
    return this.#end;
  }

  send(message: ToWorker): void {
    if (!this.#end) this.#worker.postMessage(message);
  }

  /** Closes the link when the worker's own lock is free: then it was ended by others, which no event tells. */
  #watch(lock: string): void {
    const gone = () => this.close(broken('the browser ended it, most likely for want of memory'));
    navigator.locks.request(lock, gone).catch(() => undefined);
  }

  /** Stops the worker at once, whatever it does, and frees all it holds. */
  close(reason: OcelliError): void {
    if (this.#end) return;
    this.#end = reason;
    this.#worker.terminate();
    this.onEnd(reason);
  }
}

function broken(why: string): OcelliError {
  return makeError({
    code: 'OCELLI_INTERNAL',
    message: `the worker broke down: ${why}`,
    remedy: 'Load the model again. If it never starts, check that worker.js and the pkg folder are served beside the package and that the page\'s policy allows them.',
  });
}
