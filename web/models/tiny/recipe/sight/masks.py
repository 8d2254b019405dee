"""The mask codec: a VQ-VAE whose decoder is the published one, with 128 codes for 4x4 places of a 64x64 mask."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .paths import CODEC

CODES, WIDTH = 128, 512


class Residual(nn.Module):
    """Two 3x3 convolutions and a 1x1 one beside the way straight through."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1), nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1), nn.ReLU(),
            nn.Conv2d(width, width, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.net(x)


def upwards(one: int, other: int) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(one, other, 4, stride=2, padding=1)


class Codec(nn.Module):
    """Masks `[n, 1, 64, 64]` of 0..1 to 16 codes each, and back."""

    def __init__(self) -> None:
        super().__init__()
        down = [(1, 16), (16, 32), (32, 64), (64, 128)]
        self.encoder = nn.Sequential(
            *(layer for one, other in down for layer in (nn.Conv2d(one, other, 4, stride=2, padding=1), nn.ReLU())),
            Residual(128), Residual(128), nn.Conv2d(128, WIDTH, 1),
        )
        self.decoder = nn.Sequential(
            nn.Conv2d(WIDTH, 128, 1), nn.ReLU(), Residual(128), Residual(128),
            upwards(128, 128), nn.ReLU(), upwards(128, 64), nn.ReLU(), upwards(64, 32), nn.ReLU(),
            upwards(32, 16), nn.ReLU(), nn.Conv2d(16, 1, 1),
        )
        self.codebook = nn.Parameter(torch.randn(CODES, WIDTH) * 0.05)

    def nearest(self, found: Tensor) -> Tensor:
        """The nearest code `[n, 16]` of each place of `[n, 512, 4, 4]`."""
        flat = found.permute(0, 2, 3, 1).reshape(-1, WIDTH)
        distances = self.codebook.pow(2).sum(1) - 2 * flat @ self.codebook.T
        return distances.argmin(1).view(len(found), 16)

    def codes(self, masks: Tensor) -> Tensor:
        return self.nearest(self.encoder(2 * masks - 1))

    def drawn(self, codes: Tensor) -> Tensor:
        """Masks `[n, 1, 64, 64]`, nominally in -1..1, of codes `[n, 16]`."""
        return self.decoder(F.embedding(codes, self.codebook).view(-1, 4, 4, WIDTH).permute(0, 3, 1, 2))


def load_codec() -> Codec:
    codec = Codec()
    # A codec that was carried to a machine for training has no decoder.
    codec.load_state_dict(torch.load(CODEC, weights_only=True), strict=False)
    return codec.eval()
