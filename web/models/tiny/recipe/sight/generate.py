"""Greedy answers of the model in PyTorch, many prompts at a time."""

import math
from collections import defaultdict
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from .model import Sight
from .tokens import Tokens


@dataclass
class Answer:
    """Ids without the end, and for each the probability."""

    ids: list[int]
    probabilities: list[float]


@torch.no_grad()
def answers(
    model: Sight, tokens: Tokens, pictures: torch.Tensor, owners: list[int], prefixes: list[list[int]], most: int = 100
) -> list[Answer]:
    """The greedy answer to every prompt; `owners[i]` is the picture of prompt `i`."""
    table = model.embeddings()
    features = torch.cat([model.look(part) for part in pictures.split(64)])
    by_length = defaultdict(list)
    for index, prefix in enumerate(prefixes):
        by_length[len(prefix)].append(index)
    found: list[Answer] = [Answer([], []) for _ in prefixes]
    for length, indices in by_length.items():
        for start in range(0, len(indices), 64):
            part = indices[start : start + 64]
            one_group(model, tokens, table, features[[owners[i] for i in part]], [prefixes[i] for i in part],
                      [found[i] for i in part], most)
    return found


def one_group(model, tokens, table, features, prefixes, found, most) -> None:
    scale = math.sqrt(model.config.width)
    x = torch.cat([features, F.embedding(torch.tensor(prefixes), table) * scale], 1)
    caches = [[] for _ in model.layers]
    hidden = model.read(x, 0, caches)[:, -1]
    place, alive = x.shape[1], torch.ones(len(found), dtype=torch.bool)
    first = tokens.first_location
    for step in range(most):
        shares = torch.softmax((hidden @ table.T).float(), -1)
        chosen = shares.argmax(1)
        if step == 0:
            # As the runtime does: a box might begin at many places, each less likely than the one token for nothing.
            edges = shares[:, first : first + 1024]
            chosen = torch.where(edges.sum(1) > 0.5, first + edges.argmax(1), chosen)
        for row in alive.nonzero().flatten().tolist():
            token = int(chosen[row])
            if token == tokens.eos:
                alive[row] = False
                continue
            found[row].ids.append(token)
            found[row].probabilities.append(float(shares[row, token]))
        if not alive.any():
            return
        x = F.embedding(chosen, table)[:, None] * scale
        hidden = model.read(x, place, caches)[:, -1]
        place += 1
