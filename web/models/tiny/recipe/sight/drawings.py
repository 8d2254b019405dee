"""A cut-out picture of a noun."""

import functools
from dataclasses import dataclass

import cv2
import numpy as np

from .colours import main_colour

SIDE = 112


@dataclass
class Drawing:
    """A cut-out picture of a noun: RGBA, cropped to what is opaque, its longer side at most `SIDE` pixels."""

    noun: str
    style: str
    name: str
    pixels: np.ndarray
    held_back: bool = False
    # Numbers of the words that name it, where it is none of the nouns.
    words: tuple[int, ...] = ()
    # The row of what the teacher sees in it, or -1; see `teacher`.
    traits: int = -1

    @functools.cached_property
    def half(self) -> np.ndarray:
        """At half the size: what small things are made from, in a quarter of the time."""
        height, width = self.pixels.shape[:2]
        return cv2.resize(self.pixels, ((width + 1) // 2, (height + 1) // 2), interpolation=cv2.INTER_AREA)

    @functools.cached_property
    def colour(self) -> str | None:
        return main_colour(self.pixels)

    @functools.cached_property
    def bare(self) -> bool:
        """Whether it has no colour of its own."""
        return np.ptp(self.pixels[::5, ::5, :3].astype(np.int16), axis=2).max(initial=0) < 10
