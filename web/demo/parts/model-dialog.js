// The dialog that chooses model and device, and shows what they take.

import { cache } from '../dist/index.js';
import { $, button, el } from './dom.js';
import { duration, size } from './figures.js';
import { LoadingView } from './loading.js';
import { DTYPES, EMBEDDED, KNOWN } from './models.js';

const OTHER = 'other';

export class ModelDialog {
  #dialog = /** @type {HTMLDialogElement} */ ($('model-dialog'));
  #url = el('input', { type: 'text', id: 'model-url', autocomplete: 'off', spellcheck: false, placeholder: 'models/my-model/' });
  #device = el('select', { id: 'device' }, ...[['auto', 'Automatic'], ['gpu', 'WebGPU'], ['cpu', 'CPU']].map(([value, name]) => el('option', { value }, name)));
  #dtype = el('select', { id: 'dtype' }, ...Object.entries(DTYPES).map(([value, name]) => el('option', { value, selected: value === 'q8' }, name)));
  #urlField = el('div', { class: 'field' }, el('label', { htmlFor: 'model-url' }, 'Address of a pack or a Hugging Face directory'), this.#url,
    el('p', { class: 'hint' }, 'On this site: its policy lets no request go elsewhere. Put the folder beside the page.'));
  #state = el('div', { class: 'model-state' });
  #kept = el('div', { class: 'kept' });
  #models;

  /** @param {import('./models.js').Models} models @param {() => { name: string, device: string, software: boolean, automatic: boolean }[]} devices */
  constructor(models, devices) {
    this.#models = models;
    this.devices = devices;
    const choices = [...Object.entries(KNOWN), [OTHER, { name: 'Another', says: 'A pack made with “ocelli convert”, or a PaliGemma checkpoint as it is published.' }]];
    const radios = choices.map(([value, { name, says }]) => {
      const radio = el('input', { type: 'radio', name: 'model', value, id: `model-${name.toLowerCase().replace(' ', '-')}`, class: 'sr', checked: value === EMBEDDED, on: { change: () => this.#choose(value) } });
      return el('div', { class: 'choice' }, radio, el('label', { htmlFor: radio.id }, el('b', {}, name), el('span', {}, says)));
    });
    const row = el('div', { class: 'option-row' }, el('label', {}, 'Device ', this.#device), this.dtypeField = el('label', {}, 'Weights ', this.#dtype));
    this.#dialog.replaceChildren(
      el('div', { class: 'sheet-head' }, el('h2', { id: 'model-title' }, 'Model and device'), button('Close', 'close', () => this.#dialog.close())),
      el('fieldset', { class: 'choices' }, el('legend', { class: 'small' }, 'Model'), ...radios), this.#urlField, row, this.#state, this.#kept,
    );
    for (const field of [this.#url, this.#device, this.#dtype]) field.addEventListener('change', () => this.#want());
    models.addEventListener('change', () => this.#draw());
    models.addEventListener('progress', ({ detail }) => this.#loading?.show(detail));
    $('open-model').addEventListener('click', () => this.open());
    this.#choose(EMBEDDED);
  }

  #loading;

  open() {
    this.#draw();
    void this.#drawKept();
    this.#dialog.showModal();
  }

  /** Wants the same model in another way. @param {Partial<import('./models.js').Wanted>} change */
  change(change) {
    const wanted = { ...this.#models.wanted, ...change };
    this.#device.value = wanted.device;
    this.#dtype.value = wanted.dtype;
    this.#models.want(wanted);
  }

  get #chosen() {
    return this.#dialog.querySelector('[name=model]:checked')?.value ?? EMBEDDED;
  }

  #choose(value) {
    this.#urlField.hidden = value !== OTHER;
    // A pack has its weights in one form; a directory is converted while it loads.
    this.dtypeField.hidden = value === EMBEDDED;
    this.#want();
  }

  #want() {
    const url = this.#chosen === OTHER ? this.#url.value.trim() : this.#chosen;
    if (url === '') return this.#draw();
    const { url: before, keep } = this.#models.wanted;
    this.#models.want({ url, device: this.#device.value, dtype: this.#dtype.value, keep: url === before ? keep : true });
    this.#draw();
  }

  #draw() {
    const { state, model, memory, progress } = this.#models;
    const devices = this.devices().map(({ name, software, automatic }) =>
      el('li', {}, el('b', {}, name), software ? ' · software, slower than the CPU' : '', automatic ? ' · automatic' : ''));
    const about = [el('h3', { class: 'small' }, 'This device'), el('ul', { class: 'devices' }, ...devices)];
    if (state !== 'loading') this.#loading = undefined;
    if (state === 'loading') {
      if (!this.#loading) {
        this.#loading = new LoadingView();
        if (progress) this.#loading.show(progress);
      }
      about.push(this.#loading.element, el('div', { class: 'actions' }, button('Cancel', 'stop', () => this.#models.cancel())));
    } else if (state === 'ready') {
      about.push(memoryPanel({ ...model.info, memory }), el('div', { class: 'actions' }, button('Free its memory', 'close', () => this.#models.drop())));
    } else {
      about.push(el('div', { class: 'actions' }, button(state === 'failed' ? 'Try again' : 'Load it now', 'download', () => this.#load())));
    }
    this.#state.replaceChildren(...about);
  }

  async #load() {
    try {
      await this.#models.get();
      void this.#drawKept();
    } catch (error) {
      if (error.code !== 'OCELLI_CANCELLED') this.#state.prepend(el('div', { class: 'failure', role: 'alert' }, el('p', {}, error.message), el('p', {}, error.remedy ?? ''), el('p', { class: 'code' }, error.code ?? '')));
    }
  }

  /** What this site keeps on the machine. */
  async #drawKept() {
    const packs = await cache.list().catch(() => []);
    const rows = packs.map(({ url, bytes }) => el('li', {}, el('span', {}, new URL(url).pathname), el('span', { class: 'quiet' }, size(bytes)),
      button('Delete', 'close', async () => {
        await cache.delete(url).catch(() => undefined);
        void this.#drawKept();
      }, { 'aria-label': `Delete ${url}` })));
    this.#kept.replaceChildren(...(rows.length > 0 ? [el('h3', { class: 'small' }, 'Kept on this machine'), el('ul', { class: 'kept-list' }, ...rows)] : []));
  }
}

function memoryPanel({ device, adapter, dtype, memory, downloadMs, loadMs }) {
  const parts = [['Weights', memory.weightsBytes], ['Context', memory.kvBytes], ['Work space', memory.activationBytes]];
  const all = parts.reduce((sum, [, bytes]) => sum + bytes, 0) || 1;
  return el('div', {},
    el('p', {}, `Runs on ${device === 'gpu' ? `WebGPU${adapter ? `, ${adapter}` : ''}` : 'the CPU'} with weights of ${DTYPES[dtype]}; fetched in ${duration(downloadMs)}, prepared in ${duration(loadMs)}.`),
    el('div', { class: 'time-bar', 'aria-hidden': 'true' }, ...parts.map(([, bytes], index) => el('span', { class: `time-${index}`, style: { '--share': String(bytes / all) } }))),
    el('dl', { class: 'times' }, ...parts.map(([name, bytes], index) =>
      el('div', {}, el('dt', {}, el('span', { class: `key time-${index}`, 'aria-hidden': 'true' }), name), el('dd', {}, size(bytes)))),
    el('div', {}, el('dt', {}, 'Together'), el('dd', {}, size(all)))));
}
