"""Lays prompts out as rows for the decoder."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .batches import Batch


@dataclass
class Rows:
    """Prompts of some pictures. The text of row `r` follows the patches of picture `pictures[r]`."""

    pictures: Tensor
    ids: Tensor
    # Where each token stands, patches too.
    positions: Tensor
    # What each token sees, `[rows, patches + text, patches + text]`.
    mask: Tensor
    # Tokens `[rows, text]` after which a token of an answer comes, which prompt each belongs to, and one over the length
    # of its answer.
    wanted: Tensor
    prompts: Tensor
    share: Tensor


def lay_out(batch: Batch, rows: list[list[int]], patches: int, pad: int) -> Rows:
    """Rows of prompts `rows[r]`, all of one picture each.

    With one prompt a row it is PaliGemma's own layout: patches and prompt see each other. With more, the patches see
    only themselves, so that one pass over them serves all prompts: much faster, and for the beginning near enough.
    """
    lengths = [sum(len(batch.ids[prompt]) for prompt in row) for row in rows]
    shape = (len(rows), max(lengths))
    ids = torch.full(shape, pad)
    owner, place = torch.full(shape, -1), torch.zeros(shape, dtype=torch.long)
    prefix, wanted = torch.zeros(shape, dtype=torch.bool), torch.zeros(shape, dtype=torch.bool)
    share = torch.zeros(shape)
    for r, row in enumerate(rows):
        at = 0
        for prompt in row:
            text, first = batch.ids[prompt], batch.prefixes[prompt]
            end = at + len(text)
            ids[r, at:end] = torch.tensor(text)
            owner[r, at:end] = prompt
            place[r, at:end] = torch.arange(len(text))
            prefix[r, at : at + first] = True
            wanted[r, at + first - 1 : end - 1] = True
            share[r, at:end] = 1 / (len(text) - first)
            at = end
    mask = torch.ones(len(rows), patches + shape[1], patches + shape[1], dtype=torch.bool)
    seen = prefix[:, None, :] | (place[:, None, :] <= place[:, :, None])
    mask[:, patches:, patches:] = seen & (owner[:, None, :] == owner[:, :, None])
    alone = all(len(row) == 1 for row in rows)
    mask[:, :patches, patches:] = prefix[:, None, :] if alone else False
    before = torch.arange(patches).expand(len(rows), -1)
    pictures = torch.tensor([batch.owners[row[0]] for row in rows])
    return Rows(pictures, ids, torch.cat([before, patches + place], 1), mask, wanted, owner, share)


def arranged(batch: Batch, together: bool, groups: int = 3) -> list[list[list[int]]]:
    """Groups of rows of about the same length: padding is work for nothing."""
    if together:
        by_picture: dict[int, list[int]] = {}
        for prompt, picture in enumerate(batch.owners):
            by_picture.setdefault(picture, []).append(prompt)
        rows = list(by_picture.values())
    else:
        rows = [[prompt] for prompt in range(len(batch.ids))]
    rows.sort(key=lambda row: sum(len(batch.ids[prompt]) for prompt in row))
    size = -(-len(rows) // groups)
    return [rows[start : start + size] for start in range(0, len(rows), size)]
