"""Composes scenes on the fly: a picture, and what is known about it."""

import pickle
from dataclasses import dataclass, field

import cv2
import numpy as np

from .backgrounds import background, flat_shapes, photographs
from .colours import COLOURS, main_colour, names_of, tinted
from .drawings import SIDE, Drawing
from .nouns import CIFAR, FASHION, NOUNS
from .paths import LIBRARY, MORE, TRAITS, UNSEEN_LIBRARY
from .styles import redrawn
from .words import Printed, print_words

SIZE = 128
PATCH = 16
GRID = SIZE // PATCH


@dataclass
class Thing:
    """An object in a scene: its box in pixels (ymin, xmin, ymax, xmax) and its alpha over the whole picture."""

    noun: str
    colour: str | None
    box: tuple[float, float, float, float]
    alpha: np.ndarray
    # Of what is none of the nouns; see `more`.
    words: tuple[int, ...] = ()
    # The row of what the teacher sees in its drawing, or -1; see `teacher`.
    traits: int = -1

    @property
    def centre(self) -> tuple[float, float]:
        return (self.box[0] + self.box[2]) / 2, (self.box[1] + self.box[3]) / 2

    @property
    def area(self) -> float:
        return (self.box[2] - self.box[0]) * (self.box[3] - self.box[1])


@dataclass
class Scene:
    """A picture `[SIZE, SIZE, 3]` of u8 with everything that its questions are made from."""

    picture: np.ndarray
    things: list[Thing] = field(default_factory=list)
    words: list[Printed] = field(default_factory=list)
    photo_of: str | None = None
    backdrop: str | None = None


class Composer:
    """Makes scenes from one part of the library: what is held back, or everything else."""

    def __init__(
        self, held_back: bool, seed: int, ease: float = 0.0, crowd: bool = False, unseen: bool = False, training: bool | None = None
    ) -> None:
        library = pickle.loads(LIBRARY.read_bytes())
        self.rng = np.random.default_rng(seed)
        self.held_back = held_back
        # 1 for beginners: plain backgrounds, drawings as they are, few at a time. 0 for everything.
        self.ease = ease
        # Many things in every picture, half of them none of the nouns: the most labels for the work of looking.
        self.crowd = crowd
        # Training changes drawings further than evaluation does, and has things in more surroundings.
        self.training = not (held_back or unseen) if training is None else training
        taught = self.training and TRAITS.is_file()
        self.more: list[Drawing] = pickle.loads(MORE.read_bytes())["drawings"] if taught else []
        known = list(pickle.loads(TRAITS.read_bytes())["library"]) if taught else []
        rows = {drawing: row for row, drawing in enumerate(known)}
        for index, drawing in enumerate(self.more):
            drawing.traits = len(known) + index
        # Drawings of styles that nothing was trained on.
        self.unseen = unseen
        self.drawings: dict[str, dict[str, list[Drawing]]] = {}
        drawings = pickle.loads(UNSEEN_LIBRARY.read_bytes()) if unseen else library["drawings"]
        for drawing in drawings:
            if (unseen or drawing.held_back == held_back) and drawing.noun in NOUNS:
                drawing.traits = rows.get((drawing.style, drawing.name, drawing.noun), -1)
                self.drawings.setdefault(drawing.noun, {}).setdefault(drawing.style, []).append(drawing)
        part = "test" if held_back else "train"
        self.cifar = library["cifar"][part]
        self.fashion = library["fashion"][part]
        self.photos = photographs()
        # A fifth of the backgrounds is for evaluation only.
        self.photos = [p for i, p in enumerate(self.photos) if (i % 5 == 0) == held_back]
        self.nouns = [noun for noun in NOUNS if noun in self.drawings or noun in FASHION and not unseen]

    def cut_out(self, noun: str) -> Drawing:
        """One drawing of a noun, any style as likely as another."""
        rng = self.rng
        if noun in FASHION and (noun not in self.drawings or not self.unseen and rng.random() < 0.35):
            grey = self.fashion[noun][rng.integers(len(self.fashion[noun]))]
            grey = cv2.resize(grey, (84, 84), interpolation=cv2.INTER_CUBIC)
            alpha = np.clip(cv2.GaussianBlur((grey > 12).astype(np.float32), (0, 0), 1.2) * 2 - 0.6, 0, 1)
            rgba = np.dstack([grey, grey, grey, (alpha * 255).astype(np.uint8)])
            rows, columns = np.nonzero((alpha > 0.2).any(1))[0], np.nonzero((alpha > 0.2).any(0))[0]
            if len(rows) > 12 and len(columns) > 12:
                return Drawing(noun, "fashion", "", rgba[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
        styles = self.drawings.get(noun) or self.drawings[self.nouns[0]]
        style = list(styles)[rng.integers(len(styles))]
        return styles[style][rng.integers(len(styles[style]))]

    def varied(self, drawing: Drawing, longer: float) -> tuple[np.ndarray, str | None]:
        """A drawing at a size, turned, flipped, stretched and coloured at random; with its colour's name if it has one."""
        rng = self.rng
        rgba = drawing.half if longer < 0.5 * SIDE else drawing.pixels
        if rng.random() < 0.5:
            rgba = rgba[:, ::-1]
        # Drawings are few, and things come in many builds and styles.
        wild = 1 - self.ease if self.training else 0.0
        # What is none of the nouns is never asked about its colour.
        named = None if drawing.words else drawing.colour
        # What has no colour of its own gets one mostly.
        recoloured = tint = rng.random() < (0.8 if drawing.bare else 0.22 * (1 - self.ease))
        if tint:
            named = list(COLOURS)[rng.integers(len(COLOURS))]
            rgba = tinted(rgba, named, rng)
        elif wild and rng.random() < 0.3 * wild:
            rgb = rgba[..., :3].astype(np.float32) * rng.uniform(0.75, 1.25, 3) + rng.uniform(-20, 20)
            rgba, recoloured = np.dstack([np.clip(rgb, 0, 255).astype(np.uint8), rgba[..., 3]]), True
        if wild and rng.random() < wild:
            rgba, other = redrawn(rgba, rng, recoloured)
            recoloured = recoloured or other
        if recoloured and not tint and not drawing.words:
            named = main_colour(rgba[::2, ::2])
        height, width = rgba.shape[:2]
        scale = longer / max(height, width)
        stretch = np.exp(rng.uniform(-0.12, 0.12) * (1 + wild))
        turn = np.deg2rad(rng.normal(0, 9 - 6 * self.ease))
        slant = rng.normal(0, 0.12) * wild
        a, b = scale * stretch * np.cos(turn), -scale / stretch * np.sin(turn)
        c, d = scale * stretch * np.sin(turn), scale / stretch * np.cos(turn)
        b, d = b + slant * a, d + slant * c
        corners = np.array([[0, 0], [width, 0], [0, height], [width, height]]) @ np.array([[a, c], [b, d]])
        low = corners.min(0)
        out = np.ceil(corners.max(0) - low).astype(int) + 2
        matrix = np.array([[a, b, 1 - low[0]], [c, d, 1 - low[1]]], np.float32)
        premultiplied = rgba.astype(np.float32)
        premultiplied[..., :3] *= premultiplied[..., 3:] / 255
        if scale < 0.7:
            premultiplied = cv2.GaussianBlur(premultiplied, (0, 0), 0.45 / scale)
        warped = cv2.warpAffine(premultiplied, matrix, (int(out[0]), int(out[1])), flags=cv2.INTER_LINEAR)
        return warped, named

    def scene(self) -> Scene:
        """One scene of any kind."""
        kind = self.rng.random()
        if self.crowd and kind >= 0.36:
            return self.with_things(3 + int(self.rng.integers(4)))
        if kind < 0.06:
            return self.photograph()
        if kind < (0.36 if self.crowd else 0.45):
            return self.with_words()
        return self.with_things(1 + int(self.rng.choice(4, p=[0.34, 0.32, 0.22, 0.12])))

    def photograph(self) -> Scene:
        """A photograph of one thing, from edge to edge."""
        rng = self.rng
        noun = CIFAR[rng.integers(len(CIFAR))]
        photo = self.cifar[noun][rng.integers(len(self.cifar[noun]))]
        photo = cv2.resize(photo, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
        if rng.random() < 0.5:
            photo = photo[:, ::-1]
        return Scene(self.finished(photo.astype(np.float32)), photo_of=noun)

    def with_words(self) -> Scene:
        """One to three printed words."""
        canvas = background(self.rng, self.photos, SIZE, self.ease)
        canvas, words = print_words(self.rng, canvas, self.held_back, self.training, self.ease)
        return Scene(self.finished(canvas), words=words)

    def with_things(self, count: int) -> Scene:
        """Several things that hardly overlap, often some of the same noun."""
        rng = self.rng
        # Evaluation has neither flat landscapes nor things as small as training has.
        drawn = self.training and rng.random() < 0.25
        canvas = flat_shapes(rng, SIZE) if drawn else background(rng, self.photos, SIZE, self.ease)
        smallest = 22 + 14 * self.ease if self.training else 30 + 6 * self.ease
        plain = names_of(canvas.reshape(-1, 3)[::7])
        shares = np.bincount(plain, minlength=len(COLOURS)) / len(plain)
        backdrop = list(COLOURS)[int(shares.argmax())] if shares.max() > 0.85 else None
        scene = Scene(canvas, backdrop=backdrop)
        nouns = [self.nouns[rng.integers(len(self.nouns))] for _ in range(count)]
        for index in range(1, count):
            if rng.random() < 0.3:
                nouns[index] = nouns[rng.integers(index)]
        largest = (112, 84, 68, 60, 54, 50)[count - 1]
        for noun in nouns:
            other = self.crowd and rng.random() < 0.5
            for _ in range(6):
                drawing = self.more[rng.integers(len(self.more))] if other else self.cut_out(noun)
                warped, colour = self.varied(drawing, rng.uniform(smallest, largest))
                thing = self.placed(scene, drawing.noun, colour, warped)
                if thing is not None:
                    thing.words, thing.traits = drawing.words, drawing.traits
                    break
        scene.picture = self.finished(scene.picture)
        return scene

    def placed(self, scene: Scene, noun: str, colour: str | None, warped: np.ndarray) -> Thing | None:
        """Paints a drawing where it covers little of the others; nothing when it found no place."""
        rng = self.rng
        height, width = warped.shape[:2]
        if height > SIZE or width > SIZE:
            return None
        top, left = int(rng.integers(SIZE - height + 1)), int(rng.integers(SIZE - width + 1))
        shape = warped[..., 3] / 255
        rows, columns = np.nonzero((shape > 0.3).any(1))[0], np.nonzero((shape > 0.3).any(0))[0]
        if len(rows) < 8 or len(columns) < 8:
            return None
        box = (top + rows[0], left + columns[0], top + rows[-1] + 1, left + columns[-1] + 1)
        area = (box[2] - box[0]) * (box[3] - box[1])
        for other in scene.things:
            tall = min(box[2], other.box[2]) - max(box[0], other.box[0])
            wide = min(box[3], other.box[3]) - max(box[1], other.box[1])
            if tall > 0 and wide > 0 and tall * wide > 0.12 * min(area, other.area):
                return None
        alpha = np.zeros((SIZE, SIZE), np.float32)
        alpha[top : top + height, left : left + width] = shape
        region = scene.picture[top : top + height, left : left + width]
        if rng.random() < 0.2:
            shadow = cv2.GaussianBlur(alpha, (0, 0), 2.5)
            scene.picture *= (1 - 0.45 * np.roll(shadow, (3, 2), (0, 1)) * (1 - alpha))[..., None]
        region *= 1 - shape[..., None]
        region += warped[..., :3]
        for other in scene.things:
            other.alpha *= 1 - alpha
        thing = Thing(noun, colour, tuple(float(edge) for edge in box), alpha)
        scene.things.append(thing)
        return thing

    def finished(self, canvas: np.ndarray) -> np.ndarray:
        """Light, contrast, noise and blur of a camera; to u8."""
        rng = self.rng
        if rng.random() < 0.5 * (1 - self.ease):
            canvas = (canvas - 128) * rng.uniform(0.75, 1.2) + 128 + rng.uniform(-18, 18)
        if rng.random() < 0.2 * (1 - self.ease):
            canvas = canvas + rng.normal(0, rng.uniform(2, 10), canvas.shape)
        if rng.random() < 0.12:
            canvas = cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.4, 0.9))
        return np.clip(canvas, 0, 255).astype(np.uint8)
