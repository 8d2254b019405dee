// Random numbers that are the same in every run.

/** @returns a function that gives numbers from 0 to 1, always the same ones for the same seeds */
export function randomFrom(...seeds) {
  let state = 0x9e3779b9;
  for (const seed of seeds) for (const char of String(seed)) state = Math.imul(state ^ char.charCodeAt(0), 0x01000193) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** @returns that many bytes, which no compression makes smaller */
export function randomBytes(count, random) {
  const bytes = Buffer.alloc(count);
  for (let at = 0; at < count; at++) bytes[at] = random() * 256;
  return bytes;
}
