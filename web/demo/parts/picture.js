// Pictures on their way in: from a file, a drop, the clipboard, the camera or the samples.

/**
 * @typedef {object} Shown a picture that can be asked about
 * @property {Blob} blob in a format that every browser decodes to the same pixels
 * @property {string} url of the blob
 * @property {string} name
 * @property {string} says what it shows, where that is known
 * @property {number} width in pixels, upright
 * @property {number} height
 * @property {{ asks: string[], labels: string[] }} [hints]
 */

/** A picture that this browser does not show. */
export class BadPicture extends Error {
  remedy = 'Choose a PNG, JPEG, WebP, GIF, AVIF or SVG picture that opens elsewhere.';
}

/** Longest side of a drawing without a size of its own, in pixels. */
const DRAWN = 1024;

/**
 * @param {Blob} blob
 * @param {{ name: string, says?: string, hints?: object }} about
 * @returns {Promise<Shown>}
 */
export async function take(blob, about) {
  if (blob.size === 0) throw new BadPicture(`${about.name} is empty.`);
  const pixels = blob.type === 'image/svg+xml' ? await rasterised(blob, about.name) : blob;
  const url = URL.createObjectURL(pixels);
  try {
    const image = await opened(url, about.name);
    return { says: '', ...about, blob: pixels, url, width: image.naturalWidth, height: image.naturalHeight };
  } catch (error) {
    URL.revokeObjectURL(url);
    throw error;
  }
}

async function opened(url, name) {
  const image = new Image();
  image.src = url;
  try {
    await image.decode();
  } catch {
    throw new BadPicture(`${name} is no picture that this browser can show.`);
  }
  return image;
}

/** Workers cannot read SVG: it is drawn here. */
async function rasterised(blob, name) {
  const url = URL.createObjectURL(blob);
  try {
    const image = await opened(url, name);
    const { naturalWidth: width = 0, naturalHeight: height = 0 } = image;
    const scale = DRAWN / Math.max(width, height, 1);
    const canvas = new OffscreenCanvas(Math.round(width * scale) || DRAWN, Math.round(height * scale) || DRAWN);
    canvas.getContext('2d').drawImage(image, 0, 0, canvas.width, canvas.height);
    return await canvas.convertToBlob({ type: 'image/png' });
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** The first picture among what was dropped or pasted. @param {DataTransfer | null} transfer */
export function fileIn(transfer) {
  const files = [...(transfer?.files ?? [])];
  return files.find(({ type }) => type.startsWith('image/')) ?? files[0];
}

/** The picture on the clipboard, or undefined where it holds none. May ask for leave. */
export async function pasted() {
  for (const item of await navigator.clipboard.read()) {
    const type = item.types.find((one) => one.startsWith('image/'));
    if (type) return item.getType(type);
  }
  return undefined;
}

/** Reports every picture that is dropped or pasted anywhere on the page. */
export function watch(stage, onFile) {
  let inside = 0;
  const over = (on) => stage.classList.toggle('over', on);
  addEventListener('dragenter', (event) => {
    if (![...(event.dataTransfer?.types ?? [])].includes('Files')) return;
    inside++;
    over(true);
  });
  addEventListener('dragleave', () => {
    inside = Math.max(0, inside - 1);
    if (inside === 0) over(false);
  });
  addEventListener('dragover', (event) => event.preventDefault());
  addEventListener('drop', (event) => {
    event.preventDefault();
    inside = 0;
    over(false);
    const file = fileIn(event.dataTransfer);
    if (file) onFile(file, file.name);
  });
  addEventListener('paste', (event) => {
    const file = fileIn(event.clipboardData);
    if (!file) return;
    event.preventDefault();
    onFile(file, 'the pasted picture');
  });
}
