"""Prints words into a picture in many fonts."""

import functools
import zlib
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFont

from .nouns import CANDIDATES
from .paths import FONTS

LETTERS = "abcdefghijklmnopqrstuvwxyz"
LEFT_OUT = ("emoji", "symbol", "icon", "fontawesome", "dingbats", "mathtex", "music", "openmoji")


@dataclass
class Printed:
    """A word, and for each of its letters the box (ymin, xmin, ymax, xmax)."""

    text: str
    boxes: list[tuple[float, float, float, float]]


def writes_latin(path: Path) -> bool:
    """Whether a font has letters and digits of its own: most of Noto's files hold other scripts, and print boxes instead."""
    face = ImageFont.truetype(str(path), 24)
    missing = bytes(face.getmask("\uffff"))
    return all(bytes(face.getmask(symbol)) != missing for symbol in LETTERS + LETTERS.upper() + "0123456789")


@functools.cache
def families(held_back: bool) -> list[list[Path]]:
    """Latin fonts by family; about every sixth family is for evaluation only."""
    by_family = defaultdict(list)
    for path in sorted(path for path in FONTS.rglob("*") if path.suffix in (".ttf", ".otf")):
        if not any(word in str(path).lower() for word in LEFT_OUT) and writes_latin(path):
            by_family[path.stem.split("-")[0].lower()].append(path)
    return [group for name, group in sorted(by_family.items()) if (zlib.crc32(name.encode()) % 6 == 0) == held_back]


@functools.cache
def dictionary(held_back: bool) -> list[str]:
    """Short English words; every sixth is for evaluation only."""
    lines = Path("/usr/share/dict/american-english-small").read_text().split()
    short = sorted({line for line in lines if line.isascii() and line.isalpha() and line.islower() and 2 <= len(line) <= 7})
    short = [word for word in short if len(word) > 2 or word in ("no", "on", "in", "go", "up", "we", "to", "it", "is")]
    every = short + list(CANDIDATES) * 3
    return [word for index, word in enumerate(every) if (index % 6 == 5) == held_back]


@functools.cache
def font(path: Path, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(path), size)


def word(rng: Generator, held_back: bool) -> str:
    """A word of the dictionary; for training sometimes letters or digits at random, which cannot be guessed."""
    kind = 0.0 if held_back else rng.random()
    if kind < 0.75:
        listed = dictionary(held_back)
        text = listed[rng.integers(len(listed))]
    elif kind < 0.93:
        text = "".join(LETTERS[rng.integers(26)] for _ in range(rng.integers(2, 7)))
    else:
        return "".join(str(rng.integers(10)) for _ in range(rng.integers(1, 5)))
    style = rng.random()
    return text.upper() if style < 0.35 else text.capitalize() if style < 0.6 else text


def print_words(rng: Generator, canvas: np.ndarray, held_back: bool, ease: float = 0.0) -> tuple[np.ndarray, list[Printed]]:
    """One to three words on lines of their own, in one font and one colour that stands out."""
    size = canvas.shape[0]
    count = int(rng.choice([1, 2, 3], p=[0.45, 0.33, 0.22]))
    listed = families(held_back)
    family = listed[rng.integers(len(listed))]
    path = family[rng.integers(len(family))]
    words = [word(rng, held_back) for _ in range(count)]
    height = int(rng.uniform(17 + 6 * ease, (46, 34, 28)[count - 1]))
    while True:
        face = font(path, height)
        wide = max(face.getbbox(text)[2] for text in words)
        if wide <= size - 8 or height <= 11:
            break
        height = max(11, int(height * (size - 9) / wide))
    line = int(height * rng.uniform(1.1, 1.4))
    top = rng.uniform(2, max(3, size - 4 - line * count))
    middle = canvas.mean((0, 1))
    for _ in range(20):
        ink = rng.random(3) * 255
        if abs(ink.mean() - middle.mean()) > 85:
            break
    else:
        ink = np.zeros(3) if middle.mean() > 128 else np.full(3, 255.0)
    if canvas.std((0, 1)).max() > 35:
        # A busy picture gets a plate to print on.
        plate = 255.0 if ink.mean() < 128 else 0.0
        canvas = canvas * 0.2 + plate * 0.8
    sheet = Image.new("L", (size, size))
    draw = ImageDraw.Draw(sheet)
    printed = []
    same_left = rng.uniform(3, max(4, size - 4 - wide))
    for index, text in enumerate(words):
        own = face.getbbox(text)[2]
        left = same_left if own + same_left < size - 2 else max(2, size - 3 - own)
        y = top + index * line
        draw.text((left, y), text, fill=255, font=face)
        boxes, x = [], left
        for at, letter in enumerate(text):
            x = left + face.getlength(text[:at])
            box = face.getbbox(letter)
            boxes.append((y + box[1], x, y + box[3], left + face.getlength(text[: at + 1])))
        printed.append(Printed(text, boxes))
    share = np.asarray(sheet, np.float32)[..., None] / 255
    return canvas * (1 - share) + ink * share, printed
