// Turns whatever a caller calls a picture into plain pixels. Runs in the worker.

import { makeError } from './errors.js';
import type { SentPicture } from './messages.js';
import { DEFAULT_TUNING } from './net/retry.js';
import { Broken, Watch, readChunks } from './net/watch.js';

/** Rows of red, green, blue, alpha bytes; alpha is straight, not multiplied into the colours. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray;
}

/** As the module takes them. */
export function bytesOf({ data }: Pixels): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** Beyond this many pixels a canvas fails in some browsers, and no model gains by them. */
const MAX_PIXELS = 1 << 26;

/**
 * Closes it where it is a bitmap: those that are sent belong to their message.
 * @param signal ends the wait for one that has to be fetched
 * @throws OcelliError where it is no picture, or one of a size that cannot be handled
 */
export async function decode(picture: SentPicture, name: string, signal: AbortSignal): Promise<Pixels> {
  if (picture instanceof ImageData) return picture;
  if (picture instanceof ImageBitmap) return closing(picture, name);
  const blob = typeof picture === 'string' ? await fetchPicture(picture, signal) : picture;
  if (blob.size === 0) throw bad(`${name} is empty (0 bytes)`);
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(blob, {
      imageOrientation: 'from-image',
      premultiplyAlpha: 'none',
      colorSpaceConversion: 'none',
    });
  } catch (cause) {
    throw bad(`${name} (${blob.size} bytes${blob.type && `, ${blob.type}`}) cannot be decoded`, cause);
  }
  return closing(bitmap, name);
}

function closing(bitmap: ImageBitmap, name: string): Pixels {
  try {
    return pixels(bitmap, name);
  } finally {
    bitmap.close();
  }
}

function pixels(bitmap: ImageBitmap, name: string): Pixels {
  const { width, height } = bitmap;
  if (width * height > MAX_PIXELS) throw bad(`${name} is ${width} x ${height} pixels; at most ${MAX_PIXELS} are allowed`);
  if (width === 0 || height === 0) throw bad(`${name} is ${width} x ${height} pixels; it may have been closed`);
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true, colorSpace: 'srgb' });
  if (!context) throw bad(`the browser gave no canvas of ${width} x ${height} pixels for ${name}`);
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, width, height, { colorSpace: 'srgb' });
}

async function fetchPicture(url: string, signal: AbortSignal): Promise<Blob> {
  const watch = new Watch(signal, DEFAULT_TUNING.stallMs);
  try {
    const { ok, status, headers, body } = await watch.over(fetch(url, { signal: watch.signal }));
    if (!ok) {
      throw makeError({
        code: status === 404 ? 'OCELLI_NOT_FOUND' : 'OCELLI_IO',
        message: `${url} could not be fetched (status ${status})`,
        remedy: 'Give the address of a picture.',
      });
    }
    const parts: Blob[] = [];
    // Copied, since each chunk's memory is the next one's too.
    if (body) for await (const chunk of readChunks(body, watch)) parts.push(new Blob([chunk as Uint8Array<ArrayBuffer>]));
    return new Blob(parts, { type: headers.get('content-type') ?? '' });
  } catch (cause) {
    if (!(cause instanceof Broken)) throw cause;
    throw makeError({
      code: 'OCELLI_IO',
      message: `${url} could not be fetched: ${cause.message}`,
      remedy: 'Check the address, and that its server and the page\'s policy allow this page to read it; or give a Blob.',
    }, cause.cause ?? cause);
  } finally {
    watch.end();
  }
}

function bad(message: string, cause?: unknown): Error {
  return makeError({
    code: 'OCELLI_BAD_IMAGE',
    message,
    remedy: 'Give a picture in a format that this browser shows, such as PNG, JPEG or WebP, of a usual size.',
  }, cause);
}
