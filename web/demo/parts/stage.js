// The picture with boxes and masks over it.

import { $, el } from './dom.js';
import { percent } from './figures.js';

/** A mask is white with its shape in alpha: given a colour here. @param {ImageData} mask @param {string} colour */
export function tinted(mask, colour) {
  const canvas = el('canvas', { width: mask.width, height: mask.height });
  const context = canvas.getContext('2d');
  context.putImageData(mask, 0, 0);
  context.globalCompositeOperation = 'source-in';
  context.fillStyle = colour;
  context.fillRect(0, 0, mask.width, mask.height);
  return canvas;
}

/** Shows one picture, and what one answer found in it. Fires `point` with the number of the object under the pointer. */
export class Stage extends EventTarget {
  /** @type {import('./picture.js').Shown | undefined} */
  #picture;
  /** @type {HTMLElement[]} */
  #marks = [];

  /** @param {import('./picture.js').Shown} picture */
  show(picture) {
    this.#picture = picture;
    const image = /** @type {HTMLImageElement} */ ($('picture'));
    image.src = picture.url;
    image.alt = picture.says || picture.name;
    $('frame').style.setProperty('--ratio', String(picture.width / picture.height));
    $('frame').hidden = false;
    $('picture-name').textContent = `${picture.name} · ${picture.width} × ${picture.height}`;
    this.mark([], [], new Set());
  }

  /**
   * @param {readonly import('../../src/types.js').Segment[]} objects in pixels of the picture
   * @param {readonly string[]} colours
   * @param {ReadonlySet<number>} hidden numbers of those that are not shown
   */
  mark(objects, colours, hidden) {
    const { width, height } = this.#picture ?? { width: 1, height: 1 };
    const share = (length, all) => `${(100 * length) / all}%`;
    this.#marks = objects.map(({ label, score, box, mask, origin }, index) => {
      const colour = colours[index];
      const mark = el('div', { class: 'mark', hidden: hidden.has(index), style: { '--colour': colour } });
      if (mask) {
        const canvas = tinted(mask, colour);
        canvas.className = 'mask';
        place(canvas, share(origin.x, width), share(origin.y, height), share(mask.width, width), share(mask.height, height));
        mark.append(canvas);
      }
      const frame = el('div', { class: `box${box.ymin < height * 0.09 ? ' inside' : ''}${box.xmin > width * 0.7 ? ' end' : ''}` },
        el('span', { class: 'tag' }, el('b', {}, label), el('span', { class: 'score' }, percent(score))));
      place(frame, share(box.xmin, width), share(box.ymin, height), share(box.xmax - box.xmin, width), share(box.ymax - box.ymin, height));
      frame.addEventListener('pointerenter', () => this.dispatchEvent(new CustomEvent('point', { detail: index })));
      frame.addEventListener('pointerleave', () => this.dispatchEvent(new CustomEvent('point', { detail: undefined })));
      mark.append(frame);
      return mark;
    });
    // Small ones last, so that the pointer reaches them.
    const area = (index) => (objects[index].box.xmax - objects[index].box.xmin) * (objects[index].box.ymax - objects[index].box.ymin);
    const order = this.#marks.map((_, index) => index).sort((a, b) => area(b) - area(a));
    $('overlay').replaceChildren(...order.map((index) => this.#marks[index]));
  }

  /** Makes one object stand out, or none. @param {number | undefined} index */
  point(index) {
    $('overlay').classList.toggle('pointing', index !== undefined);
    for (const [number, mark] of this.#marks.entries()) mark.classList.toggle('pointed', number === index);
  }
}

function place(element, left, top, width, height) {
  element.style.left = left;
  element.style.top = top;
  element.style.width = width;
  element.style.height = height;
}
