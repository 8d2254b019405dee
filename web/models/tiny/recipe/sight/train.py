"""Trains for so many minutes, on a GPU where there is one; goes on from the last checkpoint.

    python -m sight.train --minutes 240

At first the tower alone learns, from dense labels; then the decoder is attached and all tasks are learnt together, with
all prompts of a picture in one row; at the end one prompt at a time, as the runtime asks them, while the learning rate
falls to nothing.
"""

import argparse
import copy
import os
import signal
import time
from collections import defaultdict

import numpy as np
import torch
from torch import Tensor

from .batches import TASKS, stream
from .beginning import prepare, prepare_decoder
from .hardware import DEVICE, FAST
from .light import disguised, relit
from .losses import Dense, next_token
from .masks import load_codec
from .model import Config, Sight
from .muon import Muon
from .paths import CHECKPOINT, CODEC
from .replay import Replay
from .rows import Rows, arranged
from .scenes import PATCH, Composer
from .tokens import Tokens

EMA = 0.998
# Shares of the time: the tower alone, then the decoder while the tower ignores it, then prompts together in a row; and when
# the learning rate begins to fall.
TOWER, STILL, TOGETHER, STEADY = 0.2, 0.22, 0.75, 0.45
# The share of pictures without prompts once there are prompts.
CROWDED = 0.25
# Steps in which new heads of dense labels learn to read a tower that has learnt already, and how fast.
HEADS, HEADS_LR = 200, 2e-3
# What is known of every patch.
LABELS = ("nouns", "boxes", "words", "traits", "letters")
LOSSES = {"noun": 1.0, "edge": 0.3, "letter": 0.5, "word": 0.5, "trait": 2.0}


def save(state: dict) -> None:
    """Never leaves half a checkpoint."""
    CHECKPOINT.parent.mkdir(parents=True, exist_ok=True)
    torch.save(state, CHECKPOINT.with_suffix(".new"))
    os.replace(CHECKPOINT.with_suffix(".new"), CHECKPOINT)


def answer_loss(model: Sight, groups: list[Rows], features: Tensor, table: Tensor, tokens: Tokens) -> tuple[Tensor, Tensor]:
    """Next-token loss of the answers, and by task the sum of the answers' means with their number, `[tasks, 2]`."""
    total, answers = features.new_zeros((), dtype=torch.float32), 0.0
    by_task = torch.zeros(len(TASKS), 2, device=features.device)
    for rows in groups:
        hidden = model.answer(features[rows.pictures], rows.ids, rows.positions, rows.mask, table)
        at = rows.wanted.nonzero(as_tuple=True)
        losses = next_token(hidden[at] @ table.T, rows.ids[at[0], at[1] + 1], tokens.first_location)
        share = rows.share[at]
        # Between the mean of each answer and the sum: long answers count more, but not in full.
        total, answers = total + (losses * share.sqrt()).sum(), answers + share.sum()
        by_task.index_add_(0, rows.tasks[at], torch.stack([losses.detach() * share, share], 1))
    return total / answers / 2, by_task


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
    on_gpu = DEVICE.type == "cuda"
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, required=True, help="of training in all, those before the last checkpoint too")
    parser.add_argument("--lr", type=float, default=2.8e-3 if on_gpu else 2e-3)
    parser.add_argument("--batch", type=int, default=1536 if on_gpu else 128)
    parser.add_argument("--threads", type=int, default=1 if on_gpu else os.cpu_count())
    parser.add_argument("--producers", type=int, default=max(1, (os.cpu_count() or 2) - 1))
    parser.add_argument("--made", type=int, default=256 if on_gpu else 32, help="pictures that a producer makes at a time")
    parser.add_argument("--kept", type=int, default=400_000 if on_gpu else 4_000, help="pictures kept to be seen again")
    parser.add_argument("--visits", type=int, default=6, help="how often each picture is seen at most, on average")
    parser.add_argument("--scored", type=int, default=64 if on_gpu else 16, help="patches of a picture that dense labels are asked of")
    parser.add_argument("--absent", type=float, default=0.1, help="share of detect prompts with a noun that is not there")
    parser.add_argument("--ease", type=float, default=0.05, help="1 gives the simplest scenes, 0 all")
    arguments = parser.parse_args()
    state = torch.load(CHECKPOINT, weights_only=True) if CHECKPOINT.is_file() else None
    seen, spent, taught = (state["seen"], state["minutes"], state["taught"]) if state else (0, 0.0, False)
    tokens, composer = Tokens(), Composer(False, seen + 1, arguments.ease)
    made = stream(arguments.producers, composer, seen + 1, arguments.made, arguments.absent, CODEC.is_file())

    torch.set_num_threads(arguments.threads)
    torch.set_float32_matmul_precision("high")
    model = Sight(Config(tokens.size, tokens.first_location))
    both = torch.nn.ModuleDict({"model": model, "dense": Dense(model, tokens)})
    if state is None:
        prepare(model, composer)
    average = copy.deepcopy(both).to(DEVICE)
    both.to(DEVICE)
    optimizers = optimizers_of(model, both, arguments.lr)
    held_still = 0
    if state is not None:
        # The heads of the dense labels may be new ones: they are no part of the model.
        anew = both.load_state_dict(state.get("weights", state["average"]), strict=False).missing_keys
        average.load_state_dict(state["average"], strict=False)
        if anew or "optimizers" not in state:
            held_still = HEADS
        else:
            for optimizer, kept in zip(optimizers, state["optimizers"]):
                optimizer.load_state_dict(kept)
    codec = load_codec().to(DEVICE) if CODEC.is_file() else None
    rng = np.random.default_rng(seen + 2)
    room = arguments.kept // 2 // arguments.made * arguments.made
    crowds, asked = Replay(room, DEVICE, rng), Replay(room, DEVICE, rng)

    def refill() -> None:
        """Takes in what was made, waiting only for what would be seen too often."""
        while True:
            lacking = any(not len(part) or part.added * arguments.visits < part.visited for part in (crowds, asked))
            if not lacking and (made.empty() or crowds.added + asked.added > crowds.visited + asked.visited):
                return
            crowded, batch = made.get()
            (crowds if crowded else asked).add(batch, codec, tokens.first_segment)

    refill()
    step, shown, over, waited = 0, 0, [], 0.0
    begun = saved = spoken = time.time()
    told: dict[str, list[Tensor]] = defaultdict(list)
    signal.signal(signal.SIGTERM, lambda *_: over.append(True))
    while not over:
        minutes = spent + (time.time() - begun) / 60
        progress = minutes / arguments.minutes
        if progress >= 1:
            break
        before = time.time()
        refill()
        waited += time.time() - before
        still = step < held_still
        lr = HEADS_LR if still else arguments.lr * min(1.0, (step + 1 - held_still) / 200) * min(1.0, (1 - progress) / (1 - STEADY))
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = lr
        prompts, alone = progress >= TOWER, progress >= TOGETHER
        if prompts and not taught:
            prepare_decoder(model)
            average["model"].layers.load_state_dict(model.layers.state_dict())
            taught = True
        crowd = round(arguments.batch * (CROWDED if prompts else 0.7))
        picked, others = asked.sample(arguments.batch - crowd), crowds.sample(crowd)
        at = torch.from_numpy(picked).to(DEVICE), torch.from_numpy(others).to(DEVICE)
        labels = {name: torch.cat([asked[name][at[0]], crowds[name][at[1]]]) for name in ("pictures", *LABELS)}
        with torch.autocast(DEVICE.type, torch.bfloat16, enabled=FAST == torch.bfloat16):
            table = model.embeddings()
            pictures = relit(labels.pop("pictures"))
            pictures[len(picked) :] = disguised(pictures[len(picked) :], PATCH)
            with torch.set_grad_enabled(not still):
                features = model.look(pictures)
            parts = both["dense"](features, table.detach() if still else table, labels, arguments.scored)
            loss = sum(weight * parts[name].nan_to_num() for name, weight in LOSSES.items())
            if prompts:
                groups = arranged(asked, picked, alone, model.config.patches, tokens.pad)
                seen_by_decoder = features.detach() if progress < STILL else features
                answers, by_task = answer_loss(model, groups, seen_by_decoder, table, tokens)
                loss = 0.3 * loss + answers
                told["tasks"].append(by_task)
        for name, value in parts.items():
            told[name].append(value.detach())
        loss.backward()
        size = torch.nn.utils.clip_grad_norm_(both.parameters(), 1.0)
        if size.isfinite():
            for optimizer in optimizers:
                optimizer.step()
        else:
            print("a step whose gradients are no numbers was left out", flush=True)
        both.zero_grad()
        with torch.no_grad():
            keep = min(EMA, (step + 10) / (step + 100)) if spent == 0 else EMA
            torch._foreach_lerp_(list(average.parameters()), list(both.parameters()), 1 - keep)
        seen, step, shown = seen + arguments.batch, step + 1, shown + arguments.batch
        if time.time() - spoken > 15:
            spoken = time.time()
            print(f"{minutes:.1f} min {seen} seen, {shown / (time.time() - begun):.0f}/s, made {crowds.added + asked.added}, waited {waited:.0f} s, lr {lr:.5f}: {summary(told)}", flush=True)
            told.clear()
        if time.time() - saved > 120:
            saved = time.time()
            save(checkpoint(seen, minutes, taught, both, average, optimizers))
    save(checkpoint(seen, spent + (time.time() - begun) / 60, taught, both, average, optimizers))


def summary(told: dict[str, list[Tensor]]) -> str:
    """Means since the last time, in words."""
    words = [f"{name} {torch.stack(values).nanmean():.3f}" for name, values in told.items() if name != "tasks"]
    if told["tasks"]:
        sums = torch.stack(told["tasks"]).sum(0)
        words += [f"{task} {mean:.3f}" for task, mean in zip(TASKS, (sums[:, 0] / sums[:, 1]).tolist())]
    return " ".join(words)


def checkpoint(seen: int, minutes: float, taught: bool, both, average, optimizers) -> dict:
    return {
        "seen": seen, "minutes": minutes, "taught": taught, "weights": both.state_dict(), "average": average.state_dict(),
        "optimizers": [optimizer.state_dict() for optimizer in optimizers],
    }


if __name__ == "__main__":
    main()
