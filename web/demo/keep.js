// The service worker: keeps the site's own files, so that it opens without a network. What was fetched
// before this worker was there the page adds, and the model that comes with the site; other models are kept by the package.

const KEPT = 'ocelli-site';
/** Folders whose files the package keeps itself, checked against their sums. */
const MODELS = /\/models\/|\/samples\/[^/]+\/[^/]+$/;
/** The model that comes with the site: the page keeps it here until the package has it. */
const EMBEDDED = '/models/tiny/';

self.addEventListener('install', (event) => {
  event.waitUntil(self.skipWaiting());
});
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  // A worker does not inherit the page's policy, and a static host may send none: this holds it to the site.
  if (origin !== location.origin) event.respondWith(Response.error());
  else if (request.method === 'GET' && (!MODELS.test(pathname) || pathname.includes(EMBEDDED))) event.respondWith(answer(event, pathname));
});

/** The network's word counts; without it, what was kept. */
async function answer(event, pathname) {
  const { request } = event;
  const cache = await caches.open(KEPT);
  try {
    const response = await fetch(request);
    // Kept while the page reads on.
    if (response.status === 200 && !MODELS.test(pathname)) event.waitUntil(cache.put(request, response.clone()));
    return response;
  } catch (error) {
    // Who asked for the rest of a model's file gets all of it, and knows by the status.
    const kept = await cache.match(request, { ignoreSearch: true });
    if (kept) return kept;
    throw error;
  }
}
