// Files without a known checksum: the manifest itself, and the files of a Hugging Face directory. What is kept of them is
// used again where the server says that it did not change, and where the server cannot be reached.

import { cancelled } from '../errors.js';
import { addressOf } from '../net/address.js';
import type { Downloader, FileEntry } from '../net/download.js';
import { validatorOf } from '../net/range.js';
import { Watch } from '../net/watch.js';
import type { PackStore } from '../store/store.js';
import { MANIFEST } from './manifest.js';

/** Waiting longer than this for a server to confirm what is kept is worse than using it. */
const CONFIRM_MS = 5000;

/** What is known of a file without changing anything: it is kept, it does not exist, or it has to be fetched. */
export async function stateOf({ file, optional }: FileEntry, pack: PackStore, downloader: Downloader, trust = false): Promise<'kept' | 'absent' | 'fetch'> {
  const note = pack.note.files[file];
  const kept = note?.complete === true && (await pack.size(file)) === note.total;
  if (!kept && !note?.absent) return 'fetch';
  const said = trust ? 'unknown' : await confirm(addressOf(file, downloader.mirrors[0]!), note.validator, downloader.signal);
  if (!kept) return said === 'unknown' || said === 'gone' ? 'absent' : 'fetch';
  // A directory without a file that it need not have is another version. What else is gone goes on working here.
  if (said === 'gone') return optional && file !== MANIFEST ? 'fetch' : 'kept';
  return said === 'changed' ? 'fetch' : 'kept';
}

/**
 * Sees to it that the store has a file's current version.
 * @param trust use what is kept without asking the server whether it changed
 * @param onKept called with the bytes of a file that need not be fetched
 * @returns false where it is optional and does not exist
 * @throws OcelliError, or what the store throws
 */
export async function refresh(
  entry: FileEntry,
  pack: PackStore,
  downloader: Downloader,
  trust = false,
  onKept: (bytes: number) => void = () => undefined,
): Promise<boolean> {
  const { file, optional } = entry;
  const state = await stateOf(entry, pack, downloader, trust);
  if (state === 'kept') onKept(await pack.size(file));
  if (state === 'kept') return true;
  if (state === 'absent' && optional) return false;
  // What is kept stays until its successor begins to come.
  const came = await downloader.bring({ ...entry, whole: pack.note.files[file]?.complete === true }, pack);
  if (!came) {
    pack.note.files[file] = { absent: true };
    await pack.remember();
  }
  return came;
}

/** Asks the server for a file's mark alone. `unknown`: it cannot be reached, or does not say. */
async function confirm(url: string, validator: string | undefined, signal: AbortSignal): Promise<'same' | 'changed' | 'gone' | 'unknown'> {
  if (navigator.onLine === false) return 'unknown';
  const watch = new Watch(signal, CONFIRM_MS);
  try {
    const { ok, status, headers } = await watch.over(fetch(url, { method: 'HEAD', cache: 'no-store', signal: watch.signal }));
    if (status === 404 || status === 410) return 'gone';
    if (!ok) return 'unknown';
    return validator !== undefined && validatorOf(headers) === validator ? 'same' : 'changed';
  } catch {
    if (signal.aborted) throw cancelled('the download', signal.reason);
    return 'unknown';
  } finally {
    watch.end();
  }
}
