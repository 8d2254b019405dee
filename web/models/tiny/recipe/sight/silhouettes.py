"""More shapes of the nouns: one-colour symbols, and line drawings whose inside is filled."""

import re

import cv2
import numpy as np
from PIL import Image

from .drawings import Drawing
from .icons import icon_set, rendered
from .nouns import CANDIDATES

# Symbols in one colour, line drawings, and symbols in colours. Left out on purpose: sets drawn after emoji whose coloured
# drawings may be held back.
SOLID = ("game-icons", "mdi", "ph", "fa6-solid", "healthicons", "material-symbols", "icons8")
LINE = ("tabler", "hugeicons", "streamline", "streamline-plump")
COLOURED = (
    "icon-park", "streamline-color", "streamline-plump-color", "streamline-flex-color", "streamline-sharp-color",
    "streamline-ultimate-color", "streamline-kameleon-color", "streamline-freehand-color", "streamline-stickies-color",
    "streamline-cyber-color", "flat-color-icons", "flat-ui",
)
ENDINGS = re.compile(r"(-(fill|filled|solid|remix|bold|alt|rounded|0?[1-4]|head|face|side|full|flat|duo|variant|one|two|three))+$")
NOT_PLAIN = re.compile(r"outline|-off|-slash|duotone|thin|-light|sharp|twotone")
# Names that show something else, or not enough of it.
LEFT_OUT = set("""
game-icons:ram game-icons:bull game-icons:mouse ph:mouse-fill hugeicons:mouse-04 streamline:mouse-remix streamline:mouse-solid
icon-park:chicken mdi:bee hugeicons:snail material-symbols:cooking material-symbols:cooking-rounded icon-park:cooking ph:coffee-fill
icon-park:cup-one mdi:glasses fa6-solid:glasses hugeicons:glasses streamline:glasses icon-park:glasses-one icon-park:glasses-three
game-icons:notebook mdi:notebook ph:notebook-fill icons8:notebook tabler:notebook hugeicons:notebook hugeicons:notebook-01
hugeicons:notebook-02 icon-park:notebook icon-park:anchor icon-park:anchor-one mdi:camping ph:seat-fill icon-park:seat
game-icons:guitar-head icon-park:trumpet icon-park:telescope game-icons:bulb healthicons:eyeglasses game-icons:crown icon-park:crown-two
tabler:cap-rounded icon-park:hat tabler:jacket tabler:rings icon-park:ring icon-park:ring-one icon-park:rings icon-park:envelope
icon-park:envelope-one icon-park:soccer-one icon-park:robot-two game-icons:tree-face game-icons:flowers streamline:flower-alt
streamline:flower-alt-remix streamline:flower-alt-solid hugeicons:rose material-symbols:stars streamline:star-2 icon-park:star-one
hugeicons:rainbow icon-park:hands icon-park:heart game-icons:sandal ph:scooter-fill material-symbols:scooter mdi:scooter
material-symbols:ambulance material-symbols:ambulance-rounded icon-park:radio-two hugeicons:radio-01 icon-park:scissors mdi:torch
icon-park:torch streamline:pen-3 streamline:pen-3-remix streamline:pen-3-solid icon-park:basketball-one game-icons:volcano
material-symbols:camera material-symbols:camera-rounded mdi:stars
""".split())


def matching(noun: str, style: str, names: dict) -> list[str]:
    """Names of icons that show just this noun."""
    plural, icons, clipart = CANDIDATES[noun]
    wanted = {noun, plural, *icons.split(), *clipart.split()}
    found = []
    for name in names:
        if NOT_PLAIN.search(name) or style == "ph" and not name.endswith("-fill"):
            continue
        if ENDINGS.sub("", name) in wanted and f"{style}:{name}" not in LEFT_OUT:
            found.append(name)
    return found[:4]


def filled(rgba: np.ndarray) -> np.ndarray | None:
    """Black lines with white inside; nothing where the lines enclose little."""
    line = cv2.copyMakeBorder(rgba[..., 3], 12, 12, 12, 12, cv2.BORDER_CONSTANT)
    closed = cv2.morphologyEx((line > 90).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    outside = closed.copy()
    cv2.floodFill(outside, np.zeros((outside.shape[0] + 2, outside.shape[1] + 2), np.uint8), (0, 0), 2)
    inside = (outside != 2).astype(np.float32)
    rows, columns = np.nonzero(inside.any(1))[0], np.nonzero(inside.any(0))[0]
    if len(rows) == 0 or inside.sum() < 0.42 * (rows[-1] - rows[0] + 1) * (columns[-1] - columns[0] + 1):
        return None
    ink = line.astype(np.float32) / 255
    alpha = np.maximum(ink, cv2.GaussianBlur(inside, (0, 0), 0.6) * inside)
    grey = 255 * (1 - ink)
    return np.dstack([grey, grey, grey, alpha * 255]).astype(np.uint8)


def silhouettes(cropped) -> list[Drawing]:
    """Drawings of the styles `solid`, `line` and of each coloured set."""
    found = []
    for style in SOLID + LINE + COLOURED:
        data, names = icon_set(style)
        for noun in CANDIDATES:
            bodies = set()
            for name in matching(noun, style, names):
                if names[name]["body"] in bodies:
                    continue
                bodies.add(names[name]["body"])
                rgba = rendered(names[name], data)
                if style in LINE:
                    rgba = filled(rgba)
                elif style == "icon-park":
                    # Its one blue becomes gray: a composer tints what has no colour.
                    rgba = np.dstack([np.repeat(rgba[..., 1:2], 3, 2), rgba[..., 3:]])
                pixels = None if rgba is None else cropped(Image.fromarray(rgba))
                if pixels is not None:
                    kind = "solid" if style in SOLID else "line" if style in LINE else style
                    found.append(Drawing(noun, kind, f"{style}:{name}", pixels))
    return found
