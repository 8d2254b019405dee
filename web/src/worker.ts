// The worker: a host of its own thread.

import { Host } from './host.js';
import type { FromWorker, ToWorker } from './messages.js';

const post: (message: FromWorker) => void = self.postMessage.bind(self);
const host = new Host(post);

self.onmessage = ({ data }: MessageEvent<ToWorker>) => host.receive(data);
// A trap inside the module surfaces as an error that no promise carries.
self.addEventListener('error', (event) => host.fail(event.message));
self.addEventListener('unhandledrejection', (event) => host.fail(event.reason));

void showLife();

/** Browsers may end a worker without a word: its lock goes with it, and the page waits for that. */
async function showLife(): Promise<void> {
  const lock = `ocelli-worker:${Math.random()}`;
  const locks: LockManager | undefined = navigator.locks;
  await locks?.request(lock, () => {
    post({ type: 'alive', lock });
    return new Promise(() => undefined);
  });
}
