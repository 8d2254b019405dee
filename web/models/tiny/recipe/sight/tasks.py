"""Questions about a scene, and their answers, in PaliGemma's prompts."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from .nouns import NOUNS
from .scenes import SIZE, Scene, Thing

NUMBERS = ("no", "one", "two", "three", "four", "five", "six")


@dataclass
class Asked:
    """One prompt with its answer; `masks` are those of the answer's objects, where segments are wanted."""

    task: str
    prefix: str
    suffix: str
    masks: list[np.ndarray]
    # What the answer is about, for evaluation.
    things: list[Thing]


def plural(noun: str) -> str:
    return NOUNS[noun][0]


def article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"


def listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]


def left_to_right(things: list[Thing]) -> list[Thing]:
    return sorted(things, key=lambda thing: thing.box[1])


def caption(scene: Scene) -> str:
    """What is there, and how many of it, from left to right."""
    if scene.photo_of is not None:
        return f"a photo of {article(scene.photo_of)} {scene.photo_of}"
    if scene.words:
        return "the words " + " ".join(word.text for word in scene.words) if len(scene.words) > 1 else (
            f"the word {scene.words[0].text}"
        )
    counts = Counter(thing.noun for thing in left_to_right(scene.things))
    return listed([
        f"{article(noun)} {noun}" if count == 1 else f"{NUMBERS[count]} {plural(noun)}"
        for noun, count in counts.items()
    ])


def place(thing: Thing) -> str:
    """One of nine places in the picture."""
    y, x = thing.centre
    row = "top" if y < SIZE * 0.38 else "bottom" if y > SIZE * 0.62 else ""
    column = "left" if x < SIZE * 0.38 else "right" if x > SIZE * 0.62 else ""
    return " ".join(part for part in (row, column) if part) or "middle"


def where(thing: Thing) -> str:
    spot = place(thing)
    return "in the middle" if spot == "middle" else f"at the {spot}"


def description(scene: Scene) -> str:
    """Every thing with its colour and place, and the background where it has one colour."""
    if not scene.things:
        return caption(scene)
    parts = []
    for thing in left_to_right(scene.things):
        name = f"{thing.colour} {thing.noun}" if thing.colour else thing.noun
        parts.append(f"{article(name)} {name} {where(thing)}")
    behind = f" on a {scene.backdrop} background" if scene.backdrop else ""
    return listed(parts) + behind


def locations(thing: Thing) -> str:
    bins = [min(1023, max(0, round(edge / SIZE * 1023))) for edge in thing.box]
    return "".join(f"<loc{number:04}>" for number in bins)


def is_left(one: Thing, other: Thing) -> bool:
    return other.centre[1] - one.centre[1] > 0.16 * SIZE and abs(other.centre[1] - one.centre[1]) > 0.8 * abs(
        other.centre[0] - one.centre[0]
    )


def is_above(one: Thing, other: Thing) -> bool:
    return other.centre[0] - one.centre[0] > 0.16 * SIZE and abs(other.centre[0] - one.centre[0]) > 0.8 * abs(
        other.centre[1] - one.centre[1]
    )


RELATIONS = {
    "left of": is_left,
    "right of": lambda a, b: is_left(b, a),
    "above": is_above,
    "below": lambda a, b: is_above(b, a),
}


def question(rng: Generator, scene: Scene) -> tuple[str, str]:
    """One question with its answer."""
    counts = Counter(thing.noun for thing in scene.things)
    if scene.photo_of is not None or not scene.things:
        if scene.words:
            return "how many words are there?", str(len(scene.words))
        if rng.random() < 0.5:
            return "what is this?", scene.photo_of
        noun = scene.photo_of if rng.random() < 0.5 else absent(rng, counts | Counter([scene.photo_of]))
        return f"is there {article(noun)} {noun}?", "yes" if noun == scene.photo_of else "no"
    once = [thing for thing in scene.things if counts[thing.noun] == 1]
    coloured = [thing for thing in once if thing.colour]
    kinds = ["how many", "is there", "how many all"]
    if len(scene.things) == 1:
        kinds += ["what", "what"]
    if coloured:
        kinds += ["colour", "colour", "colour"]
    if once:
        kinds += ["where"]
    if len(once) >= 2:
        kinds += ["relation", "relation", "yes relation"]
    kind = kinds[rng.integers(len(kinds))]
    if kind == "how many":
        noun = list(counts)[rng.integers(len(counts))] if rng.random() < 0.85 else absent(rng, counts)
        return f"how many {plural(noun)} are there?", str(counts[noun])
    if kind == "how many all":
        return "how many things are there?", str(len(scene.things))
    if kind == "is there":
        noun = list(counts)[rng.integers(len(counts))] if rng.random() < 0.5 else absent(rng, counts)
        return f"is there {article(noun)} {noun}?", "yes" if counts[noun] else "no"
    if kind == "what":
        return "what is this?", scene.things[0].noun
    if kind == "colour":
        thing = coloured[rng.integers(len(coloured))]
        return f"which colour is the {thing.noun}?", thing.colour
    if kind == "where":
        thing = once[rng.integers(len(once))]
        return f"where is the {thing.noun}?", where(thing)
    one, other = (once[index] for index in rng.permutation(len(once))[:2])
    words = list(RELATIONS)[rng.integers(4)]
    if kind == "relation":
        found = [thing for thing in scene.things if thing is not other and RELATIONS[words](thing, other)]
        if len(found) == 1:
            return f"what is {words} the {other.noun}?", found[0].noun
    holds = RELATIONS[words](one, other)
    opposite = {"left of": "right of", "right of": "left of", "above": "below", "below": "above"}[words]
    if not holds and not RELATIONS[opposite](one, other):
        thing = once[rng.integers(len(once))]
        return f"where is the {thing.noun}?", where(thing)
    return f"is the {one.noun} {words} the {other.noun}?", "yes" if holds else "no"


def absent(rng: Generator, counts: Counter) -> str:
    while True:
        noun = list(NOUNS)[rng.integers(len(NOUNS))]
        if noun not in counts:
            return noun


def ask(rng: Generator, scene: Scene, task: str, absent_share: float = 0.0, pairs: float = 0.0) -> Asked | None:
    """A prompt of one task about a scene, or nothing where it has none; a share of `pairs` outlines two nouns at once."""
    if task == "caption":
        return Asked(task, "caption en", caption(scene), [], scene.things)
    if task == "describe":
        return Asked(task, "describe en", description(scene), [], scene.things)
    if task == "answer":
        asked, answer = question(rng, scene)
        return Asked(task, f"answer en {asked}", answer, [], scene.things)
    if task == "ocr":
        return Asked(task, "ocr", " ".join(word.text for word in scene.words), [], []) if scene.words else None
    if not scene.things:
        return None
    counts = Counter(thing.noun for thing in scene.things)
    if task == "detect":
        nouns = [list(counts)[index] for index in rng.permutation(len(counts))[: 1 + rng.integers(2)]]
        if rng.random() < absent_share:
            nouns[rng.integers(len(nouns))] = absent(rng, counts)
        found = [thing for noun in nouns for thing in left_to_right([t for t in scene.things if t.noun == noun])]
        suffix = " ; ".join(f"{locations(thing)} {thing.noun}" for thing in found)
        return Asked(task, "detect " + " ; ".join(nouns), suffix, [], found)
    nouns = [list(counts)[rng.integers(len(counts))]]
    if pairs and len(counts) > 1 and rng.random() < pairs:
        nouns.append([noun for noun in counts if noun != nouns[0]][rng.integers(len(counts) - 1)])
    found = [thing for noun in nouns for thing in left_to_right([t for t in scene.things if t.noun == noun])]
    suffix = " ; ".join(f"{locations(thing)}{{}} {thing.noun}" for thing in found)
    return Asked(task, "segment " + " ; ".join(nouns), suffix, [mask(thing) for thing in found], found)


def mask(thing: Thing) -> np.ndarray:
    """The alpha inside the box."""
    top, left, bottom, right = (int(edge) for edge in thing.box)
    return thing.alpha[top:bottom, left:right]
