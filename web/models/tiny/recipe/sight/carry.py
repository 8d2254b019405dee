"""One file with all that training reads, for a machine with a GPU that can reach nothing.

    python -m sight.carry pack data.xz     # here, after `sight.prepare`: about 42 MB
    python -m sight.carry unpack data.xz   # there; `sight.resume --keep-codec` goes on from the pack; then `sight.train`
    python -m sight.carry weights back.pt  # there, at any time after the first two minutes: what has to come back, 41 MB

Pictures are pressed a little and of the photographs only some go along: training sees no difference. What is held back
stays here, where it is evaluated.
"""

import argparse
import io
import lzma
import pickle
import string
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from .backgrounds import photographs
from .drawings import Drawing
from .masks import load_codec
from .paths import CHECKPOINT, CODEC, DICTIONARY, FONTS, LIBRARY, MORE, PHOTOGRAPHS, TRAITS, WORK
from .tokens import FILE
from .words import families

# Photographs of a noun, and how many stand beside each other in one sheet.
EACH, ACROSS = 600, 50


def pressed(pixels: np.ndarray, kind: str, quality: int) -> bytes:
    out = io.BytesIO()
    options = {"alpha_quality": 75, "method": 4} if kind == "WEBP" else {}
    Image.fromarray(pixels).save(out, kind, quality=quality, **options)
    return out.getvalue()


def opened(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data))).copy()


def opened_drawing(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGBA")).copy()


def sheet(pictures: np.ndarray) -> tuple[int, bytes]:
    """The first of small pictures `[n, side, side, ...]`, side by side."""
    pictures = pictures[:EACH]
    count, side = pictures.shape[:2]
    down = -(-count // ACROSS)
    filled = np.zeros((down * ACROSS, *pictures.shape[1:]), np.uint8)
    filled[:count] = pictures
    grid = filled.reshape(down, ACROSS, *pictures.shape[1:]).swapaxes(1, 2)
    return count, pressed(grid.reshape(down * side, ACROSS * side, *pictures.shape[3:]), "JPEG", 82)


def cut_up(count: int, data: bytes) -> np.ndarray:
    whole = opened(data)
    side = whole.shape[1] // ACROSS
    grid = whole.reshape(-1, side, ACROSS, side, *whole.shape[2:]).swapaxes(1, 2)
    return np.ascontiguousarray(grid.reshape(-1, side, side, *whole.shape[2:])[:count])


def letters_of(path: Path) -> bytes:
    """A font with nothing but what words are printed in."""
    from fontTools import subset

    options = subset.Options(drop_tables=[*subset.Options().drop_tables, "DSIG", "GPOS", "GSUB", "GDEF"], name_IDs=[], notdef_outline=True)
    font = subset.load_font(str(path), options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(text=string.ascii_letters + string.digits + " ")
    subsetter.subset(font)
    out = io.BytesIO()
    font.save(out)
    return out.getvalue()


def rounded(traits: np.ndarray) -> np.ndarray:
    """Directions matter, not lengths."""
    return np.round(traits / np.abs(traits).max(1, keepdims=True) * 127).astype(np.int8)


def pack(file: Path) -> None:
    library, more, traits = (pickle.loads(path.read_bytes()) for path in (LIBRARY, MORE, TRAITS))
    drawings = [drawing for drawing in library["drawings"] if not drawing.held_back]
    whole = {
        "library": [(d.noun, d.style, d.name, pressed(d.pixels, "WEBP", 80)) for d in drawings],
        "words": more["words"],
        "more": [(d.style, d.words, pressed(d.pixels, "WEBP", 60)) for d in more["drawings"]],
        "traits": {"library": list(traits["library"]), "rows": rounded(np.stack(list(traits["library"].values())).astype(np.float32)),
                   "more": rounded(np.asarray(traits["more"], np.float32))},
        "cifar": {noun: sheet(pictures) for noun, pictures in library["cifar"]["train"].items()},
        "fashion": {noun: sheet(pictures) for noun, pictures in library["fashion"]["train"].items()},
        "photographs": [pressed(picture, "JPEG", 88) for picture in photographs()],
        "fonts": {str(path.relative_to(FONTS)): letters_of(path) for family in families(False) for path in family},
        "dictionary": DICTIONARY.read_text(),
        "tokenizer": FILE.read_bytes(),
        # Training has no use for the decoder of masks.
        "codec": {name: weight.half().numpy() for name, weight in load_codec().state_dict().items() if not name.startswith("decoder.")},
    }
    file.write_bytes(lzma.compress(pickle.dumps(whole, protocol=4), preset=1))
    print(f"{file}: {file.stat().st_size / 1e6:.1f} MB")


def unpack(file: Path) -> None:
    whole = pickle.loads(lzma.decompress(file.read_bytes()))
    WORK.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor() as pool:
        library = list(pool.map(opened_drawing, [data for *_, data in whole["library"]], chunksize=100))
        more = list(pool.map(opened_drawing, [data for *_, data in whole["more"]], chunksize=200))
    drawings = [Drawing(noun, style, name, pixels) for (noun, style, name, _), pixels in zip(whole["library"], library)]
    small = {kind: {"train": {noun: cut_up(*kept) for noun, kept in whole[kind].items()}} for kind in ("cifar", "fashion")}
    LIBRARY.write_bytes(pickle.dumps({"drawings": drawings, **small}, protocol=4))
    others = [Drawing("", style, "", pixels, words=words) for (style, words, _), pixels in zip(whole["more"], more)]
    MORE.write_bytes(pickle.dumps({"words": whole["words"], "drawings": others}, protocol=4))
    traits = {part: whole["traits"][part].astype(np.float16) / 127 for part in ("rows", "more")}
    TRAITS.write_bytes(pickle.dumps({"library": dict(zip(whole["traits"]["library"], traits["rows"])), "more": traits["more"]}, protocol=4))
    PHOTOGRAPHS.write_bytes(pickle.dumps([opened(data) for data in whole["photographs"]]))
    for name, data in whole["fonts"].items():
        path = WORK / "fonts" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (WORK / "words.txt").write_text(whole["dictionary"])
    FILE.write_bytes(whole["tokenizer"])
    torch.save({name: torch.from_numpy(weight).float() for name, weight in whole["codec"].items()}, CODEC)
    print(f"{len(drawings)} drawings of nouns, {len(others)} others, {len(whole['fonts'])} fonts")


def weights(file: Path) -> None:
    """The last checkpoint without what only training goes on from."""
    state = torch.load(CHECKPOINT, weights_only=True)
    torch.save({name: state[name] for name in ("seen", "minutes", "taught", "average")}, file)
    print(f"{file}: after {state['minutes']:.1f} minutes, {state['seen']} pictures")


def main() -> None:
    actions = {"pack": pack, "unpack": unpack, "weights": weights}
    parser = argparse.ArgumentParser()
    parser.add_argument("action", choices=actions)
    parser.add_argument("file", type=Path)
    arguments = parser.parse_args()
    actions[arguments.action](arguments.file)


if __name__ == "__main__":
    main()
