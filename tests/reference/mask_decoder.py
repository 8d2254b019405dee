"""Writes tests/goldens/mask_decoder: masks that PyTorch draws from codes, with weights that the test makes again."""

import math
import os

import numpy
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file

GOLDENS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "goldens")


def values(tensor: int, shape: list[int], scale: float) -> torch.Tensor:
    """Numbers in -scale..scale from a hash of their place: the same wherever they are made."""
    x = numpy.arange(math.prod(shape), dtype=numpy.uint32) * numpy.uint32(0x9E3779B1)
    x ^= numpy.uint32((tensor + 1) * 0x85EBCA77 & 0xFFFFFFFF)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        x ^= x >> numpy.uint32(shift)
        x *= numpy.uint32(factor)
    x ^= x >> numpy.uint32(16)
    unit = (x >> numpy.uint32(8)).astype(numpy.float32) / numpy.float32(1 << 23) - numpy.float32(1)
    return torch.from_numpy(unit * numpy.float32(scale)).reshape(shape)


def weights() -> dict[str, torch.Tensor]:
    """All tensors in the order of the test: names and layouts of `vae-oid.npz`."""
    found: dict[str, torch.Tensor] = {}

    def layer(name: str, shape: list[int], fan_in: int, out: int) -> None:
        found[f"{name}.weight"] = values(len(found), shape, math.sqrt(6 / fan_in))
        found[f"{name}.bias"] = values(len(found), [out], 0.1)

    found["_vq_vae._embedding"] = values(0, [128, 512], 1.0)
    layer("decoder.0", [128, 512, 1, 1], 512, 128)
    for block in (2, 3):
        layer(f"decoder.{block}.net.0", [128, 128, 3, 3], 1152, 128)
        layer(f"decoder.{block}.net.2", [128, 128, 3, 3], 1152, 128)
        layer(f"decoder.{block}.net.4", [128, 128, 1, 1], 128, 128)
    for number, one, other in ((4, 128, 128), (6, 128, 64), (8, 64, 32), (10, 32, 16)):
        layer(f"decoder.{number}", [one, other, 4, 4], 4 * one, other)
    layer("decoder.12", [1, 16, 1, 1], 96, 1)
    return found


def masks(w: dict[str, torch.Tensor], codes: torch.Tensor) -> torch.Tensor:
    """Codes `[n, 16]` to masks `[n, 64, 64]`."""

    def convolution(name: str, x: torch.Tensor, padding: int = 0) -> torch.Tensor:
        return F.conv2d(x, w[f"{name}.weight"], w[f"{name}.bias"], padding=padding)

    x = F.embedding(codes, w["_vq_vae._embedding"]).reshape(-1, 4, 4, 512).permute(0, 3, 1, 2)
    x = F.relu(convolution("decoder.0", x))
    for block in (2, 3):
        y = F.relu(convolution(f"decoder.{block}.net.0", x, padding=1))
        y = F.relu(convolution(f"decoder.{block}.net.2", y, padding=1))
        x = x + convolution(f"decoder.{block}.net.4", y)
    for number in (4, 6, 8, 10):
        name = f"decoder.{number}"
        x = F.relu(F.conv_transpose2d(x, w[f"{name}.weight"], w[f"{name}.bias"], stride=2, padding=1))
    return convolution("decoder.12", x)[:, 0]


def main() -> None:
    torch.set_num_threads(1)
    codes = torch.tensor([[7 * k % 128 for k in range(16)], [127] * 16, list(range(16)), [(k * k * 31 + 5) % 128 for k in range(16)]])
    drawn = masks(weights(), codes)
    folder = os.path.join(GOLDENS, "mask_decoder")
    os.makedirs(folder, exist_ok=True)
    save_file(
        {"codes": codes.numpy().astype(numpy.uint8), "masks": drawn.numpy().astype(numpy.float32)},
        os.path.join(folder, "golden.safetensors"),
    )
    print(f"masks from {float(drawn.min()):.3f} to {float(drawn.max()):.3f}, deviation {float(drawn.std()):.3f}")


if __name__ == "__main__":
    main()
