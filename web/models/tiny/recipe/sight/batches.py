"""Batches of composed scenes as tensors of fixed shapes, made by processes of their own."""

import os
import queue as queues
from dataclasses import dataclass, fields

import cv2
import numpy as np
import torch
from torch import Tensor, multiprocessing

from .patches import patch_letters, patch_nouns
from .scenes import Composer
from .tasks import Asked, ask
from .tokens import Tokens

SHARES = {"caption": 0.2, "describe": 0.15, "answer": 0.25, "detect": 0.22, "segment": 0.18}
TASKS = (*SHARES, "ocr")
# Prompts about each picture, and the tokens that they and their answers have together at most.
PROMPTS, TEXT = 3, 192
CODES = 16
# The share of prompts for outlines that name two nouns.
PAIRS = 0.25
# The share of batches with many things, which have no prompts.
CROWDED = 0.4


@dataclass
class Batch:
    """Pictures with their dense labels, and prompts about them. All of a picture's prompts lie in one row, end to end."""

    # `[pictures, size, size, 3]`, and labels of patches; see `patches`.
    pictures: Tensor
    nouns: Tensor
    boxes: Tensor
    words: Tensor
    traits: Tensor
    letters: Tensor
    # `[pictures, TEXT]`: ids, the prompt `0..PROMPTS` that each belongs to or -1, its place in that prompt, whether it is
    # of the question, and one over the length of the answer.
    ids: Tensor
    owner: Tensor
    place: Tensor
    prefix: Tensor
    share: Tensor
    # `[pictures, PROMPTS]`: where each prompt begins, its length or 0, and its task.
    starts: Tensor
    lengths: Tensor
    tasks: Tensor
    # Masks `[n, 64, 64]` whose codes go into row `holes[n, 0]` of `ids` from column `holes[n, 1]` on.
    masks: Tensor
    holes: Tensor

    def of_pictures(self) -> dict[str, Tensor]:
        """All that has one row a picture."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name not in ("masks", "holes")}


def ids_of(tokens: Tokens, asked: Asked) -> tuple[list[int], int, list[int]]:
    """All ids of a prompt with its answer, the prefix's length, and where codes of masks go."""
    prefix = tokens.prefix(asked.prefix)
    if asked.task == "ocr":
        return prefix + tokens.letters(asked.suffix), len(prefix), []
    if asked.task != "segment":
        return prefix + tokens.suffix(asked.suffix), len(prefix), []
    parts = asked.suffix.split("{}")
    ids, holes = prefix + list(tokens.text(parts[0])), []
    for part in parts[1:]:
        holes.append(len(ids))
        ids += [tokens.pad] * CODES + list(tokens.text(part.replace("; <", ";<")))
    return ids + [tokens.eos], len(prefix), holes


def chosen_tasks(rng: np.random.Generator, scene, segments: bool) -> list[str]:
    """What to ask about a scene: never twice the same, which would teach nothing more."""
    if scene.words:
        return ["ocr", ("caption", "answer")[rng.integers(2)]] if rng.random() < 0.15 else ["ocr"]
    if scene.photo_of is not None:
        return ["caption", "answer"]
    names = [name for name in SHARES if segments or name != "segment"]
    shares = np.array([SHARES[name] for name in names])
    return rng.choice(names, size=PROMPTS, replace=False, p=shares / shares.sum()).tolist()


def make(composer: Composer, tokens: Tokens, size: int, prompts: bool, absent_share: float, segments: bool) -> Batch:
    """A batch of `size` pictures, with prompts or without."""
    rng = composer.rng
    scenes = [composer.scene() for _ in range(size)]
    nouns, boxes, words, traits = (np.stack(part) for part in zip(*(patch_nouns(scene, rng) for scene in scenes)))
    letters = np.stack([patch_letters(scene) for scene in scenes])
    ids, owner = np.full((size, TEXT), tokens.pad, np.int16), np.full((size, TEXT), -1, np.int8)
    place, prefix, share = np.zeros((size, TEXT), np.uint8), np.zeros((size, TEXT), bool), np.zeros((size, TEXT), np.float16)
    starts, lengths, tasks = (np.zeros((size, PROMPTS), np.uint8) for _ in range(3))
    masks, holes = [], []
    for row, scene in enumerate(scenes if prompts else []):
        at = index = 0
        for task in chosen_tasks(rng, scene, segments):
            asked = ask(rng, scene, task, absent_share, PAIRS)
            if asked is None:
                continue
            text, first, gaps = ids_of(tokens, asked)
            end = at + len(text)
            if end > TEXT:
                continue
            ids[row, at:end], owner[row, at:end], place[row, at:end] = text, index, np.arange(len(text))
            prefix[row, at : at + first], share[row, at:end] = True, 1 / (len(text) - first)
            starts[row, index], lengths[row, index], tasks[row, index] = at, len(text), TASKS.index(task)
            holes += [(row, at + gap) for gap in gaps]
            masks += [cv2.resize(mask, (64, 64), interpolation=cv2.INTER_AREA) for mask in asked.masks]
            at, index = end, index + 1
    drawn = np.stack(masks) if masks else np.zeros((0, 64, 64))
    made = (
        np.stack([scene.picture for scene in scenes]), nouns, boxes, words, traits, letters, ids, owner, place, prefix, share,
        starts, lengths, tasks, (drawn * 255).astype(np.uint8), np.array(holes, np.int64).reshape(-1, 2),
    )
    return Batch(*map(torch.from_numpy, made))


def produce(made: multiprocessing.Queue, composer: Composer, seed: int, size: int, absent_share: float, segments: bool) -> None:
    """Fills a queue for ever: in turn scenes of many things for dense labels alone, and scenes with prompts."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    # Training comes first: where it has all cores, pictures are made while it waits for them.
    os.nice(19)
    parent = os.getppid()
    composer.rng, tokens = np.random.default_rng(seed), Tokens()
    while os.getppid() == parent:
        composer.crowd = bool(composer.rng.random() < CROWDED)
        batch = make(composer, tokens, size, not composer.crowd, absent_share, segments)
        while os.getppid() == parent:
            try:
                made.put((composer.crowd, batch), timeout=5)
                break
            except queues.Full:
                continue


def stream(producers: int, *arguments: object) -> multiprocessing.Queue:
    """A queue of batches without end; `arguments` are those of `produce` after the queue, the seed being that of the first."""
    composer, seed, *rest = arguments
    # What is forked shares the drawings instead of loading them again.
    context = multiprocessing.get_context("fork")
    made = context.Queue(2 * producers)
    for index in range(producers):
        context.Process(target=produce, args=(made, composer, seed * 1000 + index, *rest), daemon=True).start()
    return made
