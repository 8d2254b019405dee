"""Trains: dense labels first, then all tasks. Goes on from the last checkpoint.

    python -m sight.train dense --until 150000
    python -m sight.train joint --until 1000000
"""

import argparse
import copy
import os
import signal
import time
from collections import defaultdict

import torch

from .batches import CODE, Batch, stream
from .hardware import FAST
from .losses import Dense, next_token
from .beginning import prepare, prepare_decoder
from .masks import load_codec
from .model import Config, Sight
from .muon import Muon
from .paths import CHECKPOINT, CODEC
from .rows import arranged, lay_out
from .scenes import Composer
from .tokens import Tokens

EMA = 0.998


def save(state: dict) -> None:
    """Never leaves half a checkpoint."""
    CHECKPOINT.parent.mkdir(parents=True, exist_ok=True)
    torch.save(state, CHECKPOINT.with_suffix(".new"))
    os.replace(CHECKPOINT.with_suffix(".new"), CHECKPOINT)


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


def joint_losses(
    model: Sight, batch: Batch, features: torch.Tensor, table: torch.Tensor, tokens: Tokens, together: bool
) -> tuple[torch.Tensor, dict[str, list[float]]]:
    """Next-token loss of the prompts, and the mean over each prompt's answer by task."""
    total, by_task = torch.zeros(()), defaultdict(list)
    for group in arranged(batch, together):
        rows = lay_out(batch, group, model.config.patches, tokens.pad)
        hidden = model.answer(features[rows.pictures], rows.ids, rows.positions, rows.mask, table)
        at = rows.wanted.nonzero(as_tuple=True)
        logits = hidden[at] @ table.T
        losses = next_token(logits, rows.ids[at[0], at[1] + 1], tokens.first_location)
        share = rows.share[at]
        # Between the mean of each answer and the sum: long answers count more, but not in full.
        total = total + (losses * share.sqrt()).sum()
        with torch.no_grad():
            means = torch.zeros(len(batch.ids)).index_add(0, rows.prompts[at], losses.detach().float() * share)
            for row in group:
                for prompt in row:
                    by_task[batch.tasks[prompt]].append(float(means[prompt]))
    return total / max(1, len(batch.ids)) / 2, by_task


def optimizers_of(model: Sight, both: torch.nn.Module, lr: float) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside the blocks, AdamW for everything else."""
    tower, decoder = list(model.tower.layers), list(model.layers)
    single = [w for layer in tower for w in (layer.out.weight, layer.up.weight, layer.down.weight)]
    single += [w for layer in decoder for w in (layer.qkv.weight, layer.out.weight, layer.gate.weight, layer.up.weight, layer.down.weight)]
    triple = [layer.qkv.weight for layer in tower]
    inside = {id(weight) for weight in single + triple}
    others = [p for p in both.parameters() if id(p) not in inside]
    muon = Muon([{"params": triple, "parts": 3}, {"params": single}], lr=lr, weight_decay=0.02)
    adam = torch.optim.AdamW(
        [{"params": [p for p in others if p.ndim >= 2], "weight_decay": 0.02},
         {"params": [p for p in others if p.ndim < 2], "weight_decay": 0.0}], lr=lr, betas=(0.9, 0.98), fused=True,
    )
    return [muon, adam]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("phase", choices=["dense", "joint"])
    parser.add_argument("--until", type=int, required=True, help="pictures seen when this phase is over")
    parser.add_argument("--lr", type=float)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--producers", type=int, default=1)
    parser.add_argument("--batch", type=int)
    parser.add_argument("--absent", type=float, default=0.0, help="share of detect prompts with a noun that is not there")
    parser.add_argument("--ease", type=float, default=0.0, help="1 gives the simplest scenes, 0 all")
    parser.add_argument("--crowd", action="store_true", help="many things in most scenes")
    parser.add_argument("--prompts", type=int, default=2, help="prompts about each picture")
    parser.add_argument("--together", action="store_true", help="all prompts of a picture in one row; see `rows`")
    parser.add_argument("--still", type=int, default=0, help="pictures during which the decoder alone learns from answers")
    parser.add_argument("--decay", type=int, default=0, help="pictures over which the learning rate falls to nothing")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    tokens = Tokens()
    model = Sight(Config(tokens.size, tokens.first_location))
    dense = Dense(model, tokens)
    both = torch.nn.ModuleDict({"model": model, "dense": dense})
    average = copy.deepcopy(both)
    lr = arguments.lr or {"dense": 2e-3, "joint": 1e-3}[arguments.phase]
    optimizers = optimizers_of(model, both, lr)
    seen, phase, taught = 0, arguments.phase, False
    if not CHECKPOINT.is_file():
        prepare(model, Composer(False, 1))
        average.load_state_dict(both.state_dict())
    if CHECKPOINT.is_file():
        state = torch.load(CHECKPOINT, weights_only=True)
        # The heads of the dense labels may be new ones: they are no part of the model.
        anew = both.load_state_dict(state["weights"], strict=False).missing_keys
        average.load_state_dict(state["average"], strict=False)
        seen = state["seen"]
        taught = state["taught"]
        if phase == "joint" and not taught:
            prepare_decoder(model)
            average["model"].layers.load_state_dict(model.layers.state_dict())
        if "optimizers" in state and not anew:
            for optimizer, kept in zip(optimizers, state["optimizers"]):
                optimizer.load_state_dict(kept)
    encoder = load_codec() if CODEC.is_file() else None
    size = arguments.batch or {"dense": 48, "joint": 32}[phase]
    prompts = arguments.prompts if phase == "joint" else 0
    batches = stream(seen + 1, arguments.producers, size, prompts, arguments.absent, encoder is not None, arguments.ease, arguments.crowd)
    start, begun, step, told = seen, time.time(), 0, defaultdict(list)
    saved, over = time.time(), []
    signal.signal(signal.SIGTERM, lambda *_: over.append(True))
    while seen < arguments.until and not over:
        batch = next(batches)
        warm = min(1.0, (step + 1) / 100)
        left = min(1.0, (arguments.until - seen) / arguments.decay) if arguments.decay else 1.0
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = lr * warm * left
        with torch.autocast("cpu", torch.bfloat16, enabled=FAST == torch.bfloat16):
            table = model.embeddings()
            features = model.look(torch.from_numpy(batch.pictures))
            parts = dense(features, table, *(torch.from_numpy(a) for a in (batch.nouns, batch.boxes, batch.words, batch.traits, batch.letters)))
            loss = parts["noun"] + 0.3 * parts["edge"] + 0.5 * parts["letter"]
            for name, weight in (("word", 0.5), ("trait", 2.0)):
                if parts[name].isfinite():
                    loss = loss + weight * parts[name]
            if prompts:
                if encoder is not None:
                    fill_codes(batch, encoder, tokens.first_segment)
                still = seen - start < arguments.still
                answers, by_task = joint_losses(
                    model, batch, features.detach() if still else features, table, tokens,
                    arguments.together,
                )
                loss = 0.3 * loss + answers
                for task, values in by_task.items():
                    told[task] += values
        for name, value in parts.items():
            if value.isfinite():
                told[name].append(float(value.detach()))
        if not loss.isfinite():
            print("a loss that is no number was left out", flush=True)
            both.zero_grad()
            continue
        loss.backward()
        torch.nn.utils.clip_grad_norm_(both.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
        both.zero_grad()
        with torch.no_grad():
            keep = min(EMA, (step + 10) / (step + 100)) if seen == start == 0 else EMA
            torch._foreach_lerp_(list(average.parameters()), list(both.parameters()), 1 - keep)
        seen += size
        step += 1
        if step % 50 == 0:
            line = " ".join(f"{name} {sum(values) / len(values):.3f}" for name, values in told.items() if values)
            print(f"{phase} {seen} {(seen - start) / (time.time() - begun):.0f}/s {line}", flush=True)
            told.clear()
        if time.time() - saved > 120 or seen >= arguments.until or over:
            saved = time.time()
            save({
                "phase": phase, "taught": taught or phase == "joint", "seen": seen, "weights": both.state_dict(), "average": average.state_dict(),
                "optimizers": [optimizer.state_dict() for optimizer in optimizers],
            })


if __name__ == "__main__":
    main()
