"""Another light and another camera, for every visit of a picture."""

import torch
from torch import Tensor


def relit(pictures: Tensor) -> Tensor:
    """u8 `[n, size, size, 3]` as f32 in 0..255: half of them as they are, half with other contrast, tint and noise."""
    count, device = len(pictures), pictures.device

    def drawn(low: float, high: float, channels: int = 1) -> Tensor:
        changed = (torch.rand(count, 1, 1, 1, device=device) < 0.5).float()
        return changed * (low + (high - low) * torch.rand(count, 1, 1, channels, device=device))

    out = pictures.float()
    out = (out - 128) * (1 + drawn(-0.2, 0.15)) * (1 + drawn(-0.06, 0.06, 3)) + 128 + drawn(-15, 15)
    return (out + drawn(0, 7) * torch.randn_like(out)).clamp(0, 255)
