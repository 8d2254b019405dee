"""Trains: dense labels first, then all tasks. Goes on from the last checkpoint.

    python -m sight.train dense --until 150000
    python -m sight.train joint --until 1000000
"""

import argparse
import copy
import math
import os
import time
from collections import defaultdict

import torch

from .batches import CODE, Batch, stream
from .losses import Dense, next_token
from .masks import load_encoder
from .model import Config, Sight
from .paths import CHECKPOINT, CODEC
from .tokens import Tokens

EMA = 0.999


def save(state: dict) -> None:
    """Never leaves half a checkpoint."""
    CHECKPOINT.parent.mkdir(parents=True, exist_ok=True)
    torch.save(state, CHECKPOINT.with_suffix(".new"))
    os.replace(CHECKPOINT.with_suffix(".new"), CHECKPOINT)


def groups(batch: Batch, parts: int) -> list[list[int]]:
    """Prompts of about the same length together: padding is work for nothing."""
    order = sorted(range(len(batch.ids)), key=lambda index: len(batch.ids[index]))
    size = math.ceil(len(order) / parts)
    return [order[start : start + size] for start in range(0, len(order), size)]


def fill_codes(batch: Batch, encoder, first_segment: int) -> None:
    """Puts the codec's codes where answers hold masks."""
    if len(batch.masks) == 0:
        return
    with torch.no_grad():
        codes = encoder.codes(torch.from_numpy(batch.masks)[:, None]).tolist()
    found = iter(codes)
    for ids in batch.ids:
        at = 0
        while at < len(ids):
            if ids[at] == CODE:
                ids[at : at + 16] = [first_segment + code for code in next(found)]
                at += 16
            else:
                at += 1


def joint_losses(model: Sight, batch: Batch, features: torch.Tensor, table: torch.Tensor, tokens: Tokens) -> tuple:
    """Mean next-token loss over prompts (each prompt's own mean counts once), and it by task."""
    total, by_task = torch.zeros(()), defaultdict(list)
    for group in groups(batch, 3):
        longest = max(len(batch.ids[index]) for index in group)
        ids = torch.full((len(group), longest), tokens.pad)
        for row, index in enumerate(group):
            ids[row, : len(batch.ids[index])] = torch.tensor(batch.ids[index])
        prefixes = torch.tensor([batch.prefixes[index] for index in group])
        lengths = torch.tensor([len(batch.ids[index]) for index in group])
        owners = torch.tensor([batch.owners[index] for index in group])
        hidden = model.answer(features[owners], ids, prefixes, table)
        place = torch.arange(longest - 1)
        wanted = (place >= prefixes[:, None] - 1) & (place < lengths[:, None] - 1)
        logits = hidden[:, :-1][wanted] @ table.T
        losses = next_token(logits, ids[:, 1:][wanted], tokens.first_location)
        rows = wanted.nonzero()[:, 0]
        counts = (lengths - prefixes).float()
        # Between the mean of each prompt and the sum: long answers count more, but not in full.
        total = total + (losses / counts[rows].sqrt()).sum()
        with torch.no_grad():
            means = torch.zeros(len(group)).index_add(0, rows, losses.detach().float()) / counts
            for row, index in enumerate(group):
                by_task[batch.tasks[index]].append(float(means[row]))
    return total / max(1, len(batch.ids)) / 2, by_task


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("phase", choices=["dense", "joint"])
    parser.add_argument("--until", type=int, required=True, help="pictures seen when this phase is over")
    parser.add_argument("--lr", type=float)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--producers", type=int, default=1)
    parser.add_argument("--batch", type=int)
    parser.add_argument("--absent", type=float, default=0.0, help="share of detect prompts with a noun that is not there")
    parser.add_argument("--decay", type=int, default=0, help="pictures over which the learning rate falls to nothing")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    tokens = Tokens()
    model = Sight(Config(tokens.size, tokens.first_location))
    dense = Dense(model, tokens)
    both = torch.nn.ModuleDict({"model": model, "dense": dense})
    average = copy.deepcopy(both)
    lr = arguments.lr or {"dense": 2e-3, "joint": 1e-3}[arguments.phase]
    matrices = [p for p in both.parameters() if p.ndim >= 2]
    rest = [p for p in both.parameters() if p.ndim < 2]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.02}, {"params": rest, "weight_decay": 0.0}], lr=lr, betas=(0.9, 0.98), fused=True
    )
    seen, phase = 0, arguments.phase
    if CHECKPOINT.is_file():
        state = torch.load(CHECKPOINT, weights_only=True)
        both.load_state_dict(state["weights"])
        average.load_state_dict(state["average"])
        seen = state["seen"]
        if state["phase"] == phase:
            optimizer.load_state_dict(state["optimizer"])
    encoder = load_encoder() if CODEC.is_file() else None
    size = arguments.batch or {"dense": 64, "joint": 40}[phase]
    prompts = {"dense": 0, "joint": 2}[phase]
    batches = stream(seen + 1, arguments.producers, size, prompts, arguments.absent, encoder is not None)
    start, begun, step, told = seen, time.time(), 0, defaultdict(list)
    saved = time.time()
    while seen < arguments.until:
        batch = next(batches)
        warm = min(1.0, (step + 1) / 200)
        left = min(1.0, (arguments.until - seen) / arguments.decay) if arguments.decay else 1.0
        for group in optimizer.param_groups:
            group["lr"] = lr * warm * left
        with torch.autocast("cpu", torch.bfloat16):
            table = model.embeddings()
            features = model.look(torch.from_numpy(batch.pictures))
            parts = dense(features, table, *(torch.from_numpy(a) for a in (batch.nouns, batch.boxes, batch.letters)))
            loss = parts["noun"] + 0.3 * parts["edge"] + 0.5 * parts["letter"]
            if prompts:
                if encoder is not None:
                    fill_codes(batch, encoder, tokens.first_segment)
                answers, by_task = joint_losses(model, batch, features, table, tokens)
                loss = 0.3 * loss + answers
                for task, values in by_task.items():
                    told[task] += values
        for name, value in parts.items():
            if value.isfinite():
                told[name].append(float(value))
        if not loss.isfinite():
            print("a loss that is no number was left out", flush=True)
            optimizer.zero_grad()
            continue
        loss.backward()
        torch.nn.utils.clip_grad_norm_(both.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        with torch.no_grad():
            keep = min(EMA, (step + 10) / (step + 100)) if seen == start == 0 else EMA
            torch._foreach_lerp_(list(average.parameters()), list(both.parameters()), 1 - keep)
        seen += size
        step += 1
        if step % 50 == 0:
            line = " ".join(f"{name} {sum(values) / len(values):.3f}" for name, values in told.items() if values)
            print(f"{phase} {seen} {(seen - start) / (time.time() - begun):.0f}/s {line}", flush=True)
            told.clear()
        if time.time() - saved > 120 or seen >= arguments.until:
            saved = time.time()
            save({
                "phase": phase, "seen": seen, "weights": both.state_dict(), "average": average.state_dict(),
                "optimizer": optimizer.state_dict(),
            })


if __name__ == "__main__":
    main()
