"""Builds the library of pictures of nouns: cut-out drawings in several styles and small photographs."""

import gzip
import json
import pickle
import re
import zlib
from collections import Counter, defaultdict

import numpy as np
from PIL import Image

from .drawings import SIDE, Drawing
from .fetch import UNSEEN
from .icons import icon_set, rendered
from .nouns import CANDIDATES, CIFAR, CLIPART_FOLDERS_LEFT_OUT, FASHION
from .paths import CLIPART, DOWNLOADS, FASHION_MNIST, LIBRARY, UNSEEN_LIBRARY
from .silhouettes import silhouettes
from .stamps import stamps

ICON_SETS = ("noto", "noto-v1", "emojione", "fxemoji", "streamline-emojis")
# Came later: all of its drawings are for training, so that what is held back stays what it was.
LATER = ("emojione-v1",)


def cropped(picture: Image.Image, side: int = SIDE) -> np.ndarray | None:
    """The opaque part, or nothing where the picture has no shape of its own."""
    picture = picture.convert("RGBA")
    alpha = np.asarray(picture)[..., 3]
    rows, columns = np.nonzero((alpha > 24).any(1))[0], np.nonzero((alpha > 24).any(0))[0]
    if len(rows) == 0:
        return None
    picture = picture.crop((columns[0], rows[0], columns[-1] + 1, rows[-1] + 1))
    if min(picture.size) < 12 or max(picture.size) / min(picture.size) > 5:
        return None
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    return np.asarray(picture).copy()


def icons(sets: tuple[str, ...] = ICON_SETS) -> list[Drawing]:
    """Emoji of vector sets."""
    found = []
    for style in sets:
        data, names = icon_set(style)
        for noun, (_, wanted, _) in CANDIDATES.items():
            bodies = set()
            for name in wanted.split():
                icon = names.get(name)
                if icon is None or icon["body"] in bodies:
                    continue
                bodies.add(icon["body"])
                try:
                    picture = Image.fromarray(rendered(icon, data))
                except (ValueError, OSError) as error:
                    print(f"left out {style} {name}: {error}")
                    continue
                pixels = cropped(picture)
                if pixels is not None:
                    found.append(Drawing(noun, style, name, pixels))
    return found


def clipart(left_out: set[str]) -> list[Drawing]:
    """Clip art whose file name carries exactly one of the nouns' words."""
    words = {word: noun for noun, (_, _, listed) in CANDIDATES.items() for word in listed.split()}
    found = []
    for path in sorted(CLIPART.rglob("*.png")):
        folder = path.parent.relative_to(CLIPART).as_posix()
        if path.is_symlink() or folder.startswith(CLIPART_FOLDERS_LEFT_OUT) or path.stem in left_out:
            continue
        title = re.split(r"[^a-z]+", path.stem.lower())
        nouns = {words[word] for word in title[:4] if word in words}
        if len(nouns) != 1:
            continue
        try:
            pixels = cropped(Image.open(path))
        except OSError:
            continue
        if pixels is None or pixels.shape[0] * pixels.shape[1] * 0.97 < (pixels[..., 3] > 128).sum():
            continue
        found.append(Drawing(nouns.pop(), "clipart", path.stem, pixels))
    return found


def hold_back(drawings: list[Drawing]) -> None:
    """Keeps about a fifth of each noun's drawings, at least one of three, for evaluation: never trained on.

    Noto's two generations look alike, so what is held back comes from the other sets.
    """
    by_noun = defaultdict(list)
    for drawing in drawings:
        by_noun[drawing.noun].append(drawing)
    for group in by_noun.values():
        others = [drawing for drawing in group if not drawing.style.startswith("noto")]
        others.sort(key=lambda drawing: zlib.crc32(f"{drawing.style}/{drawing.name}".encode()))
        count = min(max(1, round(len(group) / 6)), len(others)) if len(group) >= 3 else 0
        for drawing in others[:count]:
            drawing.held_back = True


def cifar() -> dict[str, list[np.ndarray]]:
    """CIFAR-10 as `[n, 32, 32, 3]` by noun; its own test set is the held-back part."""
    parts = {"train": defaultdict(list), "test": defaultdict(list)}
    folder = DOWNLOADS / "cifar10"
    for path in sorted(folder.glob("*.png")):
        part = "test" if "test" in path.name else "train"
        number = re.search(r"\d+", path.stem)
        labels_path = folder / (f"{part}_lables.json")
        labels = json.loads(labels_path.read_text())
        pictures = np.asarray(Image.open(path).convert("RGB")).reshape(-1, 32, 32, 3)
        first = (int(number[0]) - 1) * len(pictures) if number and part == "train" else 0
        for index, label in enumerate(labels[first : first + len(pictures)]):
            parts[part][CIFAR[label]].append(pictures[index])
    return {part: {noun: np.stack(group) for noun, group in nouns.items()} for part, nouns in parts.items()}


def fashion() -> dict[str, dict[str, np.ndarray]]:
    """Fashion-MNIST as `[n, 28, 28]` by noun."""
    parts = {}
    for part, stem in (("train", "train"), ("test", "t10k")):
        raw = gzip.decompress((FASHION_MNIST / f"{stem}-images-idx3-ubyte.gz").read_bytes())
        pictures = np.frombuffer(raw, np.uint8, offset=16).reshape(-1, 28, 28)
        raw = gzip.decompress((FASHION_MNIST / f"{stem}-labels-idx1-ubyte.gz").read_bytes())
        labels = np.frombuffer(raw, np.uint8, offset=8)
        parts[part] = {
            noun: pictures[np.isin(labels, [i for i, other in enumerate(FASHION) if other == noun])][:4000]
            for noun in set(FASHION)
        }
    return parts


def build_unseen() -> None:
    """The drawings of styles that are only ever evaluated on."""
    drawings = icons(tuple(UNSEEN))
    UNSEEN_LIBRARY.write_bytes(pickle.dumps(drawings, protocol=4))
    print(f"{len(drawings)} drawings of {len({drawing.noun for drawing in drawings})} nouns in unseen styles")


def build(left_out: set[str]) -> dict:
    """Everything, as one dictionary; written to the work folder."""
    drawings = icons() + clipart(left_out)
    hold_back(drawings)
    # All of these are for training: what is held back are drawings in colour of the first sets.
    drawings += silhouettes(cropped) + icons(LATER) + stamps(cropped)
    library = {"drawings": drawings, "cifar": cifar(), "fashion": fashion()}
    LIBRARY.parent.mkdir(parents=True, exist_ok=True)
    LIBRARY.write_bytes(pickle.dumps(library, protocol=4))
    counts = Counter(drawing.noun for drawing in drawings)
    print(f"{len(drawings)} drawings of {len(counts)} nouns, {sum(d.held_back for d in drawings)} held back")
    for noun in CANDIDATES:
        styles = Counter(d.style for d in drawings if d.noun == noun)
        if counts[noun] < 5:
            print(f"  few: {noun} {dict(styles)}")
    return library


if __name__ == "__main__":
    listed = (__import__("pathlib").Path(__file__).parent / "left_out.txt").read_text().split()
    build(set(listed))
    build_unseen()
