// Starts the worker, wherever its script lies.

/**
 * @param assets the address of a copy of the package; without it, the script that the bundler put somewhere, or else the
 *   one beside this module
 * @throws what the browser throws where it refuses
 */
export function startWorker(assets: string | undefined): Worker {
  const script = assets === undefined ? scriptElsewhere() : new URL('dist/worker.js', assets).href;
  // Written out in one piece: that is how bundlers find the worker.
  if (script === undefined) return new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'ocelli' });
  return new URL(script).origin === location.origin ? startModule(script) : startImporting(script);
}

/** The worker beside this module, where that came from another origin. Some bundlers name the source's own file here. */
function scriptElsewhere(): string | undefined {
  const { protocol, origin } = new URL(import.meta.url);
  return protocol === 'file:' || origin === location.origin ? undefined : import.meta.url.replace(/[^/]*$/, 'worker.js');
}

function startModule(script: string): Worker {
  return new Worker(script, { type: 'module', name: 'ocelli' });
}

/** A worker's own script must be of the page's origin; what that imports need not. */
function startImporting(script: string): Worker {
  const own = URL.createObjectURL(new Blob([`import ${JSON.stringify(script)};`], { type: 'text/javascript' }));
  const worker = startModule(own);
  worker.addEventListener('message', () => URL.revokeObjectURL(own), { once: true });
  return worker;
}
