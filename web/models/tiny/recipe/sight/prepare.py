"""Builds everything that training reads: drawings and photographs, the tokenizer, and the mask codec.

    python -m sight.prepare
"""

import subprocess
import sys

from .paths import CODEC, LIBRARY, MORE, TRAITS, UNSEEN_LIBRARY
from .tokens import FILE

CODEC_STEPS = 3000


def run(module: str, *arguments: str) -> None:
    print(f"── {module} {' '.join(arguments)}", flush=True)
    subprocess.run([sys.executable, "-m", f"sight.{module}", *arguments], check=True)


def main() -> None:
    run("fetch")
    if not (LIBRARY.is_file() and UNSEEN_LIBRARY.is_file()):
        run("library")
    if not MORE.is_file():
        run("more")
    if not TRAITS.is_file():
        run("teacher")
    if not FILE.is_file():
        run("tokens")
    if not CODEC.is_file():
        run("train_codec", "--steps", str(CODEC_STEPS))


if __name__ == "__main__":
    main()
