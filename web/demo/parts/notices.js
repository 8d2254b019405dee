// What a visitor should know about this device and the network, in a line each.

import { $, el } from './dom.js';
import { icon } from './icons.js';

const shown = new Map();

/** Shows a notice, or takes it away. @param {string} name @param {string | undefined} text */
export function notice(name, text) {
  if (text) shown.set(name, el('p', { class: 'notice' }, icon('info'), el('span', {}, text)));
  else shown.delete(name);
  $('notices').replaceChildren(...shown.values());
}

/** Says what the devices found mean. @param {readonly { device: string, software: boolean, name: string }[]} devices */
export function deviceNotice(devices) {
  const gpu = devices.find(({ device }) => device === 'gpu');
  if (!gpu) notice('device', 'No WebGPU here: answers come from the CPU, which takes longer with large models.');
  else if (gpu.software) notice('device', 'The only WebGPU adapter here runs in software, so answers come from the CPU, which is faster.');
}

/** Follows the network. */
export function watchNetwork() {
  const tell = () => notice('network', navigator.onLine ? undefined : 'You are offline. What is kept on this device still works.');
  addEventListener('online', tell);
  addEventListener('offline', tell);
  tell();
}
