// The service worker: keeps the site's own files, so that it opens without a network. What was fetched before this worker
// was there the page adds, and the model that comes with the site; other models are kept by the package.

const KEPT = 'ocelli-site';
/** Folders whose files the package keeps itself, checked against their checksums. */
const MODELS = /\/models\/|\/samples\/[^/]+\/[^/]+$/;
/** The model that comes with the site: the page keeps it here until the package has it. */
const EMBEDDED = '/models/tiny/';

/** Whether the files kept here are those of the manifest that the package was given last. */
let current = false;

self.addEventListener('install', (event) => {
  event.waitUntil(self.skipWaiting());
});
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  // A worker does not inherit the page's policy, and a static host may send none: this holds it to the site.
  if (origin !== location.origin) return event.respondWith(Response.error());
  if (request.method !== 'GET') return;
  if (pathname.endsWith(`${EMBEDDED}ocelli.json`)) return event.respondWith(manifest(request));
  // A download stays out of here: Chromium 156 fetches the rest of what a page stops reading from a service worker.
  if (!MODELS.test(pathname)) event.respondWith(site(event));
  else if (pathname.includes(EMBEDDED) && (current || !navigator.onLine)) event.respondWith(embedded(request));
});

/** A file of the site: the network's word counts; without it, what was kept. */
async function site(event) {
  const { request } = event;
  const cache = await caches.open(KEPT);
  try {
    const response = await fetch(request);
    // Kept while the page reads on.
    if (response.status === 200) event.waitUntil(cache.put(request, response.clone()));
    return response;
  } catch (error) {
    const kept = await cache.match(request, { ignoreSearch: true });
    if (kept) return kept;
    throw error;
  }
}

/** The embedded model's manifest, from the network where there is one. */
async function manifest(request) {
  const kept = await keptHere(request);
  try {
    const response = await fetch(request);
    current = kept !== undefined && (await response.clone().text()) === (await kept.clone().text());
    return response;
  } catch (error) {
    current = kept !== undefined;
    if (kept) return kept;
    throw error;
  }
}

/** Who asks for the rest of a file gets all of it from here, and sees so by the status. */
async function embedded(request) {
  return (await keptHere(request)) ?? fetch(request);
}

async function keptHere({ url }) {
  return (await caches.open(KEPT)).match(url);
}
