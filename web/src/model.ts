// A loaded model, seen from the page: calls queue up, and the worker answers them one by one.

import { type OcelliError, badArgument, cancelled, makeError } from './errors.js';
import type { Link } from './link.js';
import type { FromWorker, SentOptions, SentPicture } from './messages.js';
import { Run } from './run.js';
import type { Answer, GenerateOptions, ModelInfo } from './types.js';

interface Waiting {
  emit: (piece: string) => void;
  resolve: (answer: Answer) => void;
  reject: (error: OcelliError) => void;
}

/** A model in a worker of its own. */
export class Model {
  /** What it runs on, and what that takes. */
  readonly info: ModelInfo;
  readonly #link: Link;
  readonly #waiting = new Map<number, Waiting>();
  #tail: Promise<unknown> = Promise.resolve();
  #nextId = 0;

  /** For `load` only. */
  constructor(link: Link, info: ModelInfo) {
    this.#link = link;
    this.info = info;
  }

  /**
   * Answers a prompt about one or several pictures. Calls queue: each starts when those before it have ended.
   *
   * @returns both an async iterable of text pieces and a promise of the answer
   */
  generate(options: GenerateOptions): Run {
    const stop = new AbortController();
    const outer = options.signal;
    const follow = () => stop.abort(outer?.reason);
    if (outer?.aborted) follow();
    else outer?.addEventListener('abort', follow, { once: true });

    const before = this.#tail;
    const run = new Run(
      async (emit) => {
        try {
          // Checked before the wait, so that a wrong call fails at once.
          const pictures = sendable(options.image);
          checkPrompt(options);
          await Promise.race([before, aborted(stop.signal)]);
          return await this.#ask(pictures, options, stop.signal, emit);
        } finally {
          outer?.removeEventListener('abort', follow);
        }
      },
      (reason) => stop.abort(reason),
    );
    this.#tail = Promise.allSettled([before, run.result]);
    return run;
  }

  /** Stops what runs, and frees the model with all its memory. Unanswered calls reject with `OCELLI_CANCELLED`. */
  dispose(): void {
    this.#link.close(cancelled('the model was disposed and its call'));
  }

  /** For `load` only: a message of the worker. */
  receive(message: FromWorker): void {
    if (message.type !== 'piece' && message.type !== 'answer' && message.type !== 'failed') return;
    const waiting = this.#waiting.get(message.id);
    if (!waiting) return;
    if (message.type === 'piece') return waiting.emit(message.text);
    this.#waiting.delete(message.id);
    if (message.type === 'answer') waiting.resolve(message.answer);
    else waiting.reject(makeError(message.error));
  }

  /** For `load` only: the worker is gone. */
  lose(error: OcelliError): void {
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
  }

  #ask(pictures: SentPicture[], options: GenerateOptions, signal: AbortSignal, emit: Waiting['emit']): Promise<Answer> {
    if (signal.aborted) return Promise.reject(cancelled('the generation', signal.reason));
    if (this.#link.end) return Promise.reject(this.#link.end);
    const id = this.#nextId++;
    // The worker confirms that it stopped: the next call in the queue must not start before.
    const cancel = () => this.#link.send({ type: 'cancel', id });
    const answer = new Promise<Answer>((resolve, reject) => {
      this.#waiting.set(id, {
        emit,
        resolve,
        reject: (error) => reject(error.code === 'OCELLI_CANCELLED' && signal.aborted ? cancelled('the generation', signal.reason) : error),
      });
      signal.addEventListener('abort', cancel, { once: true });
      try {
        this.#link.send({ type: 'generate', id, pictures, prompt: options.prompt, options: sentOptions(options), logits: options.logits ?? false });
      } catch (error) {
        this.#waiting.delete(id);
        reject(makeError({ code: 'OCELLI_BAD_ARGUMENT', message: `the call cannot be sent to the worker: ${error}`, remedy: 'Give pictures that were not closed or transferred, and plain values.' }, error));
      }
    });
    return answer.finally(() => signal.removeEventListener('abort', cancel));
  }
}

/** Never resolves; rejects when the signal is aborted. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = () => reject(cancelled('the generation', signal.reason));
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
}

function sendable(image: GenerateOptions['image'] | undefined): SentPicture[] {
  const pictures: readonly unknown[] = Array.isArray(image) ? image : [image];
  return pictures.map((picture) => {
    if (picture instanceof Blob || picture instanceof ImageData || picture instanceof ImageBitmap) return picture;
    if (picture instanceof URL) return picture.href;
    if (typeof picture === 'string' && picture !== '') return new URL(picture, document.baseURI).href;
    throw badArgument(
      `\`image\` is ${picture === '' ? 'an empty text' : picture === null ? 'null' : typeof picture}; expected a picture`,
      'Give a Blob, File, ImageData, ImageBitmap or the address of a picture, or a list of them.',
    );
  });
}

function checkPrompt({ prompt }: { prompt?: unknown }): void {
  if (typeof prompt !== 'string') throw badArgument(`\`prompt\` is ${typeof prompt}; expected a text`, 'Give a prompt such as "caption en".');
}

/** The options that were given; the worker refuses values out of range. */
function sentOptions({ maxNewTokens, temperature, topK, topP, seed, beams, stop }: GenerateOptions): SentOptions {
  const given = { maxNewTokens, temperature, topK, topP, seed, beams, stop };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

