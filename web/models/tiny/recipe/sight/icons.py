"""Icon sets of npm, and pictures of what is described by lines and curves."""

import io
import json

import numpy as np
import resvg_py
from PIL import Image

from .paths import DOWNLOADS

# Pixels a side at which an icon is drawn: for a line drawing, before what it encloses is filled.
RENDERED = 160


def drawn(svg: str, **options: int) -> Image.Image:
    return Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=svg, **options))))


def icon_set(style: str) -> tuple[dict, dict]:
    """What the set's file holds, and its icons by all their names."""
    data = json.loads((DOWNLOADS / f"iconify-json-{style}/icons.json").read_text())
    names = dict(data["icons"])
    for alias, entry in data.get("aliases", {}).items():
        if entry.get("parent") in data["icons"] and len(entry) == 1:
            names.setdefault(alias, data["icons"][entry["parent"]])
    return data, names


def rendered(icon: dict, data: dict, side: int = RENDERED) -> np.ndarray:
    """RGBA, `side` pixels a side."""
    width, height = icon.get("width", data.get("width", 16)), icon.get("height", data.get("height", 16))
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="{icon.get("left", 0)} {icon.get("top", 0)} {width} {height}" width="{side}" height="{side}">{icon["body"]}</svg>'
    )
    return np.asarray(drawn(svg).convert("RGBA"))
