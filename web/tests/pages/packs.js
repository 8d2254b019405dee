// Starts workers that load packs, and lets a test wait for what came of each.

let count = 0;

/** A worker; `load(job)` resolves with its result, `abort(id)` stops one, `end()` ends it as a closed tab would. */
globalThis.startWorker = () => {
  const worker = new Worker('pack-worker.js', { type: 'module' });
  const waiting = new Map();
  worker.onerror = (event) => {
    for (const { reject } of waiting.values()) reject(new Error(event.message || 'the worker did not start'));
  };
  worker.onmessage = ({ data: { id, done, progress } }) => {
    const job = waiting.get(id);
    if (progress) return job?.onProgress?.(progress);
    waiting.delete(id);
    job?.resolve(done);
  };
  return {
    load(job, onProgress) {
      const id = count++;
      const result = new Promise((resolve, reject) => waiting.set(id, { resolve, reject, onProgress }));
      worker.postMessage({ id, ...job, tell: onProgress !== undefined });
      return Object.assign(result, { stop: () => worker.postMessage({ id, type: 'abort' }) });
    },
    end: () => worker.terminate(),
  };
};
globalThis.ready = true;
