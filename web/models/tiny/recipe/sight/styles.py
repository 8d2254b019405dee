"""Other hands: ways in which the same thing might have been drawn. Only training sees them, because its drawings are few."""

import cv2
import numpy as np
from numpy.random import Generator


def turned_in_hue(rgba: np.ndarray, rng: Generator) -> np.ndarray:
    """Other colours in the same relation to each other."""
    hsv = cv2.cvtColor(np.ascontiguousarray(rgba[..., :3]), cv2.COLOR_RGB2HSV)
    hsv[..., 0] = (hsv[..., 0].astype(np.int16) + int(rng.integers(15, 165))) % 180
    hsv[..., 1] = np.minimum(255, hsv[..., 1] * rng.uniform(0.5, 1.2)).astype(np.uint8)
    return np.dstack([cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), rgba[..., 3]])


def grey(rgba: np.ndarray, rng: Generator) -> np.ndarray:
    light = cv2.cvtColor(np.ascontiguousarray(rgba[..., :3]), cv2.COLOR_RGB2GRAY)
    light = cv2.convertScaleAbs(light, alpha=rng.uniform(0.7, 1.0), beta=rng.uniform(0, 40))
    return np.dstack([light, light, light, rgba[..., 3]])


def line_art(rgba: np.ndarray, rng: Generator) -> np.ndarray:
    """Dark lines where brightness jumps and around the shape, on one pale colour."""
    light = cv2.cvtColor(np.ascontiguousarray(rgba[..., :3]), cv2.COLOR_RGB2GRAY)
    kernel = np.ones((3, 3), np.uint8)
    jumps = cv2.min(cv2.morphologyEx(light, cv2.MORPH_GRADIENT, kernel), rgba[..., 3]).astype(np.float32)
    rim = rgba[..., 3] - cv2.erode(rgba[..., 3], kernel, borderValue=0)
    ink = np.clip(np.maximum(jumps * rng.uniform(2, 5), rim) / 255, 0, 1)[..., None]
    paper = rng.uniform(200, 255, 3)
    return np.dstack([(paper * (1 - ink) + rng.uniform(0, 60, 3) * ink).astype(np.uint8), rgba[..., 3]])


def outlined(rgba: np.ndarray, rng: Generator) -> np.ndarray:
    """A line of one colour along the rim, dark or pale."""
    width = int(rng.integers(2, 6))
    inside = cv2.erode(rgba[..., 3], np.ones((width, width), np.uint8), borderValue=0).astype(np.float32)[..., None] / 255
    ink = rng.uniform(0, 70, 3) if rng.random() < 0.7 else rng.uniform(220, 255, 3)
    return np.dstack([(rgba[..., :3] * inside + ink * (1 - inside)).astype(np.uint8), rgba[..., 3]])


def few_colours(rgba: np.ndarray, rng: Generator) -> np.ndarray:
    step = int(rng.integers(48, 100))
    return np.dstack([np.minimum(255, rgba[..., :3] // step * step + step // 2).astype(np.uint8), rgba[..., 3]])


def lit(rgba: np.ndarray, rng: Generator) -> np.ndarray:
    """Brighter from one side."""
    height, width = rgba.shape[:2]
    turn, depth = rng.random() * 2 * np.pi, rng.uniform(0.1, 0.45)
    y, x = np.linspace(-1, 1, height, dtype=np.float32)[:, None], np.linspace(-1, 1, width, dtype=np.float32)
    share = 1 + depth * (np.float32(np.sin(turn)) * y + np.float32(np.cos(turn)) * x)
    return np.dstack([np.clip(rgba[..., :3] * share[..., None], 0, 255).astype(np.uint8), rgba[..., 3]])


def bent(rgba: np.ndarray, rng: Generator) -> np.ndarray:
    """Pulled about smoothly, as if on rubber."""
    margin = max(rgba.shape[:2]) // 12
    rgba = cv2.copyMakeBorder(rgba, margin, margin, margin, margin, cv2.BORDER_CONSTANT)
    height, width = rgba.shape[:2]
    pull = rng.normal(0, rng.uniform(0.02, 0.07), (2, 4, 4)).astype(np.float32) * max(height, width)
    dy, dx = (cv2.resize(one, (width, height), interpolation=cv2.INTER_CUBIC) for one in pull)
    y, x = np.arange(height, dtype=np.float32)[:, None], np.arange(width, dtype=np.float32)
    return cv2.remap(rgba, x + dx, y + dy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)


def cut(rgba: np.ndarray, rng: Generator) -> np.ndarray:
    """One side is missing, as behind the edge of something."""
    height, width = rgba.shape[:2]
    turn, at = rng.random() * 2 * np.pi, rng.uniform(0.25, 0.8)
    y, x = np.linspace(-1, 1, height, dtype=np.float32)[:, None], np.linspace(-1, 1, width, dtype=np.float32)
    kept = (np.float32(np.sin(turn)) * y + np.float32(np.cos(turn)) * x) < at
    return np.dstack([rgba[..., :3], rgba[..., 3] * kept])


COLOURING = ((turned_in_hue, 0.14), (grey, 0.04), (line_art, 0.07), (few_colours, 0.05))
SHADING = ((outlined, 0.1), (lit, 0.2))
SHAPING = ((bent, 0.4), (cut, 0.08))


def redrawn(rgba: np.ndarray, rng: Generator, coloured: bool) -> tuple[np.ndarray, bool]:
    """The drawing by another hand, and whether its colours are others now; those that are `coloured` already stay."""
    draw, recoloured = rng.random(), False
    for change, share in () if coloured else COLOURING:
        if draw < share:
            rgba, recoloured = change(rgba, rng), True
            break
        draw -= share
    for change, share in (*SHADING, *SHAPING):
        if rng.random() < share:
            rgba = change(rgba, rng)
    return rgba, recoloured
