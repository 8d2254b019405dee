// The service worker that keeps the site, and installing it as an app.

import { cache as packs } from '../dist/index.js';
import { $ } from './dom.js';
import { EMBEDDED } from './models.js';

/** Must be the service worker's own name for it. */
const KEPT = 'ocelli-site';

/** What a visit that asks nothing has not fetched, besides scripts. */
const REST = ['bench.html', 'site.webmanifest', 'icon-192.png', 'icon-512.png', 'pkg/ocelli_bg.wasm'];

/** Offers to install the site where the browser would. */
export function offerInstall() {
  addEventListener('beforeinstallprompt', (offered) => {
    offered.preventDefault();
    $('install').hidden = false;
    $('install').onclick = async () => {
      $('install').hidden = true;
      await offered.prompt();
    };
  });
}

/** The first visit's page is claimed within moments; one that was reloaded past its caches never is. */
function claimed(workers) {
  return new Promise((resolve, reject) => {
    workers.addEventListener('controllerchange', resolve, { once: true });
    setTimeout(() => reject(new Error('not claimed')), 3000);
  });
}

/** Resolves when what this page has fetched so far is kept, and all it fetches from now on will be; false where it cannot be. */
export async function keepOpened() {
  const workers = navigator.serviceWorker;
  if (!workers) return false;
  try {
    await workers.register('keep.js');
    if (!workers.controller) await claimed(workers);
    const loaded = performance.getEntriesByType('resource').map(({ name }) => name);
    const own = loaded.filter((name) => name.startsWith(location.origin));
    const cache = await caches.open(KEPT);
    await cache.addAll([...new Set([location.href.split('#')[0], new URL('./', location.href).href, ...own])]);
    return true;
  } catch {
    // Without it the site works as long as there is a network.
    return false;
  }
}

/**
 * Fetches what is still missing for answers without a network, and says so when it is there. Whoever asks a question
 * meanwhile goes first; whoever saves data is not sent ten megabytes unasked.
 * @param {import('./models.js').Models} models
 */
export async function keepRest(models) {
  if (navigator.connection?.saveData) return;
  try {
    const cache = await caches.open(KEPT);
    await cache.addAll(REST);
    await keepScript(cache, new URL('bench.js', document.baseURI).href);
    while (!(await keepModel(cache, models)));
    $('offline-ready').hidden = false;
  } catch {
    // The network went away: the next visit goes on.
  }
}

/** Keeps a script and all that it imports, at once or later; those of this page are kept. */
async function keepScript(cache, address, seen = new Set(), loaded = performance.getEntriesByType('resource').map(({ name }) => name)) {
  if (seen.has(address)) return;
  seen.add(address);
  if (!loaded.includes(address)) await cache.add(address);
  const text = (await (await cache.match(address))?.text()) ?? '';
  for (const [, path] of text.matchAll(/\b(?:from|import) ?\(?['"](\.[^'"]+)/g)) await keepScript(cache, new URL(path, address).href, seen, loaded);
}

/** @throws where there is no such file */
async function fetched(address, signal) {
  const response = await fetch(address, { signal });
  if (!response.ok) throw new Error(`${address} could not be fetched: status ${response.status}`);
  return response;
}

/** Keeps the model that comes with the site; false where a question came between. */
async function keepModel(cache, models) {
  while (models.state === 'loading') await new Promise((resolve) => models.addEventListener('change', resolve, { once: true }));
  const stop = new AbortController();
  const yieldToQuestion = () => models.state === 'loading' && stop.abort();
  models.addEventListener('change', yieldToQuestion);
  try {
    const address = new URL(EMBEDDED, document.baseURI).href;
    const manifest = await fetched(`${address}ocelli.json`, stop.signal);
    const text = await manifest.clone().text();
    // Format 1 has one list of shards, format 2 one in each part.
    const { tokenizer, shards, parts = [{ shards }] } = JSON.parse(text);
    const files = [tokenizer, ...parts.flatMap((part) => part.shards)];
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    // The package has it where a question was asked.
    if ((await packs.list()).some((pack) => pack.url === address && pack.bytes >= bytes)) return true;
    // The manifest is kept last: where it is the same, so are the files.
    if ((await (await cache.match(manifest.url))?.text()) === text) return true;
    for (const { file } of files) await cache.put(`${address}${file}`, await fetched(`${address}${file}`, stop.signal));
    await cache.put(manifest.url, manifest);
    return true;
  } catch (error) {
    if (stop.signal.aborted) return false;
    throw error;
  } finally {
    models.removeEventListener('change', yieldToQuestion);
  }
}
