// The end of a page's worker, as a browser that is short of memory brings it about: without a word to anybody.

/** How many workers a page has, once it has so many or enough time has passed: they end a moment after what ends them. */
export async function workersOf(page, count) {
  for (let time = 0; time < 100 && page.workers().length !== count; time++) await page.waitForTimeout(50);
  return page.workers().length;
}

/** Ends the only worker of a page; resolves when its model can know. */
export async function endWorker(page) {
  await workersOf(page, 1);
  const [worker] = page.workers();
  // The answer to this may be lost with it.
  await worker.evaluate(() => self.close()).catch(() => undefined);
  await unlocked(page);
}

/**
 * Has the only worker of a page hear nothing more, and end after some time: whatever is asked meanwhile is never answered.
 * @param {number} ms
 */
export async function endWorkerLater(page, ms) {
  await workersOf(page, 1);
  const [worker] = page.workers();
  await worker.evaluate((time) => {
    setTimeout(() => {
      const end = performance.now() + time;
      while (performance.now() < end);
      self.close();
    });
  }, ms);
}

/** No lock is held or waited for: a model learns of its worker's end by the lock that the worker held. */
async function unlocked(page) {
  await page.waitForFunction(async () => {
    const { held, pending } = await navigator.locks.query();
    return held.length + pending.length === 0;
  });
}
