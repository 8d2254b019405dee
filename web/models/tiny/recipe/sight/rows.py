"""Lays prompts out as rows for the decoder."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .replay import Replay


@dataclass
class Rows:
    """Prompts of some pictures. The text of row `r` follows the patches of picture `pictures[r]` of the step."""

    pictures: Tensor
    ids: Tensor
    # Where each token stands, patches too.
    positions: Tensor
    # What each token sees, `[rows, patches + text, patches + text]`.
    mask: Tensor
    # Tokens `[rows, text]` after which a token of an answer comes, the task of each token, and one over the length of its
    # answer.
    wanted: Tensor
    tasks: Tensor
    share: Tensor


def lay_out(
    replay: Replay, picked: np.ndarray, pictures: np.ndarray, starts: np.ndarray, lengths: np.ndarray, patches: int, pad: int, alone: bool
) -> Rows:
    """Rows of tokens `starts[r] .. starts[r] + lengths[r]` of rows `picked[r]` of what is kept.

    With one prompt a row it is PaliGemma's own layout: patches and prompt see each other. With more, the patches see
    only themselves, so that one pass over them serves all prompts: much faster, and for the beginning near enough.
    """
    device = replay.device
    # Few widths: a device keeps its memory for each shape it has met.
    columns = np.arange(-(-lengths.max() // 16) * 16)
    inside = torch.from_numpy(columns < lengths[:, None]).to(device)
    at = torch.from_numpy(picked[:, None]).to(device), torch.from_numpy(np.minimum(starts[:, None] + columns, replay["ids"].shape[1] - 1)).to(device)
    ids = torch.where(inside, replay["ids"][at].long(), pad)
    owner = torch.where(inside, replay["owner"][at].long(), -1)
    place, prefix = replay["place"][at].long(), replay["prefix"][at] & inside
    wanted = torch.zeros_like(prefix)
    wanted[:, :-1] = (owner[:, 1:] == owner[:, :-1]) & ~prefix[:, 1:] & inside[:, 1:]
    tasks = replay["tasks"][at[0], owner.clamp(0)].long()
    size = patches + ids.shape[1]
    mask = torch.ones(len(picked), size, size, dtype=torch.bool, device=device)
    seen = prefix[:, None, :] | (place[:, None, :] <= place[:, :, None])
    mask[:, patches:, patches:] = seen & (owner[:, None, :] == owner[:, :, None])
    mask[:, :patches, patches:] = prefix[:, None, :] if alone else False
    before = torch.arange(patches, device=device).expand(len(picked), -1)
    return Rows(
        torch.from_numpy(pictures).to(device), ids, torch.cat([before, patches + place], 1), mask, wanted, tasks,
        replay["share"][at].float(),
    )


def arranged(replay: Replay, picked: np.ndarray, alone: bool, patches: int, pad: int, groups: int = 3) -> list[Rows]:
    """Rows about the pictures `picked`, in groups of about the same length: padding is work for nothing.

    `alone` takes one prompt of each, any; otherwise all of them.
    """
    lengths = replay.lengths[picked]
    if alone:
        # The largest of random numbers where there is a prompt.
        chosen = np.where(lengths > 0, replay.rng.random(lengths.shape), -1).argmax(1)
        every = np.arange(len(picked))
        starts, lengths = replay.starts[picked][every, chosen], lengths[every, chosen]
    else:
        starts, lengths = np.zeros(len(picked), np.int64), lengths.sum(1)
    order = np.argsort(lengths, kind="stable")
    order = order[lengths[order] > 0]
    return [
        lay_out(replay, picked[part], part, starts[part], lengths[part], patches, pad, alone)
        for part in np.array_split(order, groups) if len(part)
    ]
