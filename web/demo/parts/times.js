// Where the time of an answer went, as a bar with a legend.

import { el } from './dom.js';
import { duration } from './figures.js';

/** @param {import('../../src/types.js').Answer} answer */
export function timeBar({ timings, tokens }) {
  const parts = [
    ['Picture', timings.imageMs], ['Sight', timings.encodeMs], ['Question', timings.prefillMs],
    ['Writing', timings.decodeMsPerToken * Math.max(0, tokens.length - 1)],
  ];
  const all = parts.reduce((sum, [, ms]) => sum + ms, 0) || 1;
  const bar = el('div', { class: 'time-bar', 'aria-hidden': 'true' }, ...parts.map(([, ms], index) => el('span', { class: `time-${index}`, style: { '--share': String(ms / all) } })));
  const legend = el('dl', { class: 'times' }, ...parts.map(([name, ms], index) =>
    el('div', {}, el('dt', {}, el('span', { class: `key time-${index}`, 'aria-hidden': 'true' }), name), el('dd', {}, duration(ms)))));
  if (timings.decodeMsPerToken > 0) {
    legend.append(el('div', {}, el('dt', {}, 'Each token'), el('dd', {}, duration(timings.decodeMsPerToken))));
  }
  return el('div', {}, bar, legend);
}
