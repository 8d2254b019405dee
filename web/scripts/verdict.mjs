// What pairs of measurements say of a change: whether it kept the speed, lost some of it, or cannot be told from noise.

/** Slower by more than this is a loss. */
export const LOSS = 1.05;
/** The most that the 90th percentile of the ratios may be of the 10th. */
export const SPREAD = 1.3;
/** How often a figure is measured at most. */
export const TRIES = 3;

/**
 * One try: pairs of the same figure, measured one right after the other. Their ratio leaves out what the machine was
 * busy with meanwhile, and the median what hit one of the two.
 */
export function judge(pairs) {
  const ratios = pairs.map(({ before, after }) => after / before).sort((a, b) => a - b);
  const bad = ratios.find((ratio) => !(Number.isFinite(ratio) && ratio > 0));
  if (!ratios.length || bad !== undefined) throw new Error(`pairs of times above 0 were expected; found ${JSON.stringify(pairs)}`);
  const ratio = percentile(ratios, 0.5);
  const spread = percentile(ratios, 0.9) / percentile(ratios, 0.1);
  return { ratio, spread, verdict: spread > SPREAD ? 'noisy' : ratio > LOSS ? 'lost' : 'kept' };
}

/**
 * What the verdicts of a figure's tries come to, or nothing where it must be measured again: noise is, and so is a loss
 * that was seen once, since of a dozen figures one looks lost by chance now and then.
 */
export function settle(verdicts) {
  if (verdicts.includes('kept')) return 'kept';
  const losses = verdicts.filter((verdict) => verdict === 'lost').length;
  if (losses < 2 && verdicts.length < TRIES) return undefined;
  return losses > 0 ? 'lost' : 'noisy';
}

/** The exit status for all figures: 1 for a loss, 3 where noise hid something, else 0. */
export function status(settled) {
  return settled.includes('lost') ? 1 : settled.includes('noisy') ? 3 : 0;
}

/** Of sorted numbers, between neighbours where it falls there. */
function percentile(sorted, part) {
  const at = part * (sorted.length - 1);
  const [low, high] = [Math.floor(at), Math.ceil(at)];
  return sorted[low] + (sorted[high] - sorted[low]) * (at - low);
}
