// Starts a model's worker, wherever its script lies.

import { startElsewhere } from './elsewhere.js';

/**
 * The worker of a model.
 * @param assets the address of a copy of the package; without it, the script that the bundler put somewhere, or else the
 *   one beside this module
 * @throws what the browser throws where it refuses
 */
export function startWorker(assets: string | undefined): Worker {
  // Written out in one piece: that is how bundlers find the worker.
  return startElsewhere('worker.js', assets) ?? new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'ocelli' });
}
