// Starts a worker whose script is not the one beside this module, or not of the page's origin.

/** A worker by its script's name; none where the script beside this module can be started as it is. */
export function startElsewhere(name: string, assets: string | undefined): Worker | undefined {
  const script = assets === undefined ? scriptElsewhere(name) : new URL(`dist/${name}`, assets).href;
  if (script === undefined) return undefined;
  return new URL(script).origin === location.origin ? startModule(script) : startImporting(script);
}

/** The worker beside this module, where that came from another origin. Some bundlers name the source's own file here. */
function scriptElsewhere(name: string): string | undefined {
  const { protocol, origin } = new URL(import.meta.url);
  return protocol === 'file:' || origin === location.origin ? undefined : import.meta.url.replace(/[^/]*$/, name);
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
