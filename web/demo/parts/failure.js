// A question that failed: what was wrong, and what can be done about it right here.

import { DeviceError, ModelError, OcelliError, StorageError, cache } from '../dist/index.js';
import { button, el } from './dom.js';
import { size } from './figures.js';
import { icon } from './icons.js';
import { DTYPES, EMBEDDED } from './models.js';

/** The next format with smaller weights. */
const FEWER = { f32: 'f16', f16: 'q8', q8: 'q4' };

/**
 * @param {any} error
 * @param {import('./models.js').Wanted} wanted what was to be loaded or had answered
 * @param {{ again: (change?: Partial<import('./models.js').Wanted>) => void, models: () => void, say: (text: string) => void }} on
 * @returns {HTMLElement[]}
 */
export function failure(error, wanted, on) {
  const { needed, available, offer = [] } = error.details ?? {};
  const { message, remedy } = inWords(error, offer.length > 0);
  const toModels = error instanceof ModelError || error instanceof StorageError || error instanceof DeviceError;
  return [
    el('div', { class: 'failure', role: 'alert' },
      el('p', { class: 'failure-message' }, icon('warn'), el('span', {}, sentence(message))),
      needed > 0 && roomLine(needed, available, error instanceof StorageError ? ' more' : ''),
      remedy && el('p', {}, remedy),
      error.code && el('p', { class: 'code' }, error.code)),
    offer.length > 0 && el('ul', { class: 'kept-list', 'aria-label': 'Kept models that could go' }, ...offer.map((pack) => keptRow(pack, on))),
    el('div', { class: 'actions' },
      ...ways(error, wanted).map(({ says, drawn, change }) => button(says, drawn, () => on.again(change))),
      button('Ask again', 'retry', () => on.again()),
      toModels && button('Model and device', 'chip', () => on.models())),
  ].filter(Boolean);
}

/** What the package says to programs, where a visitor has other means. */
function inWords(error, offers) {
  if (error.code === 'OCELLI_NO_SPACE') {
    return {
      message: 'The browser gives this site too little room to keep the model.',
      remedy: offers ? 'Delete a model that is kept here, or use this one without keeping it.' : 'Free space on the disk, or use the model without keeping it.',
    };
  }
  return error instanceof OcelliError ? error : { message: String(error?.message ?? error) };
}

/** Other ways to load the model, one of which may work where this one did not. */
function ways({ code, details }, { url, device, dtype }) {
  if (code === 'OCELLI_NO_SPACE') return [{ says: 'Use it without keeping it', drawn: 'spark', change: { keep: false } }];
  if (code !== 'OCELLI_OUT_OF_MEMORY' && code !== 'OCELLI_DEVICE_LIMIT') return [];
  // The model of the site has its weights in one format.
  const smaller = details?.fits ?? (url === EMBEDDED ? undefined : FEWER[dtype]);
  return [
    smaller && { says: `Use ${DTYPES[smaller]}`, drawn: 'chip', change: { dtype: smaller } },
    device !== 'cpu' && { says: 'Use the CPU', drawn: 'chip', change: { device: 'cpu' } },
  ].filter(Boolean);
}

/** Browsers that keep the true figure to themselves name more room than they give: that is of no use to anyone. */
function roomLine(needed, available, more) {
  if (!(available < needed)) return el('p', {}, `${size(needed)}${more} are needed.`);
  return el('div', { class: 'room' },
    el('div', { class: 'room-bar', 'aria-hidden': 'true', style: { '--share': String(available / needed) } }),
    el('p', {}, `${size(needed)}${more} are needed; there is room for ${size(available)}.`));
}

/** A kept model that can make room; once it has gone, the question is asked again. */
function keptRow({ url, bytes }, on) {
  const path = new URL(url).pathname;
  const remove = button('Delete and ask again', 'close', async () => {
    remove.disabled = true;
    try {
      await cache.delete(url);
      on.again();
    } catch (error) {
      remove.disabled = false;
      on.say(`${error.message}. ${error.remedy ?? ''}`);
    }
  }, { 'aria-label': `Delete and ask again: ${path}` });
  return el('li', {}, el('span', {}, path), el('span', { class: 'quiet' }, size(bytes)), remove);
}

/** An address keeps its letters as they are. */
const sentence = (text) => (/^\w+:\/\//.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1)) + (/[.!?]$/.test(text) ? '' : '.');
