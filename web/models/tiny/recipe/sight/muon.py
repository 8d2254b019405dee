"""Muon: momentum whose matrix updates are made orthogonal, so that every direction of a matrix learns at one pace."""

import torch
from torch import Tensor
from torch.optim import Optimizer

from .hardware import FAST


def orthogonal(update: Tensor, rounds: int = 5) -> Tensor:
    """The nearest semi-orthogonal matrices to `[n, rows, columns]`, roughly, by Newton-Schulz rounds."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = update.to(FAST)
    tall = x.shape[1] > x.shape[2]
    x = x.mT if tall else x
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(rounds):
        square = x @ x.mT
        x = a * x + (b * square + c * square @ square) @ x
    return (x.mT if tall else x).float()


class Muon(Optimizer):
    """For matrices inside the blocks; `parts` of a group says how many matrices lie on top of each other in each."""

    def __init__(self, groups: list[dict], lr: float, momentum: float = 0.95, weight_decay: float = 0.0) -> None:
        super().__init__(groups, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay, "parts": 1})

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if not state:
                    state["momentum"] = torch.zeros_like(weight)
                state["momentum"].lerp_(weight.grad, 1 - group["momentum"])
                update = weight.grad.lerp(state["momentum"], group["momentum"])
                parts = update.view(group["parts"], -1, update.shape[1])
                # Every entry moves about as much as under Adam at the same learning rate.
                scale = 0.2 * max(parts.shape[1:]) ** 0.5
                weight.mul_(1 - group["lr"] * group["weight_decay"])
                weight.add_(orthogonal(parts).view_as(weight), alpha=-group["lr"] * scale)
