// Runs alone: it keeps every core busy, and an answer that a busy machine keeps waiting is a stall to it.
//
// Hundreds of loads from a server that breaks off, stalls, lies and sends rubbish: each ends bit-identical or with the
// right error, and little more is fetched again than the faults destroyed.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launchChromium } from '../scripts/chromium.mjs';
import { FAULTS, makePack, serveFaults } from './common/fault-server.mjs';
import { randomFrom } from './common/random.mjs';

const SEED = 20_261;
const LOADS = 204;
/** Quick enough for a test; a loaded machine may well take a fifth of a second over an honest answer, which is no stall. */
const TUNING = { baseDelayMs: 2, maxDelayMs: 30, stallMs: 700, tries: 8 };
/** What never gets better, and the error that must come of it. */
const DOOMS = { missing: 'OCELLI_NOT_FOUND', forbidden: 'OCELLI_IO', bytes: 'OCELLI_BAD_DOWNLOAD', 'page-unsaid': 'OCELLI_BAD_DOWNLOAD', page: 'OCELLI_IO', 'other-total': 'OCELLI_BAD_DOWNLOAD' };

let browser;
let site;

before(async () => {
  site = await serveFaults();
  browser = await launchChromium({ adapter: 'none' });
});

after(async () => {
  await browser?.close();
  await site?.close();
});

/** Faults for one load: about one request in five, few enough for each file that persistence must win. */
function passing(load) {
  const left = new Map();
  return (file, nth) => {
    const random = randomFrom(SEED, load, file, nth);
    if (random() > 0.2) return undefined;
    const spent = left.get(file) ?? { faults: 0, bytes: 0 };
    left.set(file, spent);
    const fault = FAULTS[Math.floor(random() * FAULTS.length)];
    // Wrong bytes are got over twice, everything else a few times in a row.
    if (spent.faults === 5 || (fault === 'bytes' && spent.bytes === 2)) return undefined;
    // The manifest has no sum that would tell, and one flipped bit may leave it readable.
    if (fault === 'bytes' && file === 'ocelli.json') return undefined;
    spent.faults++;
    if (fault === 'bytes') spent.bytes++;
    return fault;
  };
}

/** As above, but one file is lost for good. */
function doomed(load, file, fault) {
  const plan = passing(load);
  return (asked, nth) => (asked === file ? (fault) : plan(asked, nth));
}

/** Runs loads one after the other in a page of its own; `results` gets what came of each. */
async function runLoads(host, jobs, results) {
  const base = site.url.replace('localhost', `${host}.localhost`);
  const page = await browser.newPage();
  await page.goto(`${base}pages/packs.html`);
  await page.waitForFunction(() => globalThis.ready);
  const found = await page.evaluate(async ({ jobs, tuning, base }) => {
    const found = [];
    const workers = Object.fromEntries(['opfs', 'cache', 'memory'].map((store) => [store, startWorker()]));
    for (const { load, store } of jobs) {
      const without = store === 'cache' ? ['opfs'] : [];
      const { events, ...result } = await workers[store].load({ url: `${base}packs/load-${load}/`, tuning, without, keep: store !== 'memory' });
      found.push(result);
    }
    return found;
  }, { jobs: jobs.map(({ load, store }) => ({ load, store })), tuning: TUNING, base });
  jobs.forEach(({ load }, index) => (results[load] = found[index]));
  await page.close();
}

test(`${LOADS} loads of 30 shards under faults`, async (t) => {
  const pack = makePack();
  const random = randomFrom(SEED, 'loads');
  const jobs = [];
  for (let load = 0; load < LOADS; load++) {
    const doom = load % 8 === 7 ? Object.keys(DOOMS)[Math.floor(load / 8) % Object.keys(DOOMS).length] : undefined;
    const file = pack.manifest.shards[Math.floor(random() * 30)].file;
    const account = site.add(`load-${load}`, pack, doom ? doomed(load, file, doom) : passing(load));
    jobs.push({ load, doom, file, account, store: ['opfs', 'memory', 'cache', 'memory'][Math.floor(load / 3) % 4] });
  }
  const results = [];
  const began = performance.now();
  // Browsers keep to six connections a host: each page has a name of its own, so that none waits for another's.
  await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map((host, part, hosts) => runLoads(host, jobs.filter(({ load }) => load % hosts.length === part), results)));
  const seconds = (performance.now() - began) / 1000;

  const total = { identical: 0, failed: 0, useful: 0, sent: 0, lost: 0, faults: {} };
  for (const { load, doom, file, account, store } of jobs) {
    const { kind, sums, error } = results[load];
    for (const [fault, count] of Object.entries(account.faults)) total.faults[fault] = (total.faults[fault] ?? 0) + count;
    const about = `load ${load} (${store}${doom ? `, ${doom} for ${file}` : ''}): ${JSON.stringify(error)} ${JSON.stringify(account.faults)}`;
    if (doom) {
      assert.equal(error?.code, DOOMS[doom], about);
      assert.ok(error.message.includes(file), about);
      assert.equal(error.details.file, file, about);
      // Whatever was handed out before is right all the same.
      assert.deepEqual(sums, pack.sums.slice(0, sums.length), about);
      total.failed++;
    } else {
      assert.equal(error, undefined, about);
      assert.equal(kind, store, about);
      assert.deepEqual(sums, pack.sums, about);
      total.identical++;
      total.useful += pack.bytes + pack.files.get('ocelli.json').length;
      total.sent += account.sent;
      total.lost += account.lost;
    }
  }
  const again = total.sent - total.useful;
  t.diagnostic(`${total.identical} identical, ${total.failed} with their error, in ${seconds.toFixed(1)} s; ${total.useful} bytes wanted, ${again} fetched again, ${total.lost} lost to faults (ratio ${(again / total.lost).toFixed(3)}); ${JSON.stringify(total.faults)}`);
  for (const fault of FAULTS) assert.ok(total.faults[fault] > 0, `no load met the fault ${fault}`);
  assert.ok(again <= 1.15 * total.lost, `${again} bytes were fetched again, ${total.lost} were lost to faults`);
});
