// A field for several names: each becomes a chip.

import { el, event } from './dom.js';
import { icon } from './icons.js';

/** Fires `change`. */
export class Labels extends EventTarget {
  /** @type {string[]} */
  #labels = [];
  #list = el('ul', { class: 'chips' });
  #input = el('input', {
    type: 'text', id: 'label', autocomplete: 'off', autocapitalize: 'none', placeholder: 'a name, then Enter', maxLength: 60,
    on: {
      keydown: (pressed) => this.#key(pressed),
      // A comma may also come by paste or from a phone's keyboard.
      input: () => this.#input.value.includes(',') && this.#commit(),
      blur: () => this.#commit(),
    },
  });

  /** @param {string} legend */
  constructor(legend) {
    super();
    this.element = el('div', { class: 'field' },
      el('label', { htmlFor: 'label' }, legend),
      el('div', { class: 'chip-field', on: { click: ({ target }) => target === target.closest('.chip-field') && this.#input.focus() } }, this.#list, this.#input));
    this.#draw();
  }

  get value() {
    return [...this.#labels];
  }

  set value(labels) {
    this.#labels = [...labels];
    this.#draw();
  }

  /** Takes in what is still being typed. */
  settle() {
    this.#commit();
    return this.value;
  }

  add(label) {
    if (!this.#labels.includes(label)) this.#labels.push(label);
    this.#draw();
    this.dispatchEvent(event('change'));
  }

  focus() {
    this.#input.focus();
  }

  #key(pressed) {
    if (pressed.key === 'Enter' && this.#input.value.trim() !== '') {
      pressed.preventDefault();
      this.#commit();
    } else if (pressed.key === 'Backspace' && this.#input.value === '' && this.#labels.length > 0) {
      this.#remove(this.#labels.length - 1);
    }
  }

  #commit() {
    const names = this.#input.value.split(/[,;]/).map((name) => name.trim()).filter(Boolean);
    this.#input.value = '';
    for (const name of names) this.add(name);
  }

  #remove(index) {
    this.#labels.splice(index, 1);
    this.#draw();
    this.#input.focus();
    this.dispatchEvent(event('change'));
  }

  #draw() {
    this.#list.hidden = this.#labels.length === 0;
    this.#list.replaceChildren(...this.#labels.map((label, index) => {
      const remove = el('button', { type: 'button', 'aria-label': `Remove ${label}`, on: { click: () => this.#remove(index) } }, icon('close'));
      return el('li', { class: 'chip' }, label, remove);
    }));
  }
}
