"""Dense labels: what every patch of the tower's grid shows."""

import numpy as np

from .nouns import NOUNS
from .scenes import GRID, PATCH, SIZE, Scene
from .words import LETTERS

# 0 is the background; the nouns follow.
NOUN_LABELS = {noun: index + 1 for index, noun in enumerate(NOUNS)}
# 0 is no letter; a letter counts as the same in both cases, because only its place in the word tells some apart.
SYMBOLS = {symbol: index + 1 for index, symbol in enumerate(LETTERS + LETTERS.upper() + "0123456789")}
# Places within a patch at which its letters are asked for, left to right.
PLACES = 3
IGNORED = -100


def patch_nouns(scene: Scene, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """What every patch shows: its noun `[GRID * GRID]`, the box `[GRID * GRID, 4]` as shares of the side, for what is
    none of the nouns one of its words `[GRID * GRID]`, and the row of what the teacher sees in it `[GRID * GRID]`, or -1."""
    labels = np.zeros(GRID * GRID, np.int16)
    words = np.full(GRID * GRID, IGNORED, np.int16)
    boxes = np.zeros((GRID * GRID, 4), np.float32)
    traits = np.full(GRID * GRID, -1, np.int32)
    if scene.photo_of is not None:
        # Somewhere in the photograph: the middle has to know it.
        labels[:] = IGNORED
        middle = np.zeros((GRID, GRID), bool)
        middle[GRID // 4 : -GRID // 4, GRID // 4 : -GRID // 4] = True
        labels[middle.ravel()] = NOUN_LABELS[scene.photo_of]
        return labels, boxes, words, traits
    best = np.full(GRID * GRID, 0.12, np.float32)
    for thing in scene.things:
        covered = thing.alpha.reshape(GRID, PATCH, GRID, PATCH).mean((1, 3)).ravel()
        here = covered > best
        best[here] = covered[here]
        labels[here] = IGNORED if thing.words else NOUN_LABELS[thing.noun]
        words[here] = thing.words[rng.integers(len(thing.words))] if thing.words else IGNORED
        traits[here] = thing.traits
        boxes[here] = np.array(thing.box, np.float32) / SIZE
        labels[(covered > 0.02) & (labels == 0)] = IGNORED
    return labels, boxes, words, traits


def patch_letters(scene: Scene) -> np.ndarray:
    """The letter at the places of every patch, `[GRID * GRID, PLACES]`: the one whose middle line is nearest."""
    labels = np.zeros((GRID * GRID, PLACES), np.uint8)
    for printed in scene.words:
        for letter, (top, left, bottom, right) in zip(printed.text, printed.boxes):
            row = int(np.clip((top + bottom) / 2 // PATCH, 0, GRID - 1))
            place = (left + right) / 2 / PATCH * PLACES
            column, place = divmod(int(np.clip(place, 0, GRID * PLACES - 1)), PLACES)
            labels[row * GRID + column, place] = SYMBOLS[letter]
    return labels
