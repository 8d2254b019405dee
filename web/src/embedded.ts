// The model that travels in the package. Nothing of it is fetched before it is asked for.

import { makeError } from './errors.js';
import { copyAddress, directoryOf } from './net/address.js';

/**
 * Its address. Each file is named in full, since that is how bundlers find what to carry along; a query keeps small ones
 * from being put into the script.
 *
 * @param assets the address of a copy of the package that holds it
 */
export function embedded(assets?: string): string {
  if (assets !== undefined) return new URL('models/tiny/', assets).href;
  return directoryOf({
    'ocelli.json': plain(new URL('../models/tiny/ocelli.json?no-inline', import.meta.url)),
    'tokenizer.json': plain(new URL('../models/tiny/tokenizer.json?no-inline', import.meta.url)),
    'weights-00001.safetensors': plain(new URL('../models/tiny/weights-00001.safetensors?no-inline', import.meta.url)),
  });
}

/**
 * The nouns that it knows.
 * @throws OcelliError where their list cannot be fetched
 */
export async function embeddedLabels(assets?: string | URL): Promise<readonly string[]> {
  const url = assets === undefined ? plain(new URL('../models/tiny/labels.json?no-inline', import.meta.url)) : new URL('models/tiny/labels.json', copyAddress(assets));
  const response = await fetch(url).catch((cause: unknown) => cause);
  if (response instanceof Response && response.ok) return response.json();
  throw makeError({
    code: 'OCELLI_IO',
    message: `${url} could not be fetched${response instanceof Response ? ` (status ${response.status})` : ''}`,
    remedy: 'Serve the whole models folder of the package, or say what to look for by `candidate_labels`.',
  }, response instanceof Response ? undefined : response);
}

function plain(url: URL): URL {
  url.search = '';
  return url;
}
