// The comparison of two checkouts, with programs that only say how fast they would be.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const SCRIPTS = fileURLToPath(new URL('../scripts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'ocelli-against-'));
after(() => rmSync(folder, { recursive: true }));

/** A checkout whose bench says these decode times by turns. */
function checkout(name, ...decode) {
  const root = join(folder, name);
  mkdirSync(join(root, 'web/scripts'), { recursive: true });
  mkdirSync(join(root, 'target/release'), { recursive: true });
  for (const script of ['against.mjs', 'verdict.mjs']) cpSync(join(SCRIPTS, script), join(root, 'web/scripts', script));
  const row = '{"player":"cpu","dtype":"q8","load_ms":9,"encode_ms":50,"prefill_ms":70,"decode_ms_per_token":%s}';
  writeFileSync(
    join(root, 'target/release/ocelli'),
    `#!/bin/sh\ncd "${root}"\nn=$(cat n 2>/dev/null || echo 0)\necho $((n + 1)) >n\nset -- ${decode.join(' ')}\nshift $((n % $#))\n` +
      `printf '{"rows":[${row}]}\\n' "$1"\n`,
  );
  chmodSync(join(root, 'target/release/ocelli'), 0o755);
  return root;
}

function compare(before, now, ...more) {
  const parameters = [join(now, 'web/scripts/against.mjs'), '--against', before, '--pairs', '5', '--dtypes', 'q8', ...more];
  const ran = spawnSync(process.execPath, parameters, { encoding: 'utf8' });
  return { status: ran.status, said: ran.stdout + ran.stderr };
}

test('what is as fast passes', () => {
  const { status, said } = compare(checkout('before', 10), checkout('same', 10.2));
  assert.equal(status, 0, said);
  assert.match(said, /3 of 3 figures are as fast as before/);
});

test('what is slower fails and is named, and nothing else is', () => {
  const { status, said } = compare(checkout('before', 10), checkout('slower', 11));
  assert.equal(status, 1, said);
  assert.match(said, /^slower by more than 5 %: cpu q8 decode_ms_per_token$/m);
});

test('noise is tried three times and then says that it hides the answer', () => {
  const { status, said } = compare(checkout('before', 10), checkout('noisy', 5, 20, 10));
  assert.equal(status, 3, said);
  assert.equal(said.match(/decode_ms_per_token .* noisy$/gm).length, 3, said);
  assert.match(said, /^the pairs differ too much .*: cpu q8 decode_ms_per_token$/m);
});

test('what cannot be measured is neither slower nor as fast', () => {
  const before = checkout('before', 10);
  const cases = [
    [before, checkout('mute', 'null'), /decode_ms_per_token was not measured by both/],
    [join(folder, 'nowhere'), before, /has no target.release.ocelli/],
    [before, before, /this checkout itself/],
  ];
  for (const [one, other, reason] of cases) {
    const { status, said } = compare(one, other);
    assert.equal(status, 2, said);
    assert.match(said, reason);
  }
  assert.match(compare(before, checkout('other', 10), '--pairs', 'few').said, /--pairs is few/);
});
