// When a change counts as slower, with made-up times.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { judge, settle, status } from '../scripts/verdict.mjs';

/** Pairs whose second time is `factor` of the first, give or take `noise`; the machine slows down by half on the way. */
function pairs(factor, noise, count = 15) {
  return Array.from({ length: count }, (_, n) => {
    const before = 100 * (1 + n / (2 * count));
    // The same shares of the noise in any order: -1 to 1.
    const share = (2 * ((n * 7) % count)) / (count - 1) - 1;
    return { before, after: before * factor * (1 + noise * share) };
  });
}

test('the same speed is kept, however the machine slows down', () => {
  const { ratio, spread, verdict } = judge(pairs(1, 0.05));
  assert.equal(verdict, 'kept');
  assert.ok(Math.abs(ratio - 1) < 0.01, `${ratio}`);
  assert.ok(spread > 1.05 && spread < 1.11, `${spread}`);
});

test('a loss counts from 5 %, a gain never', () => {
  assert.equal(judge(pairs(1.04, 0.02)).verdict, 'kept');
  assert.equal(judge(pairs(1.06, 0.02)).verdict, 'lost');
  assert.equal(judge(pairs(2, 0.1)).verdict, 'lost');
  assert.equal(judge(pairs(0.5, 0.1)).verdict, 'kept');
});

test('a few wild pairs do not turn the verdict', () => {
  const wild = pairs(1, 0.02).map((pair, n) => (n === 4 ? { before: 100, after: 900 } : pair));
  assert.equal(judge(wild).verdict, 'kept');
  const slow = pairs(1.2, 0.02).map((pair, n) => (n === 4 ? { before: 900, after: 100 } : pair));
  assert.equal(judge(slow).verdict, 'lost');
});

test('pairs that differ too much say nothing, whatever their median', () => {
  for (const factor of [0.5, 1, 1.2]) assert.equal(judge(pairs(factor, 0.25)).verdict, 'noisy');
  assert.equal(judge(pairs(1, 0.12)).verdict, 'kept');
});

test('times that are none are an error', () => {
  for (const found of [[], [{ before: 0, after: 1 }], [{ before: 1 }], [{ before: 1, after: 0 }]]) assert.throws(() => judge(found), /times above 0/);
});

test('noise is measured three times, a loss is seen twice', () => {
  assert.equal(settle(['kept']), 'kept');
  assert.equal(settle(['lost', 'kept']), 'kept');
  assert.equal(settle(['noisy', 'kept']), 'kept');
  for (const open of [[], ['lost'], ['noisy'], ['noisy', 'noisy'], ['noisy', 'lost'], ['lost', 'noisy']]) assert.equal(settle(open), undefined);
  assert.equal(settle(['lost', 'lost']), 'lost');
  assert.equal(settle(['noisy', 'noisy', 'lost']), 'lost');
  assert.equal(settle(['lost', 'noisy', 'noisy']), 'lost');
  assert.equal(settle(['noisy', 'noisy', 'noisy']), 'noisy');
});

test('a loss fails before noise does', () => {
  assert.equal(status(['kept', 'kept']), 0);
  assert.equal(status(['kept', 'noisy']), 3);
  assert.equal(status(['noisy', 'lost', 'kept']), 1);
});
