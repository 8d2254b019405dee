// When to try again: waits that grow, spread out by chance, and never shorter than the server asked for.

import { cancelled } from '../errors.js';

/** How persistent downloads are. Every wait is in milliseconds. */
export interface Tuning {
  /** Files fetched at the same time. */
  connections: number;
  /** Failures in a row, without getting ahead, after which a file is given up. */
  tries: number;
  /** Times that a file is fetched whole before its wrong bytes are reported. */
  wholes: number;
  /** The first wait; each further one doubles. */
  baseDelayMs: number;
  maxDelayMs: number;
  /** A server that asks for a longer pause than this is given up. */
  patienceMs: number;
  /** Silence after which a connection counts as broken. */
  stallMs: number;
  /** From 0 to 1. */
  random: () => number;
}

/** Fit for large files over ordinary connections. */
export const DEFAULT_TUNING: Readonly<Tuning> = {
  connections: 4,
  tries: 6,
  wholes: 3,
  baseDelayMs: 500,
  maxDelayMs: 20_000,
  patienceMs: 300_000,
  stallMs: 30_000,
  random: Math.random,
};

/** The wait before try `failures + 1`: half fixed, half by chance, so that many clients do not return as one. */
export function backOff(failures: number, { baseDelayMs, maxDelayMs, random }: Tuning): number {
  const full = Math.min(maxDelayMs, baseDelayMs * 2 ** Math.min(failures - 1, 30));
  return full / 2 + (random() * full) / 2;
}

/** The pause that a `Retry-After` header asks for: seconds, or a date; undefined where it says neither. */
export function retryAfter(header: string | null, now = Date.now()): number | undefined {
  if (header === null) return undefined;
  const text = header.trim();
  if (/^\d{1,9}$/.test(text)) return 1000 * Number(text);
  // A bare number such as `-1` or `1.5` would parse as some year.
  const date = /[a-z]/i.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** Resolves after the time; rejects at once when the signal is aborted. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(cancelled('the download', signal.reason));
    const stop = () => {
      clearTimeout(timer);
      reject(cancelled('the download', signal.reason));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal.addEventListener('abort', stop, { once: true });
  });
}
