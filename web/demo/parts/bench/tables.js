// The figures as rows of tables.

import { el } from '../dom.js';
import { duration } from '../figures.js';
import { DTYPES } from '../models.js';

/** One device, and where the time of its answer goes. */
export function stageRow({ device, name, loadMs, encodeMs, prefillMs, decodeMsPerToken, wholeMs }) {
  const figures = [loadMs, encodeMs, prefillMs, decodeMsPerToken, wholeMs].map((ms) => el('td', {}, duration(ms)));
  return el('tr', {}, el('th', { scope: 'row' }, device === 'gpu' ? `WebGPU: ${name}` : 'CPU'), ...figures);
}

/**
 * The kernels of one weight format, the most time first; sizes of one kernel in one stage are taken together.
 * @param {{ dtype: string, kernels: import('./kernels.js').KernelTime[] }} result
 */
export function kernelRows({ dtype, kernels }) {
  const sums = new Map();
  for (const { kernel, stage, calls, msEach } of kernels) {
    const sum = sums.get(`${stage} ${kernel}`) ?? { kernel, stage, calls: 0, ms: 0 };
    sums.set(`${stage} ${kernel}`, { ...sum, calls: sum.calls + calls, ms: sum.ms + calls * msEach });
  }
  const rows = [...sums.values()].sort((a, b) => b.ms - a.ms);
  const most = rows[0]?.ms || 1;
  return rows.map(({ kernel, stage, calls, ms }) => el('tr', {},
    el('th', { scope: 'row' }, el('code', {}, kernel)),
    el('td', { class: 'share', style: { '--share': String(ms / most) } }, duration(ms)),
    el('td', {}, micro(ms / calls)), el('td', {}, String(calls)), el('td', {}, stage), el('td', {}, DTYPES[dtype])));
}

/** Single kernels take microseconds. */
const micro = (ms) => (ms < 1 ? `${(1000 * ms).toFixed(ms < 0.01 ? 1 : 0)} µs` : duration(ms));
