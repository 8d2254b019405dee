// The model that travels in the package. Nothing of it is fetched before it is asked for.

import { directoryOf } from './net/address.js';

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

function plain(url: URL): URL {
  url.search = '';
  return url;
}
