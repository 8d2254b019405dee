"""Makes tests/pictures from the photographs in scikit-image, and the exact resize goldens."""

import hashlib
import io
import json
import os

import numpy as np
import skimage
from PIL import Image, ImageOps

FILTERS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}
SIZES = [56, 70, 224]
# 224 px results are stored as PNG for these only; the others are covered by their SHA-256.
STORED_224 = {"cat.png"}


def source(name):
    return Image.open(os.path.join(os.path.dirname(skimage.__file__), "data", name)).convert("RGB")


def make(folder):
    """Writes the pictures; every lossless one decodes to the same pixels everywhere."""
    os.makedirs(folder, exist_ok=True)
    path = lambda name: os.path.join(folder, name)
    cat = source("chelsea.png").resize((240, 160), Image.Resampling.LANCZOS)
    cat.save(path("cat.png"), optimize=True)
    source("chelsea.png").resize((320, 213), Image.Resampling.LANCZOS).save(path("cat.jpg"), quality=85)
    small = cat.resize((61, 41), Image.Resampling.LANCZOS)
    small.save(path("cat-small.bmp"))
    small.save(path("cat-small.webp"), lossless=True, quality=100, method=6)
    small.quantize(64, dither=Image.Dither.NONE).save(path("cat-small.gif"))

    coffee = source("coffee.png").resize((210, 140), Image.Resampling.LANCZOS)
    y, x = np.mgrid[0:140, 0:210]
    distance = np.hypot((x - 105) / 105, (y - 70) / 70)
    alpha = np.clip((1.25 - distance) * 400, 0, 255).astype(np.uint8)
    coffee.putalpha(Image.fromarray(alpha))
    coffee.save(path("coffee-alpha.png"), optimize=True)

    source("astronaut.png").resize((180, 180), Image.Resampling.LANCZOS).convert("L").save(
        path("astronaut-grey.png"), optimize=True
    )

    rocket = source("rocket.jpg").resize((270, 180), Image.Resampling.LANCZOS)
    exif = Image.Exif()
    exif[0x0112] = 6  # stored rotated: the viewer turns it 90 degrees clockwise
    # A 90 degree counter-clockwise turn of the upright picture, so that orientation 6 restores it.
    rocket.transpose(Image.Transpose.ROTATE_90).save(path("rocket-exif6.jpg"), quality=88, exif=exif)
    rocket.save(path("rocket.png"), optimize=True)


def load_rgb(path):
    """Decodes, applies the EXIF orientation, composites alpha over white, returns RGB."""
    picture = ImageOps.exif_transpose(Image.open(path))
    if picture.mode in ("RGBA", "LA") or "transparency" in picture.info:
        rgba = np.asarray(picture.convert("RGBA")).astype(np.uint32)
        a = rgba[..., 3:]
        over = (rgba[..., :3] * a + 255 * (255 - a) + 127) // 255
        return Image.fromarray(over.astype(np.uint8), "RGB")
    return picture.convert("RGB")


def goldens(folder, out):
    """Writes resized PNG files and resize.json {file, width, height, sha256, resized:[...]}."""
    os.makedirs(out, exist_ok=True)
    rows = []
    for name in sorted(os.listdir(folder)):
        if name.endswith((".md", ".json")):
            continue
        picture = load_rgb(os.path.join(folder, name))
        lossless = not name.endswith(".jpg")
        row = {
            "file": name,
            "width": picture.width,
            "height": picture.height,
            "lossless": lossless,
            "sha256_rgb": hashlib.sha256(picture.tobytes()).hexdigest(),
            "corner_rgb": [list(picture.getpixel((0, 0))), list(picture.getpixel((picture.width - 1, picture.height - 1)))],
            "mean_rgb": [float(v) for v in np.asarray(picture).reshape(-1, 3).mean(0)],
            "resized": [],
        }
        stem = name.replace(".", "-")
        for label, resample in FILTERS.items():
            for size in SIZES:
                result = picture.resize((size, size), resample)
                entry = {"filter": label, "size": size, "sha256_rgb": hashlib.sha256(result.tobytes()).hexdigest()}
                if not name.startswith("cat-small") and (size < 224 or name in STORED_224):
                    entry["file"] = f"{stem}.{label}.{size}.png"
                    result.save(os.path.join(out, entry["file"]), optimize=True)
                row["resized"].append(entry)
        rows.append(row)
    with open(os.path.join(out, "resize.json"), "w") as f:
        json.dump({"schema": 1, "pillow": Image.__version__, "pictures": rows}, f, indent=1)
