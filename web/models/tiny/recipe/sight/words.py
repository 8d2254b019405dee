"""Prints words into a picture in many fonts."""

import functools
import zlib
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFont

from .nouns import CANDIDATES
from .paths import DICTIONARY, FONTS

LETTERS = "abcdefghijklmnopqrstuvwxyz"
LEFT_OUT = ("emoji", "symbol", "icon", "fontawesome", "dingbats", "mathtex", "music", "openmoji", "d050000l")


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
    lines = DICTIONARY.read_text().split()
    short = sorted({line for line in lines if line.isascii() and line.isalpha() and line.islower() and 2 <= len(line) <= 7})
    short = [word for word in short if len(word) > 2 or word in ("no", "on", "in", "go", "up", "we", "to", "it", "is")]
    every = short + list(CANDIDATES) * 3
    return [word for index, word in enumerate(every) if (index % 6 == 5) == held_back]


@functools.cache
def font(path: Path, size: int) -> ImageFont.FreeTypeFont:
    # The simple layout has no ligatures, whose letters could not be told apart.
    return ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC)


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


def with_sign(rng: Generator, canvas: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray:
    """A plate in one colour behind `box` (left, top, right, bottom), mostly in a frame; often on a pole."""
    frame, margin = int(rng.integers(0, 5)), rng.uniform(1, 8)
    left, top, right, bottom = (round(edge) for edge in (box[0] - margin, box[1] - margin, box[2] + margin, box[3] + margin))
    plate, rim = (tuple(float(part) for part in rng.random(3) * 255) for _ in range(2))
    canvas = np.ascontiguousarray(canvas)
    if rng.random() < 0.4:
        middle, half = int((left + right) / 2), int(rng.integers(2, 6))
        cv2.rectangle(canvas, (middle - half, bottom), (middle + half, canvas.shape[0]), rim, -1)
    if frame:
        cv2.rectangle(canvas, (left - frame, top - frame), (right + frame, bottom + frame), rim, -1)
    cv2.rectangle(canvas, (left, top), (right, bottom), plate, -1)
    return canvas


def print_words(
    rng: Generator, canvas: np.ndarray, held_back: bool, signs: bool, ease: float = 0.0
) -> tuple[np.ndarray, list[Printed]]:
    """One to three words on lines of their own, in one font and one colour that stands out; some on `signs`."""
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
    same_left = rng.uniform(3, max(4, size - 4 - wide))
    signed = signs and rng.random() < 0.3 * (1 - ease)
    if signed:
        canvas = with_sign(rng, canvas, (same_left - 3, top - 2, same_left + wide + 4, top + line * count + 3))
    beside = canvas[max(0, int(top)) : int(top) + line * count, int(same_left) : int(same_left + wide) + 1] if signed else canvas
    middle = beside.mean((0, 1))
    for _ in range(20):
        ink = rng.random(3) * 255
        if abs(ink.mean() - middle.mean()) > 85:
            break
    else:
        ink = np.zeros(3) if middle.mean() > 128 else np.full(3, 255.0)
    if not signed and canvas.std((0, 1)).max() > 35:
        # A busy picture gets a plate to print on.
        plate = 255.0 if ink.mean() < 128 else 0.0
        canvas = canvas * 0.2 + plate * 0.8
    sheet = Image.new("L", (size, size))
    draw = ImageDraw.Draw(sheet)
    printed = []
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
