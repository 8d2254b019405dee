// What adds up the tests must itself be right: a crash, a compile error or an empty suite may never read as a pass.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const SCRIPTS = fileURLToPath(new URL('../scripts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'ocelli-suites-'));
after(() => rmSync(folder, { recursive: true }));

/** Runs suites as build.sh does, in an empty folder, with `cargo` replaced by a program that prints and exits. */
function run(commands, { cargo = '', status = 0 } = {}) {
  mkdirSync(join(folder, 'bin'), { recursive: true });
  writeFileSync(join(folder, 'log'), cargo);
  writeFileSync(join(folder, 'bin', 'cargo'), `#!/bin/sh\ncat "${folder}/log"\nexit ${status}\n`);
  chmodSync(join(folder, 'bin', 'cargo'), 0o755);
  const script = `set -euo pipefail; source ${SCRIPTS}/say.sh; source ${SCRIPTS}/suites.sh; trap report_and_exit EXIT; ${commands}`;
  // NODE_TEST_CONTEXT would make the inner node report to the outer one instead of counting for itself.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const ran = spawnSync('bash', ['-c', script], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...env, PATH: `${join(folder, 'bin')}:${process.env.PATH}` },
  });
  return { status: ran.status, last: ran.stdout.trimEnd().split('\n').at(-1), all: ran.stdout + ran.stderr };
}

const program = (name, passed, failed, ignored = 0) => `     Running ${name} (target/debug/deps/x-0123)

running ${passed + failed} tests
test result: ${failed ? 'FAILED' : 'ok'}. ${passed} passed; ${failed} failed; ${ignored} ignored; 0 measured; 0 filtered out; finished in 0.01s
`;

test('adds up all programs', () => {
  const cargo = program('unittests src/lib.rs', 12, 0, 2) + program('tests/layering.rs', 3, 0);
  const { status, last, all } = run('cargo_suites', { cargo });
  assert.deepEqual([status, last], [0, '15 passed, 0 failed']);
  assert.match(all, /src\/lib\.rs: 12 passed, 0 failed, 2 ignored\n[^]*tests\/layering\.rs: 3 passed[^]*\n2 ignored\n/);
});

test('a failed test fails the run', () => {
  const cargo = program('unittests src/lib.rs', 11, 1) + program('tests/layering.rs', 3, 0);
  const { status, last } = run('cargo_suites', { cargo, status: 101 });
  assert.deepEqual([status, last], [1, '14 passed, 1 failed']);
});

test('a program that dies before it reports has failed', () => {
  const died = '     Running tests/gpu.rs (target/debug/deps/gpu-0123)\n\nrunning 9 tests\nerror: test failed (signal: 11, SIGSEGV)\n';
  const { status, last } = run('cargo_suites', { cargo: died + program('tests/layering.rs', 3, 0), status: 101 });
  assert.deepEqual([status, last], [1, '3 passed, 1 failed']);
});

test('a compile error is a failure', () => {
  const { status, last } = run('cargo_suites', { cargo: 'error: could not compile `ocelli`\n', status: 101 });
  assert.deepEqual([status, last], [1, '0 passed, 1 failed']);
});

test('a suite without tests is a failure', () => {
  const { status, last, all } = run('cargo_suites', { cargo: program('unittests src/lib.rs', 2, 0) + program('tests/empty.rs', 0, 0) });
  assert.deepEqual([status, last], [1, '2 passed, 1 failed']);
  assert.match(all, /tests\/empty\.rs: .*no test ran/);
});

test('a step that breaks off before any suite is a failure', () => {
  const { status, last } = run('step "wasm module" false; cargo_suites', { cargo: program('tests/layering.rs', 3, 0) });
  assert.deepEqual([status, last], [1, '0 passed, 1 failed']);
});

const file = (name, text) => {
  writeFileSync(join(folder, name), text);
  return name;
};

test('node suites run two at a time, but for those that run alone, and each prints as a whole', () => {
  const text = (name, first) => `${first}
    import { appendFileSync, readFileSync } from 'node:fs';
    import { test } from 'node:test';
    test('${name}', async () => {
      appendFileSync('order', '+${name}\\n');
      console.log('${name} begins');
      for (let waited = 0; waited < 5000 && ${name.startsWith('pair')} && !/\\+pair-a[^]*\\+pair-b|\\+pair-b[^]*\\+pair-a/.test(readFileSync('order', 'utf8')); waited += 10) {
        await new Promise((later) => setTimeout(later, 10));
      }
      appendFileSync('order', '-${name}\\n');
      console.log('${name} ends');
    });`;
  const names = ['alone-a', 'pair-a', 'alone-b', 'pair-b'];
  const files = names.map((name) => file(`${name}.test.mjs`, text(name, name.startsWith('alone') ? '// Runs alone: a test.' : '// Together.')));
  const { last, all } = run(`node_suites ${files.join(' ')}`);
  assert.equal(last, '4 passed, 0 failed');
  const order = readFileSync(join(folder, 'order'), 'utf8').trim().split('\n');
  assert.deepEqual(order.slice(0, 2).sort(), ['+pair-a', '+pair-b'], 'both wait for each other');
  assert.deepEqual(order.slice(4), ['+alone-a', '-alone-a', '+alone-b', '-alone-b']);
  for (const name of names) assert.match(all, new RegExp(`${name}\\.test\\.mjs\n[^]*${name} begins\n(?![^]*begins[^]*${name} ends)[^]*${name} ends`));
});

test('a node suite whose process is ended from outside has failed', () => {
  const killed = file('killed.test.mjs', "import { test } from 'node:test'; test('a', () => process.kill(process.pid, 'SIGKILL'));");
  const parent = file('parent.test.mjs', "import { test } from 'node:test'; test('a', () => process.kill(process.ppid, 'SIGKILL'));");
  for (const name of [killed, parent]) {
    const { status, last } = run(`node_suites ${name}`);
    assert.deepEqual([status, last], [1, '0 passed, 1 failed'], name);
  }
});

test('node suites count passes, failures, empty files and files that do not load', () => {
  const good = file('good.test.mjs', "import { test } from 'node:test'; test('a', () => {}); test('b', () => {});");
  const bad = file('bad.test.mjs', "import { test } from 'node:test'; test('a', () => {}); test('b', () => { throw new Error('no'); });");
  const empty = file('empty.test.mjs', "import 'node:test';");
  const broken = file('broken.test.mjs', "import './missing.mjs';");
  assert.deepEqual(run(`node_suites ${good}`).last, '2 passed, 0 failed');
  assert.equal(run(`node_suites ${good}`).status, 0);
  for (const [files, counts] of [
    [`${good} ${bad}`, '3 passed, 1 failed'],
    [empty, '0 passed, 1 failed'],
    [`${broken} ${good}`, '2 passed, 1 failed'],
    ['none.test.mjs', '0 passed, 1 failed'],
  ]) {
    const { status, last } = run(`node_suites ${files}`);
    assert.deepEqual([status, last], [1, counts], files);
  }
});
