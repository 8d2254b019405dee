// <vision-caption> as a page uses it: what it shows when, what of it can be styled and replaced, what a screen reader is told,
// and what is left when it is gone.

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';

import { cases, mounts } from './common/goldens.mjs';
import { startSite } from './common/site.mjs';
import { endWorker, endWorkerLater, workersOf } from './common/worker-end.mjs';

let browser;
let close;
let page;
let site;

before(async () => {
  ({ site, browser, close } = await startSite({ mounts }));
});

after(() => close?.());

beforeEach(async () => {
  await page?.close();
  page = await browser.newPage();
  await page.goto(`${site.url}blank/`);
  await page.evaluate(async () => {
    await import('/dist/element.js');
    /** Puts an element into the page; how it ends. */
    globalThis.put = (attributes, inside = '') => {
      const element = document.createElement('vision-caption');
      for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
      element.innerHTML = inside;
      document.body.append(element);
      return { element, ended: globalThis.end(element) };
    };
    globalThis.end = (element) => new Promise((resolve) => {
      element.addEventListener('caption', ({ detail }) => resolve({ text: detail.text, tokens: [...detail.tokens], shown: element.text }), { once: true });
      element.addEventListener('error', ({ error, message }) => resolve({ code: error.code, message }), { once: true });
    });
  });
});

const MODEL = '/models/pg1-hd16';
const workers = (count) => workersOf(page, count);

test('it captions with the model that it names, or asks its question', async () => {
  const golden = cases('pg1-hd16').find(({ prompt, pictures: [picture] }) => prompt.startsWith('caption en') && picture === 'cat.png');
  const { captioned, asked, plain } = await page.evaluate(async (model) => {
    const { element, ended } = globalThis.put({ src: '/pictures/cat.png', model });
    const captioned = await ended;
    element.setAttribute('question', 'what is this?');
    const asked = await globalThis.end(element);
    const { load } = await import('/dist/index.js');
    const own = await load(model);
    const plain = [(await own.caption('/pictures/cat.png')).text, (await own.ask('/pictures/cat.png', 'what is this?')).text];
    own.dispose();
    return { captioned, asked, plain };
  }, MODEL);
  assert.ok(golden);
  assert.deepEqual([captioned.text, asked.text], plain);
  assert.deepEqual([captioned.shown, asked.shown], plain);
  assert.notEqual(captioned.text, asked.text);
});

test('its parts can be styled, and its picture gets the caption as its text', async () => {
  const found = await page.evaluate(async (model) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync('vision-caption::part(figure){margin:7px}vision-caption::part(image){opacity:.5}vision-caption::part(caption){color:rgb(1,2,3)}');
    document.adoptedStyleSheets = [sheet];
    const { element, ended } = globalThis.put({ src: '/pictures/cat.png', model });
    const { text } = await ended;
    const style = (part) => getComputedStyle(element.shadowRoot.querySelector(`[part=${part}]`));
    const image = element.shadowRoot.querySelector('img');
    const alt = image.alt;
    element.setAttribute('alt', 'a cat');
    return { margin: style('figure').margin, opacity: style('image').opacity, color: style('caption').color, same: alt === text, alt: image.alt };
  }, MODEL);
  assert.deepEqual(found, { margin: '7px', opacity: '0.5', color: 'rgb(1, 2, 3)', same: true, alt: 'a cat' });
});

test('slots take the page\'s own picture, and what is shown while it waits and when it failed', async () => {
  const found = await page.evaluate(async (model) => {
    const inside = '<img src="/pictures/cat.png"><b slot="waiting">a moment</b><b slot="failed">no luck</b>';
    const { element, ended } = globalThis.put({ model }, inside);
    const [own, waiting, failed] = element.children;
    const seen = (child) => child.getClientRects().length > 0;
    const look = () => [own, waiting, failed].map(seen);
    await new Promise((later) => setTimeout(later));
    const before = look();
    const { text } = await ended;
    const done = look();
    own.src = '/pictures/none.png';
    element.setAttribute('language', 'de');
    const fault = await globalThis.end(element);
    return { before, done, after: look(), captioned: text === undefined ? 'no' : 'yes', code: fault.code, text: element.text };
  }, MODEL);
  assert.deepEqual(found, { before: [true, true, false], done: [true, false, false], after: [true, false, true], captioned: 'yes', code: 'OCELLI_BAD_IMAGE', text: '' });
});

test('a picture in another slot is not its own, and what was said of one picture is not said of the next', async () => {
  const found = await page.evaluate(async (model) => {
    const { element, ended } = globalThis.put({ src: '/pictures/cat.png', model }, '<img slot="waiting" src="/pictures/none.png" alt="a moment">');
    const image = element.shadowRoot.querySelector('img');
    const { text } = await ended;
    const said = image.alt;
    element.setAttribute('src', '/pictures/none.png');
    const { code } = await globalThis.end(element);
    return { same: said === text && text.length > 0, code, then: image.alt };
  }, MODEL);
  assert.deepEqual(found, { same: true, code: 'OCELLI_NOT_FOUND', then: '' });
});

test('a picture that is changed while it is captioned gets its own caption alone', async () => {
  const found = await page.evaluate(async (model) => {
    const { element } = globalThis.put({ src: '/pictures/cat.png', model });
    const captions = [];
    element.addEventListener('caption', ({ detail }) => captions.push(detail.text));
    while (element.text === '') await new Promise((later) => setTimeout(later));
    element.setAttribute('question', 'what is this?');
    await globalThis.end(element);
    element.setAttribute('question', 'where is it?');
    while (element.text === '' || element.text === captions[0]) await new Promise((later) => setTimeout(later));
    element.removeAttribute('src');
    await new Promise((later) => setTimeout(later, 300));
    return { captions: captions.length, text: element.text };
  }, MODEL);
  assert.deepEqual(found, { captions: 1, text: '' });
});

test('a fault is told by an event; the next change tries anew', async () => {
  const found = await page.evaluate(async (model) => {
    const { element, ended } = globalThis.put({ src: '/pictures/cat.png', model: '/models/none' });
    const { code, message } = await ended;
    element.setAttribute('model', model);
    return { code, told: message.length > 0, then: (await globalThis.end(element)).text !== undefined };
  }, MODEL);
  assert.deepEqual(found, { code: 'OCELLI_NOT_FOUND', told: true, then: true });
});

test('a lazy one waits until it is seen', async () => {
  const { early, late } = await page.evaluate(async (model) => {
    const gap = document.body.appendChild(document.createElement('div'));
    gap.style.height = '5000px';
    const { element, ended } = globalThis.put({ src: '/pictures/cat.png', model, loading: 'lazy' });
    const early = await Promise.race([ended, new Promise((later) => setTimeout(later, 500, 'nothing'))]);
    element.scrollIntoView();
    return { early, late: (await ended).text !== undefined };
  }, MODEL);
  assert.equal(early, 'nothing');
  assert.equal(late, true);
});

test('screen readers are told the whole caption, and none of its pieces', async () => {
  const { live, told, text } = await page.evaluate(async (model) => {
    const { element, ended } = globalThis.put({ src: '/pictures/cat.png', model });
    const caption = element.shadowRoot.querySelector('figcaption');
    const told = [];
    // What a live region says: the text that is added to it and not hidden from them.
    new MutationObserver((changes) => {
      for (const { addedNodes } of changes) for (const node of addedNodes) if (node.ariaHidden !== 'true' && node.textContent) told.push(node.textContent);
    }).observe(caption, { childList: true, subtree: true, characterData: true });
    const { text } = await ended;
    await new Promise((later) => setTimeout(later, 50));
    return { live: caption.getAttribute('aria-live'), told, text };
  }, MODEL);
  assert.equal(live, 'polite');
  assert.ok(text.length > 0);
  assert.deepEqual(told, [text]);
});

test('elements share a model; it goes with the last of them, and stays with one that is moved', async () => {
  await page.evaluate(async (model) => {
    globalThis.both = [globalThis.put({ src: '/pictures/cat.png', model }), globalThis.put({ src: '/pictures/cat.png', model })];
    await Promise.all(globalThis.both.map(({ ended }) => ended));
  }, MODEL);
  assert.equal(await workers(1), 1);
  const [worker] = page.workers();
  await page.evaluate(async () => {
    const [first, second] = globalThis.both.map(({ element }) => element);
    first.remove();
    const again = globalThis.end(second);
    document.body.prepend(second);
    await again;
  });
  assert.deepEqual(page.workers(), [worker]);
  await page.evaluate(() => globalThis.both[1].element.remove());
  assert.equal(await workers(0), 0);
  // One that comes back loads it anew.
  const text = await page.evaluate(async () => {
    const { element } = globalThis.both[0];
    const ended = globalThis.end(element);
    document.body.append(element);
    return (await ended).text;
  });
  assert.ok(text.length > 0);
});

test('one that is removed while its model loads leaves nothing behind', async () => {
  const told = await page.evaluate(async (model) => {
    const { element, ended } = globalThis.put({ src: '/pictures/cat.png', model });
    await new Promise((later) => setTimeout(later));
    element.remove();
    const other = globalThis.put({ src: '/pictures/cat.png', model });
    other.element.remove();
    return Promise.race([ended, other.ended, new Promise((later) => setTimeout(later, 1000, 'nothing'))]);
  }, MODEL);
  assert.equal(told, 'nothing');
  assert.equal(await workers(0), 0);
});

/** Puts an element into the page, which is then `one`; what it ended with. */
const putOne = () => page.evaluate((model) => {
  globalThis.one = globalThis.put({ src: '/pictures/cat.png', model });
  return globalThis.one.ended;
}, MODEL);

test('a model whose worker was ended is loaded anew for the next question, and shared again', async () => {
  const first = await putOne();
  await endWorker(page);
  assert.equal(await workers(0), 0);
  const [again, other] = await page.evaluate((model) => {
    const { element } = globalThis.one;
    element.setAttribute('src', '/pictures/cat.png?again');
    return Promise.all([globalThis.end(element), globalThis.put({ src: '/pictures/cat.png', model }).ended]);
  }, MODEL);
  assert.deepEqual([again, other], [first, first]);
  assert.equal(await workers(1), 1);
});

test('an element whose model breaks down under a question tells it, and can be asked again at once', async () => {
  const first = await putOne();
  await endWorkerLater(page, 300);
  const [fault, again] = await page.evaluate(() => {
    const { element } = globalThis.one;
    const fault = new Promise((resolve) => element.addEventListener('error', ({ error }) => {
      element.setAttribute('src', '/pictures/cat.png');
      resolve(error.code);
    }, { once: true }));
    element.setAttribute('src', '/pictures/rocket.png');
    return Promise.all([fault, fault.then(() => globalThis.end(element))]);
  });
  assert.equal(fault, 'OCELLI_INTERNAL');
  assert.deepEqual(again, first);
  assert.equal(await workers(1), 1);
});
