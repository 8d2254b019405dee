"""Where downloads, drawings and checkpoints live: outside the repository."""

import os
from pathlib import Path

WORK = Path(os.environ.get("OCELLI_SIGHT", Path.home() / ".cache/ocelli/sight"))
DOWNLOADS = WORK / "data"
LIBRARY = WORK / "library.pickle"
MORE = WORK / "more.pickle"
TRAITS = WORK / "traits.pickle"
PHOTOGRAPHS = WORK / "photographs.pickle"
UNSEEN_LIBRARY = WORK / "unseen.pickle"
CHECKPOINT = WORK / "checkpoint.pt"
CODEC = WORK / "codec.pt"
EXPORT = WORK / "export"
# Where the pack of the last release lies.
PACK = Path(__file__).resolve().parents[2]
CLIPART = Path("/usr/share/openclipart/png")
TUXPAINT = Path("/usr/share/tuxpaint/stamps")
SCRATCH = Path("/usr/share/scratch/Media/Costumes")
GCOMPRIS = Path("/usr/share/gcompris-qt/rcc")
FASHION_MNIST = Path("/usr/share/datasets/fashion-mnist")
# What was carried here (see `carry`) stands for what Debian would have installed.
FONTS = WORK / "fonts" if (WORK / "fonts").is_dir() else Path("/usr/share/fonts")
DICTIONARY = WORK / "words.txt" if (WORK / "words.txt").is_file() else Path("/usr/share/dict/american-english-small")
