// <vision-caption src="cat.jpg"></vision-caption>: a picture with a caption that the model writes.

import type { OcelliError } from './errors.js';
import { type SharedModel, shareModel } from './shared-model.js';
import type { Model } from './model.js';
import type { Run } from './run.js';
import type { Answer } from './types.js';

/** Where pages are made there are no elements: the module can be imported, and defines none. */
const PageElement: typeof HTMLElement = globalThis.HTMLElement ?? class {};

/**
 * A picture in, a caption out.
 *
 * Attributes: `src`, `alt`, `model` (an address; without it the embedded model), `language`, `question` (asked instead of
 * captioning), `loading="lazy"` (waits until it is seen), `assets` (the address of a copy of the package). Parts: `figure`,
 * `image`, `caption`. Slots: the default one takes an `<img>` of one's own in the place of `src`; `waiting` and `failed` take
 * what is shown meanwhile.
 * Events: `caption` with the answer, `error` with the fault, neither bubbles. Elements with the same model share it; it is
 * disposed of when the last of them leaves the page. Screen readers are told the whole caption, not its pieces.
 */
export class VisionCaption extends PageElement {
  static readonly observedAttributes = ['src', 'alt', 'model', 'language', 'question', 'assets'];
  readonly #image = document.createElement('img');
  readonly #caption = document.createElement('figcaption');
  readonly #slot = document.createElement('slot');
  #run: Run<Answer> | undefined;
  #shared: SharedModel | undefined;
  #seen: IntersectionObserver | undefined;
  #due = false;
  #turn = 0;

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open' });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(':host{display:inline-block}:host([hidden]){display:none}figure{margin:0}img{max-width:100%;display:block}figcaption{min-height:1.5em}');
    root.adoptedStyleSheets = [sheet];
    const figure = document.createElement('figure');
    figure.part.add('figure');
    this.#image.part.add('image');
    this.#caption.part.add('caption');
    this.#caption.setAttribute('aria-live', 'polite');
    this.#slot.append(this.#image);
    this.#slot.addEventListener('slotchange', () => this.#plan());
    figure.append(this.#slot, this.#caption);
    root.append(figure);
  }

  /** What it says now. */
  get text(): string {
    return this.#caption.dataset['text'] ?? '';
  }

  connectedCallback(): void {
    this.#plan();
  }

  disconnectedCallback(): void {
    this.#stop('it left the page');
    this.#shared?.release();
    this.#shared = undefined;
  }

  attributeChangedCallback(name: string): void {
    if (name === 'alt') this.#image.alt = this.getAttribute('alt') ?? '';
    else this.#plan();
  }

  /** Several changes at once ask once. */
  #plan(): void {
    if (!this.isConnected || this.#due) return;
    this.#due = true;
    queueMicrotask(() => {
      this.#due = false;
      if (!this.isConnected) return;
      this.#stop('it was changed');
      const src = this.getAttribute('src');
      if (src !== null && this.#image.src !== new URL(src, document.baseURI).href) {
        this.#image.src = src;
        // What was said of another picture is none of this one's.
        if (!this.hasAttribute('alt')) this.#image.alt = '';
      }
      this.#image.hidden = src === null;
      if (this.getAttribute('loading') !== 'lazy') return void this.#ask();
      this.#seen = new IntersectionObserver((entries) => {
        if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
        this.#seen?.disconnect();
        void this.#ask();
      });
      this.#seen.observe(this);
    });
  }

  async #ask(): Promise<void> {
    const own = this.#slotted();
    const src = this.getAttribute('src');
    const image = own ?? (src === null ? undefined : readable(new URL(src, document.baseURI), this.#image));
    if (!image) return this.#say('');
    const turn = ++this.#turn;
    this.#show('waiting');
    try {
      const model = await this.#share();
      if (turn !== this.#turn) return;
      const language = this.getAttribute('language') ?? 'en';
      const question = this.getAttribute('question');
      const run = question === null ? model.caption(image, { language }) : model.ask(image, question, { language });
      this.#run = run;
      let text = '';
      for await (const piece of run) {
        if (turn !== this.#turn) return;
        this.#write((text += piece));
      }
      const answer = await run;
      if (turn !== this.#turn) return;
      this.#say(answer.text);
      if (!own && !this.hasAttribute('alt')) this.#image.alt = answer.text;
      this.dispatchEvent(new CustomEvent<Answer>('caption', { detail: answer }));
    } catch (error) {
      if (turn !== this.#turn) return;
      this.#show('failed');
      this.dispatchEvent(new ErrorEvent('error', { error, message: (error as OcelliError).message }));
    }
  }

  /** A picture of the page's own, which is not one that belongs to another slot. */
  #slotted(): HTMLImageElement | undefined {
    const given = this.#slot.assignedElements();
    return given.map((each) => (each instanceof HTMLImageElement ? each : each.querySelector('img'))).find((each) => each !== null);
  }

  /** Takes the new share before it gives back the old one, so that the same model stays. */
  #share(): Promise<Model> {
    const before = this.#shared;
    this.#shared = shareModel(this.getAttribute('model') || undefined, this.getAttribute('assets') ?? undefined);
    before?.release();
    return this.#shared.model;
  }

  #stop(why: string): void {
    this.#turn++;
    this.#seen?.disconnect();
    this.#run?.cancel(why);
    this.#run = undefined;
  }

  #say(text: string): void {
    this.#caption.dataset['text'] = text;
    this.#caption.textContent = text;
  }

  /** A part of what it will say. What is hidden from them is not read out by screen readers piece by piece. */
  #write(text: string): void {
    const unfinished = document.createElement('span');
    unfinished.ariaHidden = 'true';
    unfinished.textContent = text;
    this.#caption.dataset['text'] = text;
    this.#caption.replaceChildren(unfinished);
  }

  /** What the page put into a slot of that name. */
  #show(name: 'waiting' | 'failed'): void {
    this.#caption.dataset['text'] = '';
    const slot = document.createElement('slot');
    slot.name = name;
    this.#caption.replaceChildren(slot);
  }
}

/** Policies that let a page show `blob:` and `data:` seldom let it fetch them; what is shown has no other pixels. */
function readable(src: URL, shown: HTMLImageElement): URL | HTMLImageElement {
  return src.protocol === 'blob:' || src.protocol === 'data:' ? shown : src;
}

if (globalThis.customElements && !customElements.get('vision-caption')) customElements.define('vision-caption', VisionCaption);

declare global {
  interface HTMLElementTagNameMap {
    'vision-caption': VisionCaption;
  }
}
