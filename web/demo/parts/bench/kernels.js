// How long each kernel of an answer takes: what the model had the GPU do once is done again, one dispatch at a time.

import { load } from '../../dist/index.js';
import { Recording } from './recording.js';

/** A dispatch is repeated until that long has passed: waiting for the GPU costs about a millisecond itself. */
const LEAST_MS = 40;
/** Most repetitions in one go. */
const MOST = 1024;

/**
 * @typedef {object} KernelTime
 * @property {string} kernel
 * @property {string} stage
 * @property {readonly number[]} grid workgroups
 * @property {number} calls in an answer of two tokens
 * @property {number} msEach
 */

/**
 * Loads a model in this page, has it answer, and times what that took, kernel by kernel.
 * @param {string} url
 * @param {{ dtype?: import('../../../src/types.js').Dtype, pictures: readonly string[], signal: AbortSignal, onProgress: (share: number, what: string) => void }} options
 * @returns {Promise<{ dtype: string, adapter: string, kernels: KernelTime[] }>}
 */
export async function timeKernels(url, { dtype, pictures, signal, onProgress }) {
  onProgress(0, 'Loading for the kernels…');
  // In the page: a worker's GPU cannot be watched from here.
  const model = await load(url, { device: 'gpu', worker: false, signal, ...(dtype && { dtype }) });
  try {
    const [first, second] = pictures;
    // Memory is taken and pipelines are made in the first answer, not in the one that is written down.
    await model.caption(first, { maxNewTokens: 2, signal }).answer;
    const recording = new Recording();
    try {
      await model.caption(second, { maxNewTokens: 2, signal }).answer;
    } finally {
      recording.stop();
    }
    const kernels = [];
    const groups = [...alike(recording.dispatches).values()];
    for (const [index, [dispatch, ...more]] of groups.entries()) {
      onProgress(index / groups.length, `Kernel ${index + 1} of ${groups.length}: ${dispatch.kernel}`);
      const { kernel, stage, grid } = dispatch;
      kernels.push({ kernel, stage, grid, calls: 1 + more.length, msEach: await time(recording.device, dispatch, signal) });
    }
    return { dtype: model.info.dtype, adapter: model.info.adapter, kernels };
  } finally {
    model.dispose();
  }
}

/** Dispatches of one kernel in one stage and of one size take as long as each other. */
function alike(dispatches) {
  const groups = new Map();
  for (const dispatch of dispatches) {
    const key = [dispatch.stage, dispatch.kernel, ...dispatch.grid].join(' ');
    groups.set(key, [...(groups.get(key) ?? []), dispatch]);
  }
  return groups;
}

/** Milliseconds of one dispatch. */
async function time(device, dispatch, signal) {
  await repeat(device, dispatch, 1);
  for (let times = 1; ; times *= 4) {
    if (signal.aborted) throw signal.reason;
    const ms = await repeat(device, dispatch, times);
    if (ms >= LEAST_MS || times >= MOST) return ms / times;
  }
}

async function repeat(device, { pipeline, groups, grid, setStep }, times) {
  const began = performance.now();
  setStep?.();
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  for (const [index, [group, offsets]] of groups.entries()) pass.setBindGroup(index, group, offsets);
  for (let time = 0; time < times; time++) pass.dispatchWorkgroups(...grid);
  pass.end();
  device.queue.submit([encoder.finish()]);
  await device.queue.onSubmittedWorkDone();
  return performance.now() - began;
}
