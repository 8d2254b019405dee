"""Rounds weights as the runtime's q8 does: blocks of 32 along a row, one f16 scale each."""

import copy

import torch
from torch import Tensor

from .model import Sight

# Weights along a row that share a scale.
BLOCK = 32


def rounded(weight: Tensor) -> Tensor:
    """A matrix `[rows, k]` through q8 and back."""
    rows, k = weight.shape
    blocks = torch.nn.functional.pad(weight, (0, -k % BLOCK)).view(rows, -1, BLOCK)
    scale = (blocks.abs().amax(-1, keepdim=True) / 127).half().float()
    codes = torch.where(scale > 0, blocks / scale.clamp(1e-12), torch.zeros(())).round().clamp(-127, 127)
    return (codes * scale).view(rows, -1)[:, :k]


@torch.no_grad()
def quantised(model: Sight) -> Sight:
    """A copy whose matrices went through q8; norms, biases and positions stay."""
    out = copy.deepcopy(model)
    table = rounded(out.embeddings())
    out.smooth.zero_()
    out.table.copy_(table)
    for name, weight in out.named_parameters():
        if weight.ndim == 2 and name not in ("table", "smooth", "tower.position"):
            weight.copy_(rounded(weight))
    return out
