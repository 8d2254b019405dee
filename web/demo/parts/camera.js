// A picture from the camera, taken in a dialog.

import { $, button, el } from './dom.js';

/** @returns {Promise<Blob | undefined>} undefined where it was closed without one */
export async function takePhoto() {
  const dialog = /** @type {HTMLDialogElement} */ ($('camera-dialog'));
  const video = el('video', { muted: true, autoplay: true, playsInline: true });
  video.setAttribute('aria-label', 'What the camera sees');
  const said = el('p', { class: 'status', role: 'status' }, 'Waiting for the camera…');
  const take = button('Take the picture', 'camera', () => dialog.close('taken'), { class: 'primary', disabled: true });
  dialog.replaceChildren(
    el('div', { class: 'sheet-head' }, el('h2', { id: 'camera-title' }, 'Camera'), button('Close', 'close', () => dialog.close(''))),
    el('div', { class: 'viewfinder' }, video),
    el('div', { class: 'go' }, take, said),
  );
  dialog.returnValue = '';
  dialog.showModal();
  // The dialog itself may be open again by the time that the camera is.
  let over = false;
  const closed = new Promise((resolve) => dialog.addEventListener('close', () => {
    over = true;
    resolve(dialog.returnValue);
  }, { once: true }));

  let stream;
  open().catch((error) => {
    said.textContent = why(error);
  });
  async function open() {
    if (!navigator.mediaDevices) throw new DOMException('', 'NotFoundError');
    const got = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1280 }, facingMode: 'environment' } });
    if (over) return got.getTracks().forEach((track) => track.stop());
    stream = got;
    video.srcObject = stream;
    await video.play();
    take.disabled = false;
    take.focus();
    said.textContent = '';
  }
  try {
    if ((await closed) !== 'taken') return undefined;
    const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
    canvas.getContext('2d').drawImage(video, 0, 0);
    return await canvas.convertToBlob({ type: 'image/png' });
  } finally {
    stream?.getTracks().forEach((track) => track.stop());
    video.srcObject = null;
  }
}

function why(error) {
  if (error.name === 'NotAllowedError') return 'The camera was not allowed. Allow it for this site, or open a file.';
  if (error.name === 'NotFoundError') return 'There is no camera here. Open a file instead.';
  if (error.name === 'NotReadableError') return 'Another program uses the camera. Close it and try again.';
  return `The camera does not work: ${error.message}`;
}
