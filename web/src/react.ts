'use client';

// React hooks: a model that is loaded while a component lives, and an answer that is streamed into it.

import { useCallback, useEffect, useState } from 'react';

import type { OcelliError } from './errors.js';
import { load } from './load.js';
import type { Model } from './model.js';
import type { Run } from './run.js';
import type { Answer, LoadOptions, Progress } from './types.js';

/** A model on its way. */
export interface ModelState {
  /** Undefined until it is loaded. */
  readonly model: Model | undefined;
  readonly progress: Progress | undefined;
  /** Why it could not be loaded, or what broke it down afterwards. */
  readonly error: OcelliError | undefined;
  /** Loads it anew, such as after an error. */
  readonly reload: () => void;
}

/** How to load; changes of `url`, `device` or `dtype` load anew. */
export interface UseModelOptions extends Pick<LoadOptions, 'device' | 'dtype' | 'mirrors' | 'connections' | 'cache' | 'assets'> {
  /** Without it, the embedded model. */
  url?: string;
  /** Nothing is loaded while this is false. Default true. */
  enabled?: boolean;
}

const NO_MODEL: Omit<ModelState, 'reload'> = { model: undefined, progress: undefined, error: undefined };

/** Loads a model, and disposes of it with the component. Where its worker breaks down, `error` says so, and `model` is undefined. */
export function useModel({ url, enabled = true, ...options }: UseModelOptions = {}): ModelState {
  const [state, setState] = useState(NO_MODEL);
  const [turn, setTurn] = useState(0);
  // Nothing is loaded anew by itself: what broke a model down, such as too little memory, may do so again at once.
  const reload = useCallback(() => setTurn((before) => before + 1), []);
  useEffect(() => {
    setState(NO_MODEL);
    if (!enabled) return undefined;
    const stop = new AbortController();
    let loaded: Model | undefined;
    const onProgress = (progress: Progress) => !stop.signal.aborted && setState((before) => ({ ...before, progress }));
    const given = { ...options, onProgress, signal: stop.signal };
    (url === undefined ? load(given) : load(url, given)).then(
      (model) => {
        loaded = model;
        if (stop.signal.aborted) return model.dispose();
        setState((before) => ({ ...before, model }));
        void model.lost.then((error) => !stop.signal.aborted && setState({ ...NO_MODEL, error }));
      },
      (error: OcelliError) => !stop.signal.aborted && setState((before) => ({ ...before, error })),
    );
    return () => {
      stop.abort();
      loaded?.dispose();
    };
  }, [url, enabled, options.device, options.dtype, turn]);
  return { ...state, reload };
}

/** An answer on its way. */
export interface AnswerState {
  /** All text so far. */
  readonly text: string;
  /** Undefined until it is complete. */
  readonly answer: Answer | undefined;
  readonly error: OcelliError | undefined;
  readonly running: boolean;
}

const NO_ANSWER: AnswerState = { text: '', answer: undefined, error: undefined, running: false };

/**
 * Asks, and asks again when a dependency changes; what ran before is cancelled.
 *
 * @param ask makes the call, such as `() => model?.caption(image)`; undefined asks nothing
 */
export function useAnswer(ask: () => Run<unknown> | undefined, dependencies: readonly unknown[]): AnswerState {
  const [state, setState] = useState(NO_ANSWER);
  useEffect(() => {
    const run = ask();
    setState({ ...NO_ANSWER, running: run !== undefined });
    if (!run) return undefined;
    let over = false;
    void (async () => {
      try {
        for await (const piece of run) if (!over) setState((before) => ({ ...before, text: before.text + piece }));
        const answer = await run.answer;
        if (!over) setState({ text: answer.text, answer, error: undefined, running: false });
      } catch (error) {
        if (!over) setState((before) => ({ ...before, error: error as OcelliError, running: false }));
      }
    })();
    return () => {
      over = true;
      run.cancel('the component went on');
    };
  }, dependencies);
  return state;
}
