// The reference's answers, as the browser tests need them. tests/reference/README.md describes the files.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = new URL('../../../tests/goldens/', import.meta.url);

/** Folders to serve: the checkpoints and the pictures. */
export const mounts = {
  '/models': fileURLToPath(new URL('../../../tests/goldens', import.meta.url)),
  '/pictures': fileURLToPath(new URL('../../../tests/pictures', import.meta.url)),
  '/blank': fileURLToPath(new URL('../pages', import.meta.url)),
};

/** @returns the cases of a checkpoint, each with `logits`, those of its last prompt position */
export function cases(checkpoint) {
  const golden = JSON.parse(readFileSync(new URL(`${checkpoint}/golden.json`, folder)));
  const file = readFileSync(new URL(`${checkpoint}/golden.safetensors`, folder));
  const start = 8 + Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.subarray(8, start).toString());
  return golden.cases.map((golden) => {
    const { shape, data_offsets: [from] } = header[`${golden.name}/logits/steps`];
    const vocabulary = shape.at(-1);
    const logits = Float32Array.from({ length: vocabulary }, (_, index) => file.readFloatLE(start + from + 4 * index));
    return { ...golden, logits, promptTokens: golden.input_ids.slice(golden.image_token_count) };
  });
}
