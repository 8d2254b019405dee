// The service worker: keeps the site's own files, so that it opens without a network. What was fetched
// before this worker was there the page adds; models are kept by the package.

const KEPT = 'ocelli-site';
/** Folders whose files the package keeps itself, checked against their sums. */
const MODELS = /\/models\/|\/samples\/[^/]+\/[^/]+$/;

self.addEventListener('install', (event) => {
  event.waitUntil(self.skipWaiting());
});
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== location.origin || request.headers.has('range') || MODELS.test(pathname)) return;
  event.respondWith(answer(event));
});

/** The network's word counts; without it, what was kept. */
async function answer(event) {
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
