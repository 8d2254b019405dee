"""Trains from nothing to the export; goes on where it was stopped.

    python -m sight.schedule [--minutes N]
"""

import argparse
import subprocess
import sys

from .hardware import DEVICE


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=10.0 if DEVICE.type == "cuda" else 240.0)
    minutes = parser.parse_args().minutes
    for module in (f"train --minutes {minutes}", "evaluate --q8", "evaluate --q8 --unseen", "evaluate --q8 --dev", "export"):
        print(f"── {module}", flush=True)
        subprocess.run([sys.executable, "-m", *f"sight.{module}".split()], check=True)


if __name__ == "__main__":
    main()
