"""Names of colours, and what colour a drawing mostly has."""

import cv2
import numpy as np

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (214, 38, 38), "orange": (245, 138, 28), "yellow": (246, 214, 44), "green": (58, 160, 62),
    "blue": (44, 96, 214), "purple": (134, 62, 176), "pink": (246, 140, 180), "brown": (130, 84, 48),
    "black": (32, 32, 34), "white": (246, 246, 246), "gray": (140, 140, 144),
}


def names_of(rgb: np.ndarray) -> np.ndarray:
    """The name of each colour `[n, 3]`, as an index into `COLOURS`; hues decide where there is colour at all."""
    hsv = cv2.cvtColor(rgb.reshape(-1, 1, 3).astype(np.uint8), cv2.COLOR_RGB2HSV).reshape(-1, 3).astype(int)
    hue, saturation, value = hsv[:, 0] * 2, hsv[:, 1], hsv[:, 2]
    index = list(COLOURS).index
    named = np.full(len(rgb), index("red"))
    named[(hue >= 16) & (hue < 42)] = index("orange")
    named[(hue >= 42) & (hue < 68)] = index("yellow")
    named[(hue >= 68) & (hue < 165)] = index("green")
    named[(hue >= 165) & (hue < 258)] = index("blue")
    named[(hue >= 258) & (hue < 300)] = index("purple")
    named[(hue >= 300) & (hue < 342)] = index("pink")
    named[((hue >= 342) | (hue < 16)) & (saturation < 130) & (value > 180)] = index("pink")
    named[(hue >= 8) & (hue < 45) & (value < 170)] = index("brown")
    grey = saturation < 42
    named[grey & (value > 205)] = index("white")
    named[grey & (value <= 205)] = index("gray")
    named[(value < 62) | (grey & (value < 80))] = index("black")
    return named


def main_colour(rgba: np.ndarray) -> str | None:
    """The name of the colour that most of a drawing has, or nothing where none clearly does."""
    opaque = rgba[..., 3] > 160
    if opaque.sum() < 30:
        return None
    counts = np.bincount(names_of(rgba[..., :3][opaque]), minlength=len(COLOURS))
    best = int(counts.argmax())
    return list(COLOURS)[best] if counts[best] > 0.7 * counts.sum() else None


def tinted(rgba: np.ndarray, name: str, rng: np.random.Generator) -> np.ndarray:
    """The drawing in shades of one colour."""
    light = cv2.cvtColor(np.ascontiguousarray(rgba[..., :3]), cv2.COLOR_RGB2GRAY).astype(np.float32)[..., None] / 255
    target = np.array(COLOURS[name], np.float32) + rng.uniform(-14, 14, 3)
    # Dark lines stay dark, and what is light takes the colour, so that shapes stay visible.
    middle = light.mean() if light.size else 0.5
    shade = np.clip(1 + 0.8 * (light - middle), 0.3, 1.35)
    out = rgba.copy()
    out[..., :3] = np.clip(target * shade, 0, 255)
    return out
