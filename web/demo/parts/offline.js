// The service worker that keeps the site, and installing it as an app.

import { $ } from './dom.js';

export async function keepOffline() {
  addEventListener('beforeinstallprompt', (offered) => {
    offered.preventDefault();
    $('install').hidden = false;
    $('install').onclick = async () => {
      $('install').hidden = true;
      await offered.prompt();
    };
  });
  if (!('serviceWorker' in navigator)) return;
  try {
    await navigator.serviceWorker.register('keep.js');
    await navigator.serviceWorker.ready;
    $('offline-ready').hidden = false;
  } catch {
    // Without it the site works as long as there is a network.
  }
}
