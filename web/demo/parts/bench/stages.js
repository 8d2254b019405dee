// How long the parts of an answer take on one device.

import { load } from '../../dist/index.js';

const middle = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

/**
 * One device: the model loaded on it, and the medians of its runs.
 * @param {import('../../../src/types.js').DeviceReport} device
 * @param {string} url
 * @param {{ runs: number, pictures: readonly string[], signal: AbortSignal, onProgress: (share: number, what: string) => void }} options
 */
export async function timeStages({ device, name, software }, url, { runs, pictures, signal, onProgress }) {
  onProgress(0, `Loading on ${name}…`);
  const model = await load(url, { device, signal });
  try {
    const samples = [];
    // The first run fills caches and compiles; it does not count.
    for (let run = -1; run < runs; run++) {
      onProgress((run + 2) / (runs + 2), run < 0 ? `Warming up ${name}…` : `${name}: run ${run + 1} of ${runs}…`);
      // Another picture each time: the one before need not be encoded again.
      const before = performance.now();
      const { timings, tokens } = await model.caption(pictures[(run + 1) % 2], { maxNewTokens: 24, signal });
      if (run >= 0) samples.push({ ...timings, wholeMs: performance.now() - before, tokens: tokens.length });
    }
    const of = (key) => middle(samples.map((sample) => sample[key]));
    return {
      device, software, name: model.info.adapter || name, dtype: model.info.dtype, memory: model.info.memory, loadMs: model.info.loadMs,
      encodeMs: of('encodeMs'), prefillMs: of('prefillMs'), decodeMsPerToken: of('decodeMsPerToken'), wholeMs: of('wholeMs'), samples,
    };
  } finally {
    model.dispose();
  }
}
