"""What lies behind the things in a scene: plain, gradient, texture or photograph."""

import pickle
from pathlib import Path

import cv2
import numpy as np
from numpy.random import Generator
from PIL import Image

from .paths import PHOTOGRAPHS

PLACES = (Path("/usr/share/wallpapers"), Path("/usr/share/backgrounds"))


def photographs() -> list[np.ndarray]:
    """Wallpapers and free photographs, about 640 pixels wide; kept in the work folder once read."""
    if PHOTOGRAPHS.is_file():
        return pickle.loads(PHOTOGRAPHS.read_bytes())
    from skimage import data

    pictures = [data.astronaut(), data.immunohistochemistry(), data.hubble_deep_field(), data.gravel(), data.grass(),
                data.brick(), data.retina()]
    files = [path for place in PLACES for path in sorted(place.rglob("*")) if path.suffix in (".png", ".jpg", ".jpeg")]
    seen = set()
    for path in files:
        stem = (path.parts[4] if len(path.parts) > 5 else path.stem, "dark" in str(path))
        if path.is_symlink() or stem in seen:
            continue
        seen.add(stem)
        try:
            picture = Image.open(path).convert("RGB")
        except OSError:
            continue
        if min(picture.size) < 256:
            continue
        picture.thumbnail((640, 640), Image.Resampling.LANCZOS)
        pictures.append(np.asarray(picture))
    pictures = [cv2.cvtColor(p, cv2.COLOR_GRAY2RGB) if p.ndim == 2 else p[..., :3] for p in pictures]
    PHOTOGRAPHS.write_bytes(pickle.dumps([np.ascontiguousarray(p) for p in pictures]))
    return pictures


def colour(rng: Generator) -> np.ndarray:
    """Any colour, pale ones more often."""
    base = rng.random(3)
    return 255 * (base if rng.random() < 0.5 else 1 - 0.35 * base)


def background(rng: Generator, photos: list[np.ndarray], size: int, ease: float = 0.0) -> np.ndarray:
    """A picture `[size, size, 3]` of f32 in 0..255; `ease` is the share of plain ones on top of the usual."""
    kind = rng.random() * (0.35 if rng.random() < ease else 1.0)
    if kind < 0.35:
        return np.full((size, size, 3), colour(rng), np.float32)
    if kind < 0.5:
        turn = rng.random() * 2 * np.pi
        y, x = np.mgrid[0:size, 0:size] / size - 0.5
        share = np.clip((x * np.cos(turn) + y * np.sin(turn)) + 0.5, 0, 1)[..., None]
        return (colour(rng) * (1 - share) + colour(rng) * share).astype(np.float32)
    if kind < 0.7:
        return texture(rng, size)
    photo = photos[rng.integers(len(photos))]
    side = int(rng.integers(size, min(photo.shape[:2]) + 1)) if min(photo.shape[:2]) > size else min(photo.shape[:2])
    top, left = rng.integers(photo.shape[0] - side + 1), rng.integers(photo.shape[1] - side + 1)
    crop = cv2.resize(photo[top : top + side, left : left + side], (size, size), interpolation=cv2.INTER_AREA)
    if rng.random() < 0.3:
        crop = cv2.GaussianBlur(crop, (0, 0), rng.uniform(0.5, 3))
    crop = crop[:, ::-1] if rng.random() < 0.5 else crop
    return crop.astype(np.float32)


def flat_shapes(rng: Generator, size: int) -> np.ndarray:
    """What illustrators draw: sky over ground or water, hills, a road, plates and panels, all in flat colours."""
    canvas = np.empty((size, size, 3), np.float32)
    canvas[:] = colour(rng)
    if rng.random() < 0.6:
        y, fade = np.linspace(0, 1, size, dtype=np.float32)[:, None, None], colour(rng)
        canvas += (fade - canvas) * y * rng.uniform(0, 0.6)
    for _ in range(int(rng.integers(1, 5))):
        kind, paint = rng.integers(4), tuple(float(part) for part in colour(rng))
        if kind == 0:
            cv2.rectangle(canvas, (0, int(rng.uniform(0.4, 0.9) * size)), (size, size), paint, -1)
        elif kind == 1:
            centre = int(rng.uniform(0, 1) * size), int(rng.uniform(0.8, 1.3) * size)
            axes = int(rng.uniform(0.3, 1) * size), int(rng.uniform(0.2, 0.6) * size)
            cv2.ellipse(canvas, centre, axes, 0, 0, 360, paint, -1, cv2.LINE_AA)
        elif kind == 2:
            centre, across = rng.uniform(0.3, 0.7, 2) * size, rng.uniform(0.2, 0.5, 2) * size
            for share, shade in ((1.0, paint), (0.8, tuple(min(255.0, part + 14) for part in paint))):
                cv2.ellipse(canvas, (int(centre[0]), int(centre[1])), (int(across[0] * share), int(across[1] * share)), 0, 0, 360, shade, -1, cv2.LINE_AA)
        else:
            one, other = (rng.random((2, 2)) * size).astype(int)
            cv2.rectangle(canvas, (int(one[0]), int(one[1])), (int(other[0]), int(other[1])), paint, -1)
    return canvas


def texture(rng: Generator, size: int) -> np.ndarray:
    """Noise at some scale, stripes or checks between two colours."""
    kind = rng.integers(3)
    if kind == 0:
        cells = int(rng.choice([4, 8, 16, 32, 64]))
        share = cv2.resize(rng.random((cells, cells)).astype(np.float32), (size, size), interpolation=cv2.INTER_CUBIC)
    else:
        turn, pitch = rng.random() * np.pi, rng.uniform(6, 40)
        y, x = np.mgrid[0:size, 0:size]
        a = ((x * np.cos(turn) + y * np.sin(turn)) // pitch) % 2
        b = ((y * np.cos(turn) - x * np.sin(turn)) // pitch) % 2
        share = (a if kind == 1 else (a + b) % 2).astype(np.float32)
    one, other = colour(rng), colour(rng)
    other = one + (other - one) * rng.uniform(0.15, 1)
    share = np.clip(share, 0, 1)[..., None]
    return (one * (1 - share) + other * share).astype(np.float32)
