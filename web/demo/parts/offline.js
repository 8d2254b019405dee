// The service worker that keeps the site, and installing it as an app.

import { $ } from './dom.js';

/** Must be the service worker's own name for it. */
const KEPT = 'ocelli-site';

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

/** Resolves when what this page has fetched so far is kept, and all it fetches from now on will be. */
export async function keepOffline() {
  const workers = navigator.serviceWorker;
  if (!workers) return;
  try {
    await workers.register('keep.js');
    if (!workers.controller) await claimed(workers);
    const fetched = performance.getEntriesByType('resource').map(({ name }) => name);
    const own = fetched.filter((name) => name.startsWith(location.origin));
    const cache = await caches.open(KEPT);
    await cache.addAll([...new Set([location.href.split('#')[0], new URL('./', location.href).href, ...own])]);
    $('offline-ready').hidden = false;
  } catch {
    // Without it the site works as long as there is a network.
  }
}
