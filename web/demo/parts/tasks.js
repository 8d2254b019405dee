// What can be asked of a picture, in the package's own calls.

/**
 * @typedef {object} Asked what was asked: plain data, so that it can be kept, shown and asked again
 * @property {string} task
 * @property {string} [text] a question or a prompt
 * @property {string[]} [labels]
 * @property {string} [language]
 * @property {boolean} [long]
 */

export const LANGUAGES = { en: 'English', de: 'German', es: 'Spanish', fr: 'French', it: 'Italian', ja: 'Japanese', pt: 'Portuguese', zh: 'Chinese' };

/** In the order of the page. `needs` says which field must hold something. */
export const TASKS = {
  caption: {
    name: 'Caption', icon: 'caption', verb: 'Caption it',
    title: ({ long, language }) => `${long ? 'Describe' : 'Caption'}${language === 'en' ? '' : ` in ${LANGUAGES[language]}`}`,
    call: (model, image, { long, language }, options) => model[long ? 'describe' : 'caption'](image, { language, ...options }),
  },
  ask: {
    name: 'Ask', icon: 'ask', verb: 'Ask', needs: 'text',
    title: ({ text }) => text,
    call: (model, image, { text, language }, options) => model.ask(image, text, { language, ...options }),
  },
  read: {
    name: 'Read', icon: 'read', verb: 'Read the text',
    title: () => 'Read the text',
    call: (model, image, _, options) => model.ocr(image, options),
  },
  detect: {
    name: 'Detect', icon: 'detect', verb: 'Find them', needs: 'labels',
    title: ({ labels }) => `Find ${labels.join(', ')}`,
    call: (model, image, { labels }, options) => model.detect(image, labels, options),
  },
  segment: {
    name: 'Segment', icon: 'segment', verb: 'Outline them', needs: 'labels',
    title: ({ labels }) => `Outline ${labels.join(', ')}`,
    call: (model, image, { labels }, options) => model.segment(image, labels, options),
  },
  prompt: {
    name: 'Prompt', icon: 'prompt', verb: 'Send', needs: 'text',
    title: ({ text }) => text,
    call: (model, image, { text }, options) => model.generate({ image, prompt: text, ...options }),
  },
};
