// The question: which task, and what it needs to know.

import { $, button, el, event } from './dom.js';
import { icon } from './icons.js';
import { Labels } from './labels.js';
import { COMMON } from './samples.js';
import { LANGUAGES, TASKS } from './tasks.js';

/** Fires `ask` with `{ asked, options }`. */
export class Composer extends EventTarget {
  #task = 'caption';
  #hints = COMMON;
  #labels = new Labels('What to look for');
  #texts = {
    ask: el('input', { type: 'text', id: 'question', autocomplete: 'off', placeholder: 'Ask anything about the picture', maxLength: 400 }),
    prompt: el('input', { type: 'text', id: 'prompt', autocomplete: 'off', spellcheck: false, placeholder: 'caption en', maxLength: 2000 }),
  };
  #short = el('input', { type: 'radio', name: 'length', id: 'short', class: 'sr', checked: true });
  #long = el('input', { type: 'radio', name: 'length', id: 'long', class: 'sr' });

  constructor() {
    super();
    $('tasks').replaceChildren(...Object.entries(TASKS).map(([id, { name, icon: drawn }]) => {
      const radio = el('input', { type: 'radio', name: 'task', value: id, id: `task-${id}`, class: 'sr', checked: id === this.#task, on: { change: () => this.choose(id) } });
      return el('div', { class: 'task' }, radio, el('label', { htmlFor: radio.id }, icon(drawn), name));
    }));
    $('language').append(...Object.entries(LANGUAGES).map(([code, name]) => el('option', { value: code }, name)));
    $('composer').addEventListener('submit', (submitted) => {
      submitted.preventDefault();
      this.#submit();
    });
    this.#draw();
  }

  /** @param {string} task */
  choose(task) {
    this.#task = task;
    $(`task-${task}`).checked = true;
    this.#draw();
  }

  /** What is worth asking about the picture that is shown now. */
  set hints(hints) {
    this.#hints = hints ?? COMMON;
    this.#labels.value = this.#hints.labels.slice(0, 1);
    this.#texts.ask.value = '';
    this.#draw();
    this.#drawStarters();
  }

  /** One press asks one of these, for who does not know yet what can be asked. */
  #drawStarters() {
    const { asks: [question], labels } = this.#hints;
    const language = 'en';
    const starters = [
      ['Describe it', { task: 'caption', long: true, language }],
      [question.charAt(0).toUpperCase() + question.slice(1), { task: 'ask', text: question, language }],
      [`Find the ${labels[0]}`, { task: 'detect', labels: labels.slice(0, 1) }],
      [`Outline the ${labels.at(-1)}`, { task: 'segment', labels: labels.slice(-1) }],
    ];
    $('starters').replaceChildren(...starters.map(([says, asked]) => el('li', {},
      button(says, TASKS[asked.task].icon, () => this.dispatchEvent(event('ask', { asked, options: {} }))))));
  }

  #draw() {
    const { verb } = TASKS[this.#task];
    $('run-label').textContent = verb;
    const fields = {
      caption: () => [el('div', { class: 'lengths', role: 'radiogroup', 'aria-label': 'How much to say' },
        choice(this.#short, 'In a sentence', 'What there is, and how many'), choice(this.#long, 'At length', 'Colour and place of each thing'))],
      ask: () => [this.#text('ask', 'Your question'), this.#suggest('Suggested questions', this.#hints.asks, (words) => {
        this.#texts.ask.value = words;
        this.#submit();
      })],
      read: () => [el('p', { class: 'hint' }, 'Reads the words that the picture holds.')],
      detect: () => [this.#labels.element, this.#suggestLabels()],
      segment: () => [this.#labels.element, this.#suggestLabels()],
      prompt: () => [this.#text('prompt', 'Prompt, as the model was trained on it'), el('p', { class: 'hint' }, 'Such as “caption en”, “answer en where is the cat?” or “detect cat ; dog”.')],
    };
    $('fields').replaceChildren(...fields[this.#task]().filter(Boolean));
  }

  #text(task, legend) {
    const input = this.#texts[task];
    return el('div', { class: 'field' }, el('label', { htmlFor: input.id }, legend), input);
  }

  #suggestLabels() {
    return this.#suggest('Suggested names', this.#hints.labels, (label) => this.#labels.add(label));
  }

  #suggest(legend, words, onPick) {
    return el('ul', { class: 'suggestions', 'aria-label': legend },
      ...words.map((word) => el('li', {}, el('button', { type: 'button', class: 'suggestion', on: { click: () => onPick(word) } }, word))));
  }

  #submit() {
    const { needs } = TASKS[this.#task];
    const asked = { task: this.#task };
    if (this.#task === 'caption') Object.assign(asked, { long: this.#long.checked, language: $('language').value });
    if (this.#task === 'ask') Object.assign(asked, { text: this.#texts.ask.value.trim(), language: $('language').value });
    if (this.#task === 'prompt') asked.text = this.#texts.prompt.value;
    if (needs === 'labels') asked.labels = this.#labels.settle();
    if (needs && asked[needs].length === 0) {
      if (needs === 'labels') this.#labels.focus();
      else this.#texts[this.#task].focus();
      this.dispatchEvent(event('incomplete', needs === 'labels' ? 'Name what to look for first.' : 'Type a question first.'));
      return;
    }
    if (!$('composer').reportValidity()) return;
    this.dispatchEvent(event('ask', { asked, options: this.#options() }));
  }

  #options() {
    const given = { maxNewTokens: $('limit').valueAsNumber, temperature: $('temperature').valueAsNumber, beams: $('beams').valueAsNumber, seed: $('seed').valueAsNumber };
    return Object.fromEntries(Object.entries(given).filter(([, value]) => !Number.isNaN(value)));
  }
}

function choice(radio, name, says) {
  return el('div', { class: 'choice' }, radio, el('label', { htmlFor: radio.id }, el('b', {}, name), el('span', {}, says)));
}
