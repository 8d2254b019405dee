// What a page calls a picture, as something that can be sent to the worker.

import { badArgument, makeError } from './errors.js';
import type { SentPicture } from './messages.js';
import { absolute } from './net/address.js';
import type { Picture } from './types.js';

/** Bitmaps keep their colours and their straight alpha on the way. */
const AS_IT_IS: ImageBitmapOptions = { premultiplyAlpha: 'none', colorSpaceConversion: 'none' };

/**
 * The bitmaps among them were made here: the caller's own stay with the caller. They must be closed.
 *
 * @param image one picture or several
 * @param stopped rejects when they are no longer wanted: an `<img>` may never come
 * @throws OcelliError where one is no picture, or cannot be read by this page; what `stopped` rejects with
 */
export async function sendable(image: Picture | readonly Picture[] | undefined, stopped: Promise<never>): Promise<SentPicture[]> {
  const sent = all(image);
  try {
    return await Promise.race([sent, stopped]);
  } catch (error) {
    void sent.then(close, () => undefined);
    throw error;
  }
}

async function all(image: Picture | readonly Picture[] | undefined): Promise<SentPicture[]> {
  const pictures: readonly unknown[] = Array.isArray(image) ? image : [image];
  const made = await Promise.allSettled(pictures.map(one));
  const sent = made.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const failed = made.find((each) => each.status === 'rejected');
  if (!failed) return sent;
  close(sent);
  throw failed.reason;
}

/** Frees the bitmaps among them; those that were handed over are gone already. */
export function close(pictures: readonly SentPicture[]): void {
  bitmapsOf(pictures).forEach((bitmap) => bitmap.close());
}

/** Those that can be handed over, and must be closed. */
export function bitmapsOf(pictures: readonly SentPicture[]): ImageBitmap[] {
  return pictures.filter((picture) => picture instanceof ImageBitmap);
}

async function one(picture: unknown): Promise<SentPicture> {
  if (picture instanceof Blob || picture instanceof ImageData) return picture;
  if (picture instanceof URL || (typeof picture === 'string' && picture !== '')) {
    return absolute(picture, 'Give the address of a picture.').href;
  }
  if (isElement(picture)) return bitmap(picture);
  throw badArgument(
    `\`image\` is ${picture === '' ? 'an empty text' : picture === null ? 'null' : typeof picture}; expected a picture`,
    'Give a Blob, File, ImageData, ImageBitmap, an <img>, <canvas> or <video>, or the address of a picture; or a list of them.',
  );
}

type Element = Exclude<Picture, Blob | ImageData | URL | string>;

/** Some of these are missing in some browsers. */
function isElement(picture: unknown): picture is Element {
  const kinds = ['ImageBitmap', 'HTMLImageElement', 'HTMLCanvasElement', 'OffscreenCanvas', 'HTMLVideoElement', 'VideoFrame'];
  return kinds.some((kind) => {
    const known = (globalThis as Record<string, unknown>)[kind];
    return typeof known === 'function' && picture instanceof known;
  });
}

async function bitmap(picture: Element): Promise<ImageBitmap> {
  let made: ImageBitmap | undefined;
  try {
    // Of all these only `<img>` can be waited for.
    if ('decode' in picture) await picture.decode();
    made = await createImageBitmap(picture, AS_IT_IS);
    assertReadable(made);
    return made;
  } catch (cause) {
    made?.close();
    throw makeError({
      code: 'OCELLI_BAD_IMAGE',
      message: `the pixels of this ${picture.constructor.name} cannot be read: ${cause instanceof Error ? cause.message : cause}`,
      remedy: 'Wait until it shows a picture. If that comes from another origin, its server must allow this page to read it.',
    }, cause);
  }
}

/** @throws DOMException where it came from an origin that does not share its pixels */
function assertReadable(bitmap: ImageBitmap): void {
  const context = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  context?.drawImage(bitmap, 0, 0);
  context?.getImageData(0, 0, 1, 1);
}
