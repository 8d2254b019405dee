"""Batches of composed scenes, made by processes of their own."""

import multiprocessing
import os
import queue as queues
from dataclasses import dataclass

import cv2
import numpy as np

from .patches import patch_letters, patch_nouns
from .scenes import Composer
from .tasks import Asked, ask
from .tokens import Tokens

# Stands where a code of a mask goes, until the codec has found it.
CODE = -1
SHARES = {"caption": 0.2, "describe": 0.15, "answer": 0.25, "detect": 0.22, "segment": 0.18}


@dataclass
class Batch:
    """Pictures with their dense labels, and prompts about them."""

    pictures: np.ndarray
    nouns: np.ndarray
    boxes: np.ndarray
    words: np.ndarray
    traits: np.ndarray
    letters: np.ndarray
    # Per prompt: its picture, its ids, and how many of them are the prefix.
    owners: list[int]
    ids: list[list[int]]
    prefixes: list[int]
    tasks: list[str]
    masks: np.ndarray


def ids_of(tokens: Tokens, asked: Asked) -> tuple[list[int], int]:
    """All ids of a prompt with its answer, and the prefix's length."""
    prefix = tokens.prefix(asked.prefix)
    if asked.task == "ocr":
        return prefix + tokens.letters(asked.suffix), len(prefix)
    if asked.task != "segment":
        return prefix + tokens.suffix(asked.suffix), len(prefix)
    parts = asked.suffix.split("{}")
    ids = list(tokens.text(parts[0]))
    for part in parts[1:]:
        ids += [CODE] * 16 + list(tokens.text(part.replace("; <", ";<")))
    return prefix + ids + [tokens.eos], len(prefix)


def make(composer: Composer, tokens: Tokens, size: int, prompts: int, absent_share: float, segments: bool) -> Batch:
    """A batch of `size` pictures with `prompts` prompts each."""
    rng = composer.rng
    scenes = [composer.scene() for _ in range(size)]
    nouns, boxes, words, traits = (np.stack(part) for part in zip(*(patch_nouns(scene, rng) for scene in scenes)))
    letters = np.stack([patch_letters(scene) for scene in scenes])
    batch = Batch(np.stack([scene.picture for scene in scenes]), nouns, boxes, words, traits, letters, [], [], [], [], None)
    masks = []
    names, shares = list(SHARES), np.array(list(SHARES.values()))
    for owner, scene in enumerate(scenes):
        if scene.words:
            chosen = ["ocr" if rng.random() < 0.9 else ("caption", "answer")[rng.integers(2)]] if prompts else []
        elif scene.photo_of is not None:
            chosen = ["caption", "answer"][: prompts] if rng.random() < 0.5 else ["answer"][: prompts]
        else:
            # Twice the same prompt would teach nothing more.
            chosen = rng.choice(names, size=prompts, replace=False, p=shares / shares.sum()).tolist()
        for task in chosen:
            if task == "segment" and not segments:
                continue
            asked = ask(rng, scene, task, absent_share)
            if asked is None:
                continue
            ids, prefix = ids_of(tokens, asked)
            batch.owners.append(owner)
            batch.ids.append(ids)
            batch.prefixes.append(prefix)
            batch.tasks.append(task)
            masks += [cv2.resize(mask, (64, 64), interpolation=cv2.INTER_AREA) for mask in asked.masks]
    batch.masks = np.stack(masks).astype(np.float32) if masks else np.zeros((0, 64, 64), np.float32)
    return batch


def produce(queue: multiprocessing.Queue, seed: int, arguments: tuple) -> None:
    """Fills a queue for ever."""
    cv2.setNumThreads(1)
    os.nice(2)
    parent = os.getppid()
    *rest, ease, crowd = arguments
    composer, tokens = Composer(False, seed, ease, crowd), Tokens()
    while os.getppid() == parent:
        batch = make(composer, tokens, *rest)
        while os.getppid() == parent:
            try:
                queue.put(batch, timeout=5)
                break
            except queues.Full:
                continue


def stream(seed: int, producers: int, *arguments: object):
    """Batches without end from `producers` processes."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue(6)
    for index in range(producers):
        context.Process(target=produce, args=(queue, seed * 100 + index, arguments), daemon=True).start()
    while True:
        yield queue.get()
