// The package's own host in a worker that cancels its calls itself, at a moment that the test names, and counts what is still
// done after that. The clock runs fast, so that work on the CPU lets messages in wherever it can.

import { Host } from '/modules/host.js';

let clock = 0;
performance.now = () => (clock += 1000);

/** Of the call at work: chances to stop, that is messages let in and submissions to the GPU, and pieces of text. */
let counts;
/** Which count, once it reaches which number, cancels the call; and the counts when the host was told. */
let plan;
let told;
let id = 0;
let settle;

const channel = new MessageChannel();
const send = MessagePort.prototype.postMessage;
channel.port2.onmessage = () => cancel();

function cancel() {
  told = { ...counts };
  host.receive({ type: 'cancel', id });
}

function count(what) {
  if (!counts) return;
  counts[what]++;
  if (told || !plan || plan.what !== what || plan.at !== counts[what]) return;
  if (what === 'pieces') cancel();
  // As a message comes: when this task is over.
  else send.call(channel.port1, null);
}

MessagePort.prototype.postMessage = function (...values) {
  count('chances');
  return send.apply(this, values);
};
const { submit } = globalThis.GPUQueue.prototype;
globalThis.GPUQueue.prototype.submit = function (...values) {
  count('submissions');
  return submit.apply(this, values);
};

const host = new Host((message) => {
  if (message.type === 'piece') {
    counts.first ??= { ...counts };
    count('pieces');
  } else if (message.type !== 'progress') settle(message);
});

function receive(message) {
  return new Promise((resolve) => {
    settle = resolve;
    host.receive(message);
  });
}

self.onmessage = async ({ data: { load, ask, ...wanted } }) => {
  if (load) return self.postMessage((await receive({ type: 'load', ...load })).type);
  counts = { chances: 0, submissions: 0, pieces: 0, first: undefined };
  plan = wanted.plan;
  told = undefined;
  // The model looks anew only at a picture that it has not just seen.
  const image = new ImageData(new Uint8ClampedArray(4 * 32 * 32).fill(++id), 32, 32);
  const { type, error, answer } = await receive({ type: 'generate', id, pictures: [image], ...ask });
  return self.postMessage({ type, code: error?.code, tokens: answer?.tokens, told, counts });
};
