"""A cut-out picture of a noun."""

from dataclasses import dataclass

import numpy as np

SIDE = 112


@dataclass
class Drawing:
    """A cut-out picture of a noun: RGBA, cropped to what is opaque, its longer side at most `SIDE` pixels."""

    noun: str
    style: str
    name: str
    pixels: np.ndarray
    held_back: bool = False
