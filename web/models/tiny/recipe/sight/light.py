"""Another light and another camera, for every visit of a picture; other colours, where nobody asks about them."""

import torch
from torch import Tensor

# Shares of pictures with their channels in another order, in grey, between their own colours and others, and as negatives.
SWAPPED, GREY, MIXED, NEGATIVE = 0.15, 0.15, 0.2, 0.04
# The share of pictures with holes, how many each then has, and the sides of one in patches.
HOLED, HOLES, SIDES = 0.4, 2, (1, 3)


def relit(pictures: Tensor) -> Tensor:
    """u8 `[n, size, size, 3]` as f32 in 0..255: half of them as they are, half with other contrast, tint and noise."""
    count, device = len(pictures), pictures.device

    def drawn(low: float, high: float, channels: int = 1) -> Tensor:
        changed = (torch.rand(count, 1, 1, 1, device=device) < 0.5).float()
        return changed * (low + (high - low) * torch.rand(count, 1, 1, channels, device=device))

    out = pictures.float()
    out = (out - 128) * (1 + drawn(-0.2, 0.15)) * (1 + drawn(-0.06, 0.06, 3)) + 128 + drawn(-15, 15)
    return (out + drawn(0, 7) * torch.randn_like(out)).clamp(0, 255)


def disguised(pictures: Tensor, patch: int) -> Tensor:
    """f32 `[n, size, size, 3]` in other colours and with patches missing: what tells a thing then is its shape."""
    count, size, device = len(pictures), pictures.shape[1], pictures.device
    own = torch.eye(3, device=device).expand(count, 3, 3)
    other = own.gather(1, torch.rand(count, 3, device=device).argsort(1)[..., None].expand(-1, -1, 3))
    between = torch.rand(count, 1, 1, device=device)
    kind = torch.rand(count, 1, 1, device=device)
    mix = torch.where(kind < SWAPPED, other, own)
    mix = torch.where((kind >= SWAPPED) & (kind < SWAPPED + GREY), torch.full_like(mix, 1 / 3), mix)
    blended = (kind >= SWAPPED + GREY) & (kind < SWAPPED + GREY + MIXED)
    mix = torch.where(blended, between * own + (1 - between) * other, mix)
    out = torch.einsum("nyxc,ndc->nyxd", pictures, mix)
    out = torch.where(torch.rand(count, 1, 1, 1, device=device) < NEGATIVE, 255 - out, out)

    grid = size // patch
    holed = torch.rand(count, 1, device=device) < HOLED
    missing = torch.zeros(count, grid, grid, dtype=torch.bool, device=device)
    place = torch.arange(grid, device=device)
    for _ in range(HOLES):
        first = torch.randint(0, grid, (2, count, 1), device=device)
        sides = torch.randint(SIDES[0], SIDES[1] + 1, (2, count, 1), device=device)
        rows, columns = (place >= first) & (place < first + sides)
        missing |= (rows & holed)[:, :, None] & columns[:, None, :]
    missing = missing.repeat_interleave(patch, 1).repeat_interleave(patch, 2)[..., None]
    filling = 255 * torch.rand(count, 1, 1, 3, device=device) + 12 * torch.randn_like(out)
    return torch.where(missing, filling.clamp(0, 255), out)
