// The pictures of this visit, each with what was asked about it. Nothing of it outlives the page.

import { $, el, event } from './dom.js';

/** Fires `open` with a picture, and `forget`. */
export class Visit extends EventTarget {
  /** @type {Map<import('./picture.js').Shown, import('./question.js').Question[]>} newest question first */
  #asked = new Map();

  constructor() {
    super();
    $('forget').addEventListener('click', () => {
      for (const [picture, questions] of this.#asked) {
        for (const question of questions) question.cancel();
        if (picture !== this.current) URL.revokeObjectURL(picture.url);
      }
      this.#asked.clear();
      this.#draw();
      this.dispatchEvent(event('forget'));
    });
  }

  /** The picture on the stage. */
  current;

  /** @param {import('./picture.js').Shown} picture */
  show(picture) {
    const before = this.current;
    this.current = picture;
    if (before && before !== picture && !this.#asked.has(before)) URL.revokeObjectURL(before.url);
    this.#draw();
  }

  /** @param {import('./question.js').Question} question */
  add(question) {
    const { picture } = question;
    this.#asked.set(picture, [question, ...(this.#asked.get(picture) ?? [])]);
    this.#draw();
  }

  /** @param {import('./picture.js').Shown} picture */
  questions(picture) {
    return this.#asked.get(picture) ?? [];
  }

  /** Questions that are not answered yet, of all pictures. */
  get open() {
    return [...this.#asked.values()].flat().filter(({ over }) => !over);
  }

  /** The picture of a sample that was asked about already. */
  find(name) {
    return [...this.#asked.keys()].find((picture) => picture.name === name);
  }

  #draw() {
    $('visit').hidden = this.#asked.size === 0;
    $('visited').replaceChildren(...[...this.#asked].map(([picture, questions]) => {
      const count = `${questions.length} question${questions.length === 1 ? '' : 's'}`;
      return el('li', {}, el('button', {
        type: 'button', class: 'thumb', 'aria-label': `${picture.says || picture.name}, ${count}`, 'aria-pressed': String(picture === this.current),
        on: { click: () => this.dispatchEvent(event('open', picture)) },
      }, el('img', { src: picture.url, alt: '' }), el('span', { class: 'count', 'aria-hidden': 'true' }, String(questions.length))));
    }));
  }
}
