// A loaded model, seen from the page: calls queue up, and the worker answers them one by one.

import { type OcelliError, aborted, badArgument, cancelled, makeError } from './errors.js';
import type { Link } from './link.js';
import type { FromWorker, SentPicture, ToWorker, Wordless } from './messages.js';
import { Run } from './run.js';
import { bitmapsOf, close, sendable } from './sendable.js';
import type {
  Answer, AnswerOptions, ClassifyOptions, EmbedOptions, Found, GenerateOptions, Labelled, ModelInfo, Picture, Segment, TextOptions, Vectors,
} from './types.js';
import type { GenerateOptions as SentOptions, Task } from './wire.js';

interface Waiting {
  emit: (piece: string) => void;
  resolve: (answer: Answer | Wordless) => void;
  reject: (error: OcelliError) => void;
}

/** A model in a worker of its own. */
export class Model {
  /** What it runs on, and what that takes. */
  readonly info: ModelInfo;
  /** Resolves when it can answer no more, with the reason: it was disposed of, or its worker broke down. Load it again then. */
  readonly lost: Promise<OcelliError>;
  readonly #link: Link;
  readonly #waiting = new Map<number, Waiting>();
  /** What ends calls that wait for their picture or their turn. */
  readonly #ends = new Set<(error: OcelliError) => void>();
  #tail: Promise<unknown> = Promise.resolve();
  #nextId = 0;
  #tellLost!: (error: OcelliError) => void;

  /** @internal For `load` only. */
  constructor(link: Link, info: ModelInfo) {
    this.#link = link;
    this.info = info;
    this.lost = new Promise((resolve) => (this.#tellLost = resolve));
  }

  /** Says in a short sentence what a picture shows. */
  caption(image: Picture, options?: TextOptions): Run<Answer> {
    return this.#say(image, options, (language) => ({ caption: { language } }));
  }

  /** Describes a picture at length. */
  describe(image: Picture, options?: TextOptions): Run<Answer> {
    return this.#say(image, options, (language) => ({ describe: { language } }));
  }

  /** Answers a question about a picture. */
  ask(image: Picture, question: string, options?: TextOptions): Run<Answer> {
    return this.#say(image, options, (language) => ({ ask: { language, question: text('question', question) } }));
  }

  /** Reads the text in a picture. */
  ocr(image: Picture, options?: AnswerOptions): Run<Answer> {
    return this.#say(image, options, () => 'ocr');
  }

  /** Finds things by their names. The run's pieces are the model's own words. */
  detect(image: Picture, labels: string | readonly string[], options?: AnswerOptions): Run<readonly Found[]> {
    return this.#run(image, () => ({ detect: { labels: list(labels) } }), options, ({ objects }) => objects);
  }

  /** Finds things by their names, and outlines them. The run's pieces are the model's own words. */
  segment(image: Picture, labels: string | readonly string[], options?: AnswerOptions): Run<readonly Segment[]> {
    return this.#run(image, () => ({ segment: { labels: list(labels) } }), options, ({ objects }) => objects);
  }

  /** Answers a prompt as it is about one or several pictures. */
  generate(options: GenerateOptions): Run<Answer> {
    // Callers without types may leave them out.
    const { image, prompt, logits = false, ...rest }: Partial<GenerateOptions> = options ?? {};
    return this.#run(image, () => ({ prompt: { text: text('prompt', prompt) } }), rest, (answer) => answer, logits);
  }

  /**
   * Says which labels fit a picture, best first. A model with labels of its own needs none; one that compares pictures with
   * texts keeps the labels of the last call ready for the next picture.
   */
  async classify(image: Picture, labels: string | readonly string[] = [], options?: ClassifyOptions): Promise<Labelled> {
    const { signal, ...rest } = options ?? {};
    return (await this.#do(image, () => ({ classify: { labels: list(labels), ...given(rest) } }), signal)) as Labelled;
  }

  /** Makes a vector of a picture or of a text. Of one model, those of a picture and of a text that fit are alike. */
  async embed(what: { image: Picture } | { text: string }, options?: EmbedOptions): Promise<Float32Array> {
    const { signal, normalize = true } = options ?? {};
    const [image, texts] = 'text' in what ? [[], [text('text', what.text)]] : [what.image, []];
    const { values } = (await this.#do(image, () => ({ embed: { texts } }), signal)) as Vectors;
    return normalize ? unit(values) : values;
  }

  /** What the image encoder makes of a picture: a row for each part of it, after the last norm. */
  async features(image: Picture, options?: { signal?: AbortSignal }): Promise<Vectors> {
    return (await this.#do(image, () => 'features', options?.signal)) as Vectors;
  }

  /** A task that is answered without a word. */
  #do(image: Picture | readonly Picture[], task: () => Task, signal: AbortSignal | undefined): Promise<Wordless> {
    return this.#submit(image, task, { ...(signal && { signal }) }, new AbortController(), () => undefined) as Promise<Wordless>;
  }

  #say(image: Picture, options: TextOptions | null | undefined, task: (language: string) => Task): Run<Answer> {
    const { language = 'en', ...rest } = options ?? {};
    return this.#run(image, () => task(language), rest, (answer) => answer);
  }

  #run<T>(
    image: Picture | readonly Picture[] | undefined,
    task: () => Task,
    options: AnswerOptions | null | undefined,
    pick: (answer: Answer) => T,
    logits = false,
  ): Run<T> {
    const stop = new AbortController();
    const work = (emit: Waiting['emit']) => this.#submit(image, task, options, stop, emit, logits) as Promise<Answer>;
    return new Run(work, pick, (reason) => stop.abort(reason));
  }

  /** Calls queue: each starts when those before it have ended. */
  #submit(
    image: Picture | readonly Picture[] | undefined,
    task: () => Task,
    options: AnswerOptions | null | undefined,
    stop: AbortController,
    emit: Waiting['emit'],
    logits = false,
  ): Promise<Answer | Wordless> {
    const outer = options?.signal;
    const follow = () => stop.abort(outer?.reason);
    if (outer?.aborted) follow();
    else outer?.addEventListener('abort', follow, { once: true });

    const before = this.#tail;
    const work = async () => {
      let pictures: SentPicture[] = [];
      let end!: (error: OcelliError) => void;
      const ended = new Promise<never>((_, reject) => (end = reject));
      const stopped = Promise.race([ended, aborted(stop.signal, 'the generation')]);
      stopped.catch(() => undefined);
      this.#ends.add(end);
      try {
        // Checked before the wait, so that a wrong call fails at once.
        const asked = task();
        pictures = await sendable(image, stopped);
        await Promise.race([before, stopped]);
        const message = { type: 'generate' as const, pictures, task: asked, options: sentOptions(options ?? {}), logits };
        return await this.#ask(message, stop.signal, emit);
      } finally {
        this.#ends.delete(end);
        outer?.removeEventListener('abort', follow);
        close(pictures);
      }
    };
    const answer = work();
    // Settled to nothing: else each call would hold the answer before it, and that the one before.
    this.#tail = Promise.allSettled([before, answer]).then(() => undefined);
    return answer;
  }

  /** Stops what runs, and frees the model with all its memory. Unanswered calls reject with `OCELLI_CANCELLED`. */
  dispose(): void {
    this.#link.close(cancelled('the model was disposed and its call'));
  }

  /** @internal For `load` only: a message of the worker. */
  receive(message: FromWorker): void {
    if (message.type !== 'piece' && message.type !== 'answer' && message.type !== 'failed') return;
    const waiting = this.#waiting.get(message.id);
    if (!waiting) return;
    if (message.type === 'piece') return waiting.emit(message.text);
    this.#waiting.delete(message.id);
    if (message.type === 'answer') waiting.resolve(message.answer);
    else waiting.reject(makeError(message.error));
  }

  /** @internal For `load` only: the worker is gone. */
  lose(error: OcelliError): void {
    // Before its calls fail, so that who asks again then gets another model.
    this.#tellLost(error);
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
    for (const end of this.#ends) end(error);
  }

  #ask(message: Omit<Extract<ToWorker, { type: 'generate' }>, 'id'>, signal: AbortSignal, emit: Waiting['emit']): Promise<Answer | Wordless> {
    if (signal.aborted) return Promise.reject(cancelled('the generation', signal.reason));
    if (this.#link.end) return Promise.reject(this.#link.end);
    const id = this.#nextId++;
    // The worker confirms that it stopped: the next call in the queue must not start before.
    const cancel = () => this.#link.send({ type: 'cancel', id });
    const answer = new Promise<Answer | Wordless>((resolve, reject) => {
      this.#waiting.set(id, {
        emit,
        resolve,
        reject: (error) => reject(error.code === 'OCELLI_CANCELLED' && signal.aborted ? cancelled('the generation', signal.reason) : error),
      });
      signal.addEventListener('abort', cancel, { once: true });
      try {
        this.#link.send({ ...message, id }, bitmapsOf(message.pictures));
      } catch (error) {
        this.#waiting.delete(id);
        reject(makeError({ code: 'OCELLI_BAD_ARGUMENT', message: `the call cannot be sent to the worker: ${error}`, remedy: 'Give pictures that were not closed or transferred, and plain values.' }, error));
      }
    });
    return answer.finally(() => signal.removeEventListener('abort', cancel));
  }
}

/** The same vector with length 1; one without a length as it is. */
function unit(values: Float32Array): Float32Array {
  const length = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  return length > 0 ? values.map((value) => value / length) : values;
}

/** The options that were given. */
function given<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined && value !== null)) as Partial<T>;
}

/** @throws OcelliError where it is none */
function text(what: 'prompt' | 'question' | 'text', value: unknown): string {
  if (typeof value === 'string') return value;
  throw badArgument(`\`${what}\` is ${typeof value}; expected a text`, `Give a ${what} such as ${what === 'prompt' ? '"caption en"' : '"what is this?"'}.`);
}

/** @throws OcelliError where it is none */
function list(labels: unknown): readonly string[] {
  const all: readonly unknown[] = Array.isArray(labels) ? labels : [labels];
  if (all.every((label): label is string => typeof label === 'string')) return all;
  throw badArgument(`\`labels\` holds ${typeof all.find((label) => typeof label !== 'string')}; expected texts`, 'Give one name, or a list of names such as ["cat", "dog"].');
}

/** The options that were given; the worker refuses values out of range. */
function sentOptions({ maxNewTokens, temperature, topK, topP, seed, beams, stop, constrained }: AnswerOptions): SentOptions {
  return given({ maxNewTokens, temperature, topK, topP, seed, beams, stop, constrained });
}

