// What an application does with the installed package, in strict TypeScript: the test reads `globalThis.outcome`.

import { type Answer, CancelledError, type Found, OcelliError, type Segment, load } from 'ocelli';
import 'ocelli/element';
import { type Pipelines, pipeline } from 'ocelli/transformers';

/** Where a copy of the package is, if the bundler was told. */
declare const ASSETS: string | undefined;
const given = typeof ASSETS === 'undefined' ? {} : { assets: ASSETS };

async function everything() {
  const model = await load({ ...given, device: 'cpu', cache: false, onProgress: ({ fraction }) => void fraction.toFixed(1) });
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 64;
  const context = canvas.getContext('2d');
  if (!context) throw new Error('no canvas');
  context.fillStyle = 'tomato';
  context.fillRect(8, 8, 48, 48);

  const pieces: string[] = [];
  const run = model.caption(canvas, { language: 'en', maxNewTokens: 8 });
  for await (const piece of run) pieces.push(piece);
  const { text, tokens, timings }: Answer = await run;
  const found: readonly Found[] = await model.detect(canvas, ['square'], { maxNewTokens: 8 });
  const outlined: readonly Segment[] = await model.segment(canvas, 'square', { maxNewTokens: 8 });
  const stop = new AbortController();
  stop.abort();
  const cancelled = await model.ask(canvas, 'what is it?', { signal: stop.signal }).then(() => false, (error: unknown) => error instanceof CancelledError && error instanceof OcelliError && error.code === 'OCELLI_CANCELLED');
  model.dispose();

  const captioner: Pipelines['image-to-text'] = await pipeline('image-to-text', null, { ...given, device: 'wasm' });
  const [one] = await captioner(canvas, { max_new_tokens: 8 });
  const many = await captioner([canvas, canvas], { max_new_tokens: 8 });
  await captioner.dispose();
  return {
    text, joined: pieces.join(''), tokens: tokens.length, prefilled: timings.prefillMs > 0, found: Array.isArray(found), outlined: Array.isArray(outlined), cancelled,
    same: one?.generated_text === text && many.length === 2 && many[1]?.[0]?.generated_text === text,
  };
}

/** An element with a picture of its own. */
async function captioned(): Promise<string> {
  const element = document.createElement('vision-caption');
  element.setAttribute('src', `data:image/svg+xml,${encodeURIComponent('<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"/>')}`);
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 32;
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve));
  if (!blob) throw new Error('no picture');
  element.setAttribute('src', URL.createObjectURL(blob));
  if (given.assets !== undefined) element.setAttribute('assets', given.assets);
  const answer = new Promise<Answer>((resolve, reject) => {
    element.addEventListener('caption', (event) => resolve((event as CustomEvent<Answer>).detail));
    element.addEventListener('error', (event) => reject((event as ErrorEvent).error));
  });
  document.body.append(element);
  const { text } = await answer;
  return element.text === text ? 'captioned' : `says ${element.text}, not ${text}`;
}

everything().then(
  async (outcome) => Object.assign(globalThis, { outcome: { ...outcome, element: await captioned() } }),
).catch((error: unknown) => Object.assign(globalThis, { outcome: { error: String(error), code: (error as OcelliError).code } }));
