// Where the files of a pack or directory are: beside each other, under their own names, unless a bundler renamed them.

import { badArgument } from '../errors.js';

/**
 * The address of a file in a directory. The directory's fragment may say what files are called there:
 * `https://site/assets/#ocelli.json=ocelli-3f2a.json` has its `ocelli.json` at `https://site/assets/ocelli-3f2a.json`.
 */
export function addressOf(file: string, directory: string): string {
  const renamed = new URLSearchParams(new URL(directory).hash.slice(1)).get(file);
  return new URL(renamed ?? file, directory).href;
}

/** The address of the directory that holds these files, with what they are called there in its fragment. */
export function directoryOf(files: Readonly<Record<string, URL>>): string {
  const [first] = Object.values(files);
  const directory = new URL('.', first);
  directory.search = directory.hash = '';
  const renamed = Object.entries(files).filter(([file, { href }]) => href !== new URL(file, directory).href);
  directory.hash = new URLSearchParams(renamed.map(([file, { href }]) => [file, href])).toString();
  return directory.href;
}

/**
 * The address in full: relative ones start at the page, or at the script of the worker that asks.
 * @throws OcelliError where it is none
 */
export function absolute(address: string | URL, remedy: string): URL {
  try {
    return new URL(address, globalThis.document?.baseURI ?? location.href);
  } catch {
    throw badArgument(`\`${address}\` is no address`, remedy);
  }
}

/** The address in full of a model's directory, or of its manifest. */
export function directoryAddress(url: string | URL): string {
  const address = absolute(url, 'Give the address of the directory that holds ocelli.json or config.json.');
  // A directory ends with a slash, or its last name would be replaced by the files' names.
  address.pathname = address.pathname.replace(/\/(ocelli\.json)?$|$/, '/');
  return address.href;
}

/** The address in full of a copy of the package, with a slash at its end. */
export function copyAddress(assets: string | URL): string {
  return absolute(`${assets}`.replace(/\/*$/, '/'), 'Give the address of a copy of the package, such as "/ocelli/".').href;
}
