// A question with its answer, as a card in the list under the question.

import { button, el } from './dom.js';
import { failure } from './failure.js';
import { duration, percent } from './figures.js';
import { icon } from './icons.js';
import { coloursOf } from './palette.js';
import { copyText, saveJson, savePicture, saveText } from './save.js';
import { TASKS } from './tasks.js';
import { timeBar } from './times.js';

/** Fires nothing; calls `on.look(question)` to have its objects shown, `on.point(index)`,
 * `on.again(question, change)`, `on.reveal()`, `on.models()`, `on.say(text)`. */
export class Card {
  #question;
  #on;
  #text = el('p', { class: 'answer' });
  #body = el('div', { class: 'card-body' }, this.#text);
  #progress = el('div', { class: 'loading', hidden: true });
  #waits = el('p', { class: 'answer waiting' }, 'Waiting…');
  #rows = [];
  element;

  /** @param {import('./question.js').Question} question */
  constructor(question, on) {
    this.#question = question;
    this.#on = on;
    const { icon: drawn } = TASKS[question.asked.task];
    this.element = el('li', { class: 'card answer-card', on: { click: () => on.look(question), focusin: () => on.look(question) } },
      el('h3', {}, icon(drawn), el('span', {}, question.title)), this.#body);
    question.addEventListener('piece', () => this.#stream());
    question.addEventListener('change', () => this.#draw());
    this.#draw();
  }

  get question() {
    return this.#question;
  }

  /** Makes the row of one object stand out, or none. */
  point(index) {
    for (const [number, row] of this.#rows.entries()) row.classList.toggle('pointed', number === index);
  }

  /** Shows how far loading is, while this waits for it. @param {HTMLElement | undefined} view */
  loading(view) {
    this.#progress.replaceChildren(...(view ? [view] : []));
    this.#progress.hidden = !view;
    this.#waits.hidden = view !== undefined;
  }

  #stream() {
    this.#text.textContent = plain(this.#question.text);
  }

  #draw() {
    const { state, answer, text } = this.#question;
    this.element.dataset.state = state;
    this.#rows = [];
    const cancel = () => button('Cancel', 'stop', () => this.#question.cancel());
    if (state === 'waiting') this.#body.replaceChildren(this.#waits, this.#progress, el('div', { class: 'actions' }, cancel()));
    else if (state === 'running') {
      this.#text.textContent = plain(text);
      this.#text.classList.add('streaming');
      this.#body.replaceChildren(this.#text, el('div', { class: 'actions' }, cancel()));
    } else {
      this.#text.classList.remove('streaming');
      if (state === 'done') this.#body.replaceChildren(...this.#finished(answer));
      else this.#body.replaceChildren(...(state === 'cancelled' ? this.#cancelled() : this.#failed()));
    }
  }

  #finished(answer) {
    const { asked } = this.#question;
    const finds = asked.task === 'detect' || asked.task === 'segment' || answer.objects.length > 0;
    const parts = [];
    if (!finds) {
      const words = answer.text.trim().replace(/\n{3,}/g, '\n\n');
      this.#text.textContent = words || 'The model gave no words.';
      this.#text.classList.toggle('nothing', words === '');
      parts.push(this.#text);
    } else if (answer.objects.length === 0) {
      parts.push(el('p', { class: 'answer nothing' }, `Found none${asked.labels ? ` of: ${asked.labels.join(', ')}` : ''}.`));
    } else {
      // Where the picture is not beside the answer.
      const toStage = button('Show on the picture', 'eye', () => this.#on.reveal(), { class: 'button to-stage' });
      parts.push(this.#objects(answer.objects), toStage);
    }
    if (answer.dropped > 0) parts.push(el('p', { class: 'hint' }, `${answer.dropped} that the model did not end well ${answer.dropped === 1 ? 'was' : 'were'} left out.`));
    if (answer.finish === 'length') parts.push(el('p', { class: 'hint' }, 'It ended at the allowed number of tokens.'));
    parts.push(this.#actions(), this.#details(answer));
    return parts;
  }

  #objects(objects) {
    const colours = coloursOf(objects);
    this.#rows = objects.map(({ label, score, box }, index) => {
      const toggle = el('button', {
        type: 'button', class: 'toggle', 'aria-pressed': 'true', 'aria-label': `Show ${label} ${index + 1} on the picture`,
        on: { click: () => flip() },
      }, icon('eye'));
      const flip = () => {
        const { hidden } = this.#question;
        const off = !hidden.has(index);
        if (off) hidden.add(index);
        else hidden.delete(index);
        toggle.setAttribute('aria-pressed', String(!off));
        toggle.replaceChildren(icon(off ? 'hidden' : 'eye'));
        row.classList.toggle('off', off);
        this.#on.look(this.#question, true);
      };
      const at = `${Math.round(box.xmin)}, ${Math.round(box.ymin)} to ${Math.round(box.xmax)}, ${Math.round(box.ymax)}`;
      const row = el('li', {
        class: 'object', style: { '--colour': colours[index], '--score': String(score) }, title: `pixels ${at}`,
        on: {
          pointerenter: () => this.#on.point(index), pointerleave: () => this.#on.point(undefined),
          focusin: () => this.#on.point(index), focusout: () => this.#on.point(undefined),
        },
      // The space is for who copies the row's text, or hears it.
      }, el('span', { class: 'swatch' }), el('span', { class: 'object-label' }, label), ' ',
      el('span', { class: 'meter', 'aria-hidden': 'true' }), el('span', { class: 'score' }, percent(score)), toggle);
      if (this.#question.hidden.has(index)) {
        row.classList.add('off');
        toggle.setAttribute('aria-pressed', 'false');
        toggle.replaceChildren(icon('hidden'));
      }
      return row;
    });
    return el('ul', { class: 'objects', 'aria-label': 'Found' }, ...this.#rows);
  }

  #actions() {
    const question = this.#question;
    const copy = async () => this.#on.say((await copyText(question)) ? 'Copied.' : 'The clipboard is not allowed here; use Text instead.');
    return el('div', { class: 'actions takeaway' },
      button('Copy', 'copy', copy), button('Text', 'download', () => saveText(question), { 'aria-label': 'Download as text' }),
      button('JSON', 'download', () => saveJson(question), { 'aria-label': 'Download as JSON' }),
      button('PNG', 'download', () => savePicture(question), { 'aria-label': 'Download the picture as PNG' }));
  }

  #details(answer) {
    const tokens = answer.tokens.map((id, index) => el('span', { class: 'token', style: { '--sure': String(Math.exp(answer.logprobs[index])) }, title: `probability ${Math.exp(answer.logprobs[index]).toFixed(3)}` }, String(id)));
    const device = `${answer.device === 'gpu' ? 'WebGPU' : 'CPU'}${answer.adapter && answer.device === 'gpu' ? `, ${answer.adapter}` : ''}`;
    return el('details', { class: 'details' },
      el('summary', {}, `${answer.tokens.length} tokens in ${duration(took(answer.timings, answer.tokens.length))} on the ${device}`),
      timeBar(answer),
      el('p', { class: 'raw' }, el('span', { class: 'quiet' }, 'In the model’s words: '), answer.text || '(nothing)'),
      el('p', { class: 'tokens', 'aria-label': 'Token numbers' }, ...tokens.flatMap((token) => [token, ' '])));
  }

  #cancelled() {
    const said = plain(this.#question.text);
    return [said && el('p', { class: 'answer' }, said), el('p', { class: 'hint' }, 'Cancelled.'),
      el('div', { class: 'actions' }, button('Ask again', 'retry', () => this.#on.again(this.#question)))].filter(Boolean);
  }

  #failed() {
    const { error, wanted } = this.#question;
    return failure(error, wanted, {
      again: (change) => this.#on.again(this.#question, change), models: () => this.#on.models(), say: (text) => this.#on.say(text),
    });
  }
}

/** Without the marks of boxes and masks, which nobody reads. */
function plain(text) {
  return text.replace(/<(loc|seg)\d+>/g, '').replace(/<(loc|seg)?\d*$/, '').replace(/\s+/g, ' ').trim();
}

function took({ imageMs, encodeMs, prefillMs, decodeMsPerToken }, tokens) {
  return imageMs + encodeMs + prefillMs + decodeMsPerToken * Math.max(0, tokens - 1);
}
