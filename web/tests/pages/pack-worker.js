// Loads packs as the package's own worker does, but gives back sums of what it got instead of running a model.

import { tune } from '/modules/pack/context.js';
import { Meter } from '/modules/pack/progress.js';
import { openPack } from '/modules/pack/source.js';
import { toRecord } from '/modules/errors.js';
import { openStore } from '/modules/store/open.js';

const stops = new Map();
const stores = {};

self.onmessage = async ({ data: { id, type, ...job } }) => {
  if (type === 'abort') return stops.get(id)?.abort('enough');
  const events = [];
  const stop = new AbortController();
  stops.set(id, stop);
  const sums = [];
  try {
    // What a browser lacks can be taken away, but not given back: a worker has one kind of store.
    if (job.without?.includes('opfs')) delete FileSystemFileHandle.prototype.createSyncAccessHandle;
    if (job.without?.includes('caches')) Object.defineProperty(self, 'caches', { value: undefined, configurable: true });
    if (job.estimate) navigator.storage.estimate = async () => job.estimate;
    const store = (stores[job.keep ?? true] ??= await openStore(job.keep ?? true));
    const meter = new Meter((progress) => {
      events.push(progress);
      if (job.tell) postMessage({ id, progress });
    });
    const source = await openPack({ url: job.url, mirrors: job.mirrors ?? [], parts: job.parts, store, tuning: tune(job.tuning ?? {}), meter, signal: stop.signal });
    if (!source) throw { code: 'OCELLI_NOT_FOUND', message: 'no manifest', remedy: 'none' };
    for await (const { bytes } of source.files()) {
      sums.push(Array.from(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)), (byte) => byte.toString(16).padStart(2, '0')).join(''));
      if (job.slow) await new Promise((resolve) => setTimeout(resolve, job.slow));
    }
    postMessage({ id, done: { kind: store.kind, sums, events } });
  } catch (error) {
    postMessage({ id, done: { error: toRecord(error), sums, events } });
  }
};
