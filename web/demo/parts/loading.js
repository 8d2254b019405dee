// How far loading has come: its phases, the rate, the time left.

import { el } from './dom.js';
import { left, percent, size } from './figures.js';

const PHASES = { download: 'Fetch', verify: 'Check', upload: 'Place', warmup: 'Warm up' };
const ORDER = ['wait', ...Object.keys(PHASES)];
const SAYS = {
  wait: 'Another tab is fetching the model; waiting for it',
  download: 'Fetching the model',
  verify: 'Checking the files',
  upload: 'Putting the weights in place',
  warmup: 'Getting the device ready',
};

/** A bar with steps under it. Call `show` with each progress. */
export class LoadingView {
  #bar = el('progress', { max: 1, value: 0, 'aria-label': 'Loading the model' });
  #line = el('p', { class: 'loading-line' }, 'Starting…');
  #steps = Object.fromEntries(Object.entries(PHASES).map(([phase, name]) => [phase, el('li', {}, name)]));
  element = el('div', {}, this.#bar, el('ol', { class: 'steps', 'aria-hidden': 'true' }, ...Object.values(this.#steps)), this.#line);

  /** @param {import('../../src/types.js').Progress} progress */
  show({ phase, done, total, rate, secondsLeft, fraction }) {
    this.#bar.value = fraction;
    const at = ORDER.indexOf(phase);
    for (const [name, step] of Object.entries(this.#steps)) {
      step.className = ORDER.indexOf(name) < at ? 'done' : name === phase ? 'now' : '';
    }
    const parts = [SAYS[phase], percent(fraction)];
    if (phase !== 'wait' && done > 0) parts.push(total ? `${size(done)} of ${size(total)}` : size(done));
    if (phase === 'download' && rate) parts.push(`${size(rate)}/s`);
    if (secondsLeft !== undefined && secondsLeft > 1) parts.push(left(secondsLeft));
    this.#line.textContent = parts.join(' · ');
  }
}
