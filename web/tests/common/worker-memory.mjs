// What the worker of a page holds in memory.

/** Lets the worker of a page be asked what it holds, by the browser's own count. */
export async function watchWorker(page) {
  const session = await page.context().newCDPSession(page);
  const waiting = new Map();
  let count = 0;
  const attached = new Promise((resolve) => {
    session.on('Target.attachedToTarget', ({ sessionId, targetInfo }) => targetInfo.type === 'worker' && resolve(sessionId));
  });
  session.on('Target.receivedMessageFromTarget', ({ message }) => {
    const { id, result } = JSON.parse(message);
    waiting.get(id)?.(result);
  });
  await session.send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: false, flatten: false });
  const call = async (method, params = {}) => {
    const sessionId = await attached;
    const id = ++count;
    const answer = new Promise((resolve) => waiting.set(id, resolve));
    await session.send('Target.sendMessageToTarget', { sessionId, message: JSON.stringify({ id, method, params }) });
    return answer;
  };
  const held = async () => {
    const { usedSize, backingStorageSize } = await call('Runtime.getHeapUsage');
    return usedSize + backingStorageSize;
  };
  /** The memory of WebAssembly modules, which the heap does not count. */
  const modules = async () => {
    const { result: { objectId: prototypeObjectId } } = await call('Runtime.evaluate', { expression: 'WebAssembly.Memory.prototype' });
    const { objects: { objectId } } = await call('Runtime.queryObjects', { prototypeObjectId });
    const add = 'function () { return this.reduce((sum, { buffer }) => sum + buffer.byteLength, 0); }';
    const { result: { value } } = await call('Runtime.callFunctionOn', { objectId, functionDeclaration: add, returnByValue: true });
    return value;
  };
  return { held, modules, collect: () => call('HeapProfiler.collectGarbage') };
}
