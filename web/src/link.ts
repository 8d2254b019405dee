// The page's end of a model's worker: starts it, sends it typed messages, and turns its death into one error.

import { type OcelliError, makeError } from './errors.js';
import type { FromWorker, ToWorker } from './messages.js';
import { startWorker } from './start.js';

/** What does the work: a thread of its own, or a part of the page. */
interface Backend {
  /** Hands a message over; what `transfer` lists goes with it and is gone here. */
  send(message: ToWorker, transfer: Transferable[]): void;
  /** Ends it, and frees all it holds: a worker at once, a part of the page as soon as what it does is over. */
  end(): void;
}

/** The way to what does the work. Once broken or closed it stays so. */
export class Link {
  readonly #backend: Backend;
  #end: OcelliError | undefined;

  /**
   * @param onMessage called with every message but `broken`
   * @param onEnd called once, when the worker broke down or the link was closed
   * @param assets the address of a copy of the package that has the worker's script
   * @param inPage work in the page instead of a worker
   * @throws OcelliError where no worker can be started
   */
  constructor(
    readonly onMessage: (message: Exclude<FromWorker, { type: 'broken' | 'alive' }>) => void,
    readonly onEnd: (error: OcelliError) => void,
    assets?: string,
    inPage = false,
  ) {
    this.#backend = inPage ? this.#startHere() : this.#startWorker(assets);
  }

  /** Why nothing can be sent any more. */
  get end(): OcelliError | undefined {
    return this.#end;
  }

  send(message: ToWorker, transfer: Transferable[] = []): void {
    if (!this.#end) this.#backend.send(message, transfer);
  }

  #hear(message: FromWorker): void {
    if (this.#end) return;
    if (message.type === 'broken') this.close(makeError(message.error));
    else if (message.type === 'alive') this.#watch(message.lock);
    else this.onMessage(message);
  }

  #startWorker(assets: string | undefined): Backend {
    const worker = start(assets);
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#hear(data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.close(broken(event.message || 'its script could not be loaded'));
    };
    worker.onmessageerror = () => this.close(broken('it sent a message that cannot be read'));
    return { send: (message, transfer) => worker.postMessage(message, transfer), end: () => worker.terminate() };
  }

  /** The module is fetched only by pages that ask for this. */
  #startHere(): Backend {
    const host = import('./host.js').then(({ Host }) => new Host((message) => this.#hear(message)));
    host.catch((error) => this.close(broken(`its script could not be loaded: ${error}`)));
    const then = (act: (host: import('./host.js').Host) => void) => void host.then(act, () => undefined);
    return { send: (message) => then((one) => this.#end || one.receive(message)), end: () => then((one) => one.end()) };
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
    this.#backend.end();
    this.onEnd(reason);
  }
}

/** @throws OcelliError where the browser refuses */
function start(assets: string | undefined): Worker {
  try {
    return startWorker(assets);
  } catch (cause) {
    throw broken(String(cause), cause);
  }
}

function broken(why: string, cause?: unknown): OcelliError {
  return makeError({
    code: 'OCELLI_INTERNAL',
    message: `the worker broke down: ${why}`,
    remedy: 'Load the model again. If it never starts, check that worker.js and the pkg folder are served beside the package and that the page\'s policy allows them; with the package on another origin that takes `worker-src blob:` and that origin, or { worker: false }.',
  }, cause);
}
