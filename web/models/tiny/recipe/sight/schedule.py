"""Trains from nothing to the export, stage by stage; goes on where it was stopped.

    python -m sight.schedule [--threads N]
"""

import argparse
import subprocess
import sys

import torch

from .paths import CHECKPOINT

# (phase, pictures seen at its end, options). First the tower alone, from the simplest scenes to all of them; then all
# tasks, the decoder alone at first; at the end the learning rate falls to nothing.
STAGES = [
    ("dense", 40_000, "--ease 0.9 --crowd --lr 2e-3"),
    ("dense", 110_000, "--ease 0.5 --crowd --lr 1.5e-3"),
    ("dense", 260_000, "--ease 0.1 --crowd --lr 1.5e-3"),
    ("dense", 340_000, "--crowd --lr 1.3e-3"),
    ("joint", 358_000, "--together --prompts 3 --still 8000 --ease 0.3 --lr 1.5e-3"),
    ("joint", 387_000, "--together --prompts 3 --ease 0.25 --lr 1.2e-3"),
    ("joint", 455_000, "--together --prompts 3 --ease 0.1 --absent 0.1 --lr 1.2e-3 --decay 45000"),
]


def seen() -> int:
    return torch.load(CHECKPOINT, weights_only=True)["seen"] if CHECKPOINT.is_file() else 0


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", default="2")
    arguments = parser.parse_args()
    for phase, until, options in STAGES:
        if seen() < until:
            command = [phase, "--until", str(until), "--threads", arguments.threads, *options.split()]
            print(f"── train {' '.join(command)}", flush=True)
            subprocess.run([sys.executable, "-m", "sight.train", *command], check=True)
    for module in ("evaluate --q8", "evaluate --q8 --unseen", "export"):
        subprocess.run([sys.executable, "-m", *f"sight.{module}".split()], check=True)


if __name__ == "__main__":
    main()
