"""Drawings and cut-out photographs of Debian packages, chosen by eye: `stamps.json` names the files that show each noun."""

import io
import json
import re
import struct
import zlib
from functools import cache
from pathlib import Path

from PIL import Image

from .drawings import Drawing
from .icons import drawn
from .paths import GCOMPRIS, SCRATCH, TUXPAINT

# Pixels that a drawing made of lines and curves is rendered wide.
WIDTH = 224
CHOSEN = Path(__file__).parent / "stamps.json"


@cache
def resources(path: Path) -> dict[str, bytes]:
    """The files in a Qt resource collection: big-endian tables of nodes, names and data."""
    whole = path.read_bytes()
    magic, version, tree, data, names = struct.unpack_from(">4s4I", whole)
    if magic != b"qres":
        raise ValueError(f"{path} is no Qt resource collection")
    node = 14 if version == 1 else 22
    found = {}

    def walk(index: int, folder: str) -> None:
        at = tree + index * node
        name, flags = struct.unpack_from(">IH", whole, at)
        if index:
            (length,) = struct.unpack_from(">H", whole, names + name)
            folder += "/" + whole[names + name + 6 : names + name + 6 + 2 * length].decode("utf-16-be")
        if flags & 2:
            count, first = struct.unpack_from(">II", whole, at + 6)
            for child in range(first, first + count):
                walk(child, folder)
            return
        (start,) = struct.unpack_from(">I", whole, at + 10)
        (size,) = struct.unpack_from(">I", whole, data + start)
        content = whole[data + start + 4 : data + start + 4 + size]
        found[folder] = zlib.decompress(content[4:]) if flags & 1 else content

    walk(0, "")
    return found


def content(style: str, path: str) -> bytes:
    if style == "gcompris":
        return resources(GCOMPRIS / f"{path.split('/')[0]}.rcc")[f"/gcompris/src/activities/{path}"]
    return ({"tuxpaint": TUXPAINT, "scratch": SCRATCH}[style] / path).read_bytes()


def opened(style: str, path: str) -> Image.Image:
    data = content(style, path)
    if not path.endswith(".svg"):
        return Image.open(io.BytesIO(data))
    svg = data.decode(errors="ignore")
    try:
        return drawn(svg, width=WIDTH)
    except ValueError:
        # Sizes that the renderer refuses, such as those of no area: what is drawn has a size of its own.
        begin = re.search(r"<svg[^>]*>", svg)[0]
        sizeless = svg.replace(begin, re.sub(r'\s(width|height)="[^"]*"', "", begin), 1)
        return drawn(sizeless)


def stamps(cropped) -> list[Drawing]:
    """All that are listed, each package being a style. Twins of drawings that are held back are not among them."""
    found = []
    for style, nouns in json.loads(CHOSEN.read_text()).items():
        for noun, paths in nouns.items():
            for path in paths:
                pixels = cropped(opened(style, path))
                if pixels is not None:
                    found.append(Drawing(noun, style, path, pixels))
    return found
