"""Muon: momentum whose matrix updates are made orthogonal, so that every direction of a matrix learns at one pace."""

from collections import defaultdict

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
            # Those of one shape are multiplied together.
            alike = defaultdict(list)
            for weight in group["params"]:
                if weight.grad is not None:
                    alike[weight.shape].append(weight)
            for shape, weights in alike.items():
                for weight in weights:
                    if not self.state[weight]:
                        self.state[weight]["momentum"] = torch.zeros_like(weight)
                gradients, momenta = [weight.grad for weight in weights], [self.state[weight]["momentum"] for weight in weights]
                torch._foreach_lerp_(momenta, gradients, 1 - group["momentum"])
                updates = torch.stack(torch._foreach_lerp(gradients, momenta, group["momentum"]))
                parts = updates.view(len(weights) * group["parts"], -1, shape[1])
                # Every entry moves about as much as under Adam at the same learning rate.
                scale = 0.2 * max(parts.shape[1:]) ** 0.5
                changes = orthogonal(parts).view_as(updates)
                torch._foreach_mul_(weights, 1 - group["lr"] * group["weight_decay"])
                torch._foreach_add_(weights, list(changes.unbind()), alpha=-group["lr"] * scale)
