// The sample pictures: a background, and things laid on it as [name, left, top, side, ...colours], in a square of 640.

import { DRAWINGS } from './drawings.mjs';

export const SIDE = 640;

const sky = (top, bottom) => `<defs><linearGradient id="sky" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="${top}"/><stop offset="1" stop-color="${bottom}"/></linearGradient></defs><rect width="640" height="640" fill="url(#sky)"/>`;
const lie = ([name, x, y, side, ...colours]) => `<g transform="translate(${x} ${y}) scale(${side / 100})">${DRAWINGS[name](...colours)}</g>`;

const SCENES = {
  harbour: {
    back: `${sky('#a8dcf5', '#e8f7fd')}<path d="M0 380 Q80 360 160 380 T320 380 T480 380 T640 380 V640 H0Z" fill="#3aa0d8"/><path d="M0 470 Q80 452 160 470 T320 470 T480 470 T640 470 V640 H0Z" fill="#2b86bf"/>`,
    things: [['sun', 30, 30, 170], ['boat', 300, 150, 300], ['fish', 80, 440, 180]],
  },
  street: {
    back: `${sky('#bfe6fb', '#f2fbff')}<path d="M0 430 H640 V640 H0Z" fill="#9fce7a"/><path d="M0 500H640V620H0Z" fill="#6b7280"/><path d="M20 560h70M160 560h70M300 560h70M440 560h70M580 560h60" stroke="#fff" stroke-width="8"/>`,
    things: [['house', 40, 190, 270], ['tree', 345, 165, 275], ['car', 250, 390, 250]],
  },
  fruit: {
    back: '<rect width="640" height="640" fill="#fbf3e4"/><ellipse cx="320" cy="420" rx="290" ry="150" fill="#d7e6ea"/><ellipse cx="320" cy="405" rx="250" ry="120" fill="#f5fafb"/>',
    things: [['apple', 90, 210, 190], ['apple', 255, 120, 180, '#7fb83a', '#5f9327'], ['banana', 240, 300, 220], ['strawberry', 440, 220, 140]],
  },
  pets: {
    back: '<rect width="640" height="640" fill="#ffe9d6"/><path d="M0 470H640V640H0Z" fill="#e7b98a"/>',
    things: [['cat', 50, 190, 260], ['dog', 340, 200, 260]],
  },
  night: {
    back: sky('#141c46', '#3b3f7d'),
    things: [['moon', 60, 50, 210], ['star', 340, 70, 110], ['star', 500, 200, 80], ['star', 330, 270, 90], ['umbrella', 380, 350, 230], ['balloon', 70, 320, 250]],
  },
  meadow: {
    back: `${sky('#cdeefe', '#f4fcff')}<path d="M0 330 Q160 270 320 330 T640 320 V640 H0Z" fill="#a9d67c"/><path d="M0 430 Q200 380 420 440 T640 430 V640 H0Z" fill="#8cc561"/>`,
    things: [['flower', 40, 300, 220], ['mushroom', 260, 350, 190], ['flower', 440, 280, 200, '#8f7be8'], ['sun', 450, 30, 150]],
  },
  sign: {
    back: '<rect width="640" height="640" fill="#e9dfcf"/><rect x="70" y="130" width="500" height="350" rx="26" fill="#0f766e"/><rect x="90" y="150" width="460" height="310" rx="16" fill="none" stroke="#ffffff" stroke-width="6"/><path d="M300 480h40v160h-40z" fill="#7a5230"/>',
    things: [],
    words: ['Fresh', 'bread'],
  },
};

/** Name and SVG of each. */
export const PICTURES = Object.entries(SCENES).map(([name, { back, things, words = [] }]) => [
  name,
  `<svg xmlns="http://www.w3.org/2000/svg" width="${SIDE}" height="${SIDE}" viewBox="0 0 640 640">${back}${things.map(lie).join('')}${words
    .map((word, line) => `<text x="320" y="${290 + line * 125}" text-anchor="middle" font-family="Lato, 'DejaVu Sans', sans-serif" font-weight="700" font-size="124" fill="#fff">${word}</text>`).join('')}</svg>`,
]);
