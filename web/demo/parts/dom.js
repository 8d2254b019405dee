// Making and finding elements. Text is always set as text, never as markup.

import { icon } from './icons.js';

/** @param {string} id */
export const $ = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/**
 * An element. `on` holds listeners, `style` custom properties and lengths, `icon` draws one in front; whatever else is a
 * property where the element has it, and an attribute where not.
 * @param {string} tag
 * @param {Record<string, any>} props
 * @param {...(Node | string | null | undefined | false)} children
 */
export function el(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  const { on = {}, style = {}, icon: drawn, ...rest } = props;
  for (const [name, value] of Object.entries(rest)) {
    if (value === undefined || value === null) continue;
    if (name === 'class') element.className = value;
    else if (name in element && !name.startsWith('aria')) element[name] = value;
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  for (const [type, listener] of Object.entries(on)) element.addEventListener(type, listener);
  for (const [name, value] of Object.entries(style)) element.style.setProperty(name, value);
  if (drawn) element.append(icon(drawn));
  element.append(...children.filter((child) => child || child === ''));
  return element;
}

/** A button with an icon and a label. */
export function button(label, drawn, onClick, props = {}) {
  return el('button', { type: 'button', class: 'button', icon: drawn, ...props, on: { click: onClick } }, label);
}

/** @param {string} name @param {any} detail */
export const event = (name, detail) => new CustomEvent(name, { detail });
