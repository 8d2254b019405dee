// What a visitor should know about the network, a picture or the device, in a line each.

import { $, el } from './dom.js';
import { icon } from './icons.js';

const shown = new Map();

/** Shows a notice over the page's foot, or takes it away. @param {string} name @param {string | undefined} text */
export function notice(name, text) {
  shown.delete(name);
  if (text) {
    const close = el('button', { type: 'button', 'aria-label': 'Close this notice', on: { click: () => notice(name, undefined) } }, icon('close'));
    shown.set(name, el('p', { class: 'notice' }, icon('warn'), el('span', {}, text), close));
  }
  $('notices').replaceChildren(...shown.values());
}

/** Keeps the page scrollable past its notices, so that they never lie over a button for good. */
export function makeRoom() {
  new ResizeObserver(([{ borderBoxSize: [{ blockSize }] }]) => {
    document.documentElement.style.setProperty('--notices', `${blockSize}px`);
  }).observe($('notices'), { box: 'border-box' });
}

/** Says under the question where answers come from. @param {readonly { device: string, software: boolean, name: string }[]} devices */
export function deviceLine(devices) {
  const gpu = devices.find(({ device }) => device === 'gpu');
  $('runs').textContent = gpu === undefined ? 'No WebGPU here: answers come from the CPU.'
    : gpu.software ? 'The WebGPU adapter here is software, so answers come from the CPU: that is faster.'
      : `Answers come from ${gpu.name}, over WebGPU.`;
}

/** Follows the network. */
export function watchNetwork() {
  const tell = () => notice('network', navigator.onLine ? undefined : 'You are offline. What is kept on this device still works.');
  addEventListener('online', tell);
  addEventListener('offline', tell);
  tell();
}
