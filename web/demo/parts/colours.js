// The switch between light, dark and what the system says.

import { $ } from './dom.js';
import { icon } from './icons.js';

const NEXT = { system: 'light', light: 'dark', dark: 'system' };
const SAYS = { system: 'as the system', light: 'light', dark: 'dark' };

export function watchTheme() {
  const button = $('theme');
  const draw = (theme) => {
    if (theme === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    button.replaceChildren(icon(theme));
    button.setAttribute('aria-label', `Colours: ${SAYS[theme]}`);
    button.title = `Colours: ${SAYS[theme]}`;
  };
  const current = () => document.documentElement.dataset.theme ?? 'system';
  button.addEventListener('click', () => {
    const theme = NEXT[current()];
    draw(theme);
    try {
      localStorage.setItem('ocelli-theme', theme);
    } catch {
      // Without storage the choice lasts as long as the page.
    }
  });
  draw(current());
}
