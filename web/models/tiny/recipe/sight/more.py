"""Drawings of everything, by the words of their names: what teaches the tower to see shapes that are none of the nouns.

    python -m sight.more

A noun has a dozen drawings, too few to tell what makes a dog a dog. Ten times as many drawings of other things, each
labelled with words of its name, teach features that hold for drawings which were never seen.
"""

import pickle
import re
from collections import Counter

import numpy as np
from PIL import Image

from .drawings import Drawing
from .icons import RENDERED, icon_set, rendered
from .library import ICON_SETS, LATER, cropped
from .nouns import CLIPART_FOLDERS_LEFT_OUT
from .paths import CLIPART, LIBRARY, MORE
from .silhouettes import COLOURED, LINE, filled

SETS = (*ICON_SETS, *LATER, "game-icons", "mdi", "ph", "fa6-solid", "healthicons", "tabler", *COLOURED)
# Enough for the sizes that scenes have.
SIDE = 64
LEFT_OUT = re.compile(
    r"outline|-off|-slash|duotone|thin|-light|sharp|twotone|rounded|flag|skin|tone|arrow|chevron|letter|number|keycap|clock-\d"
    r"|-bold$|alpha|format|border|align|circle|square|text|battery|signal|wifi|brand|logo|numeric"
)
# Words that name a way of drawing or a place on a screen, not a thing.
STOP = set(
    "the and with for from fill filled line solid alt one two three four small big large left right top bottom full half down "
    "new not non add remove plus minus check off out icon symbol sign mark medium light dark bold black white red green blue "
    "yellow orange purple brown pink grey gray button variant remix anonymous benji park von jean jon martin".split()
)
# A word teaches something when several drawings share it.
LEAST = 12
# Larger pictures take longer to open than all others together.
MOST_PIXELS = 20_000_000


def words_of(name: str) -> list[str]:
    return [word for word in dict.fromkeys(re.findall(r"[a-z]{3,}", name.lower())) if word not in STOP]


def held_back_of(style: str, held_back: set[str]) -> list[str]:
    return [one.removeprefix(f"{style}/") for one in held_back if one.startswith(f"{style}/")]


def icons(style: str, held_back: set[str]) -> list[tuple[list[str], np.ndarray]]:
    data, _ = icon_set(style)
    # What is held back may be known by another name.
    aliases = data.get("aliases", {})
    kept_away = {aliases.get(name, {"parent": name})["parent"] for name in held_back_of(style, held_back)}
    found = []
    for name, icon in data["icons"].items():
        if LEFT_OUT.search(name) or name in kept_away or style == "ph" and not name.endswith("-fill"):
            continue
        try:
            rgba = rendered(icon, data, RENDERED if style in LINE else SIDE)
        except (ValueError, OSError):
            continue
        if style in LINE:
            rgba = filled(rgba)
        pixels = None if rgba is None else cropped(Image.fromarray(rgba), SIDE)
        if pixels is not None:
            found.append((words_of(name), pixels))
    return found


def clipart(held_back: set[str]) -> list[tuple[list[str], np.ndarray]]:
    found = []
    for path in sorted(CLIPART.rglob("*.png")):
        folder = path.parent.relative_to(CLIPART).as_posix()
        if path.is_symlink() or folder.startswith(CLIPART_FOLDERS_LEFT_OUT) or f"clipart/{path.stem}" in held_back:
            continue
        try:
            picture = Image.open(path)
            pixels = cropped(picture, SIDE) if picture.width * picture.height <= MOST_PIXELS else None
        except (OSError, Image.DecompressionBombError):
            continue
        if pixels is not None:
            # The folder says what kind of thing it is; the last words of a title are often its artist.
            found.append((words_of(folder.replace("/", " ") + " " + " ".join(path.stem.split("_")[:3])), pixels))
    return found


def main() -> None:
    library = pickle.loads(LIBRARY.read_bytes())
    held_back = {f"{drawing.style}/{drawing.name}" for drawing in library["drawings"] if drawing.held_back}
    found = [(style, *one) for style in SETS for one in icons(style, held_back)]
    found += [("clipart", *one) for one in clipart(held_back)]
    counts = Counter(word for _, words, _ in found for word in words)
    vocabulary = {word: index for index, word in enumerate(sorted(word for word, count in counts.items() if count >= LEAST))}
    kept = []
    for style, words, pixels in found:
        numbers = tuple(vocabulary[word] for word in words if word in vocabulary)
        if numbers:
            kept.append(Drawing("", style, "", pixels, words=numbers))
    MORE.write_bytes(pickle.dumps({"words": list(vocabulary), "drawings": kept}, protocol=4))
    print(f"{len(kept)} drawings, {len(vocabulary)} words: {Counter(d.style for d in kept)}")


if __name__ == "__main__":
    main()
