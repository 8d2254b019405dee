// One request for a file from some byte on, and what its answer is worth. Servers are believed only as far as the
// answer's own headers agree with each other.

import { retryAfter } from './retry.js';

/** What is asked of a server. */
export interface Ask {
  readonly url: string;
  /** The first byte wanted. */
  readonly from: number;
  /** Marks the version that the bytes before `from` belong to, as the server named it. */
  readonly validator: string | undefined;
  /** The file's true length, where it is known. */
  readonly bytes: number | undefined;
  /** Do not ask for a range: this server gets them wrong. */
  readonly whole: boolean;
}

/** Bytes are coming, from byte `start` of the file on. */
export interface Bytes {
  readonly kind: 'bytes';
  readonly body: ReadableStream<Uint8Array>;
  readonly start: number;
  /** The whole file's length, where the answer says it. */
  readonly total: number | undefined;
  readonly validator: string | undefined;
}

/** What came of a request. */
export type Reply =
  | Bytes
  /** There is no such file. */
  | { kind: 'missing'; status: number }
  /** The server will not give it, and asking again will not help. */
  | { kind: 'refused'; status: number }
  /** The server cannot give it now. */
  | { kind: 'later'; why: string; afterMs?: number }
  /** The answer contradicts what was asked; `whole`: ask without a range. */
  | { kind: 'wrong'; why: string; whole: boolean };

/**
 * Sends a request and judges the head of its answer. The body of an answer that is of no use is not fetched.
 * @throws whatever `fetch` throws: no connection, a policy, an abort
 */
export async function ask(request: Ask, signal: AbortSignal): Promise<Reply> {
  const { url, from, whole, validator } = request;
  const headers: Record<string, string> = {};
  // A range also keeps intermediaries from compressing: browsers then ask for the bytes as they are.
  if (!whole) {
    headers['Range'] = `bytes=${from}-`;
    // Across origins this header would need a permission that few file hosts give; there the answer's own mark is compared.
    if (from > 0 && validator && isStrong(validator) && sameOrigin(url)) headers['If-Range'] = validator;
  }
  // The bytes are kept by this package: the browser's own cache would only hold them twice.
  const response = await fetch(url, { headers, signal, cache: 'no-store' });
  const reply = judge(request, response);
  if (reply.kind !== 'bytes') void response.body?.cancel().catch(() => undefined);
  return reply;
}

function judge({ from, bytes, whole, validator: before }: Ask, response: Response): Reply {
  const { status, headers } = response;
  if (status === 404 || status === 410) return { kind: 'missing', status };
  if (status === 416) return { kind: 'wrong', why: `byte ${from} is beyond the server's file (status 416)`, whole: true };
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    const afterMs = retryAfter(headers.get('retry-after'));
    return { kind: 'later', why: `status ${status}`, ...(afterMs !== undefined && { afterMs }) };
  }
  if (!response.ok || !response.body) return { kind: 'refused', status };
  if (/^text\/html\b/i.test(headers.get('content-type') ?? '')) {
    return { kind: 'later', why: 'a web page came instead of data' };
  }
  const validator = validatorOf(headers);
  const encoded = /[^\s,]/.test((headers.get('content-encoding') ?? '').replace(/identity/gi, ''));
  const length = encoded ? undefined : natural(headers.get('content-length'));
  // To a range, browsers want the bytes as they are, and do not decompress what comes all the same; and places in a
  // compressed stream are not places in the file.
  if (encoded && !whole) return { kind: 'wrong', why: 'a compressed file came', whole: true };
  if (status !== 206) {
    if (bytes !== undefined && length !== undefined && length !== bytes) {
      return { kind: 'wrong', why: `the server's file has ${length} bytes instead of ${bytes}`, whole };
    }
    return { kind: 'bytes', body: response.body, start: 0, total: length, validator };
  }
  const range = contentRange(headers.get('content-range'));
  if (range === null || (range && (range.first > from || range.last < from))) {
    return { kind: 'wrong', why: `another range came than the one from byte ${from} on`, whole: true };
  }
  if (bytes !== undefined && range?.total !== undefined && range.total !== bytes) {
    return { kind: 'wrong', why: `the server's file has ${range.total} bytes instead of ${bytes}`, whole };
  }
  if (from > 0 && before && validator && before !== validator && bytes === undefined) {
    return { kind: 'wrong', why: 'the file changed on the server', whole: true };
  }
  // Across origins the header may be hidden; then the server is taken at its status' word.
  const start = range?.first ?? from;
  const total = range ? range.total : length === undefined ? undefined : from + length;
  return { kind: 'bytes', body: response.body, start, total, validator };
}

/** The mark of a file's version: its entity tag, or else its date. */
export function validatorOf(headers: Headers): string | undefined {
  return headers.get('etag') ?? headers.get('last-modified') ?? undefined;
}

/** A weak tag says that two versions mean the same, not that their bytes are the same. */
function isStrong(validator: string): boolean {
  return !validator.startsWith('W/');
}

function sameOrigin(url: string): boolean {
  return new URL(url).origin === self.location.origin;
}

function natural(text: string | null): number | undefined {
  return text !== null && /^\d{1,15}$/.test(text.trim()) ? Number(text) : undefined;
}

/** `bytes 2-4/10`; undefined where there is no such header, null where it makes no sense. */
function contentRange(header: string | null): { first: number; last: number; total: number | undefined } | null | undefined {
  if (header === null) return undefined;
  const found = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(header.trim());
  if (!found) return null;
  const [first, last] = [Number(found[1]), Number(found[2])];
  const total = found[3] === '*' ? undefined : Number(found[3]);
  return first <= last && (total === undefined || last < total) ? { first, last, total } : null;
}
