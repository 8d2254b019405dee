// A worker of the caller's own that has the package work for it, as a page would.

import { cache, load } from '/dist/index.js';

self.onmessage = async ({ data: { model: directory, image, worker } }) => {
  try {
    const model = await load(directory, { device: 'cpu', dtype: 'f32', worker });
    const bitmap = await createImageBitmap(await (await fetch(image)).blob());
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    canvas.getContext('2d').drawImage(bitmap, 0, 0);
    const ask = async (picture) => (await model.generate({ image: picture, prompt: 'caption en', maxNewTokens: 8 })).tokens;
    const answers = [await ask(image), await ask(canvas), await ask(bitmap)];
    const bad = await model.caption({}).result.catch(({ code }) => code);
    model.dispose();
    self.postMessage({ answers, bad, deleted: await cache.delete(directory) });
  } catch (error) {
    self.postMessage({ error: `${error.code}: ${error.stack}` });
  }
};
