"""Begins a checkpoint from the pack that is committed, so that training goes on where the last release stopped.

    python -m sight.resume
    python -m sight.resume --keep-codec   # where the codec that was carried here is this pack's already
"""

import argparse
import shutil

import numpy as np
import torch
from safetensors import safe_open

from .losses import Dense
from .masks import Codec
from .model import Config, Sight
from .paths import CODEC, PACK
from .quantise import BLOCK
from .tokens import FILE, Tokens
from .train import save


class Pack:
    """Weights of a pack by their names, out of q8 again."""

    def __init__(self) -> None:
        self.file = safe_open(PACK / "weights-00001.safetensors", "np")
        self.names = set(self.file.keys())

    def __call__(self, name: str) -> torch.Tensor:
        if f"{name}.data" not in self.names:
            return torch.from_numpy(self.file.get_tensor(name).astype(np.float32))
        data = torch.from_numpy(self.file.get_tensor(f"{name}.data").astype(np.float32))
        scales = torch.from_numpy(self.file.get_tensor(f"{name}.scales").astype(np.float32))
        return (data.view(len(data), -1, BLOCK) * scales[..., None]).view(data.shape)


@torch.no_grad()
def model(pack: Pack, tokens: Tokens) -> Sight:
    """The network with the pack's weights."""
    out = Sight(Config(tokens.size, tokens.first_location))
    out.smooth.zero_()
    out.table.copy_(pack("decoder.embed")[: tokens.size])
    out.projector.weight.copy_(pack("projector"))
    out.projector.bias.copy_(pack("projector.bias")[0])
    out.norm.weight.copy_(pack("decoder.norm")[0])
    tower = out.tower
    tower.patch.weight.copy_(pack("vision.patch"))
    tower.patch.bias.copy_(pack("vision.patch.bias")[0])
    tower.position.copy_(pack("vision.position"))
    tower.norm.weight.copy_(pack("vision.norm.weight")[0])
    tower.norm.bias.copy_(pack("vision.norm.bias")[0])
    for index, layer in enumerate(tower.layers):
        at = f"vision.{index}"
        for name, linear in (("qkv", layer.qkv), ("out", layer.out), ("fc1", layer.up), ("fc2", layer.down)):
            linear.weight.copy_(pack(f"{at}.{name}"))
            linear.bias.copy_(pack(f"{at}.{name}.bias")[0])
        for name, norm in (("layer_norm1", layer.norm1), ("layer_norm2", layer.norm2)):
            norm.weight.copy_(pack(f"{at}.{name}.weight")[0])
            norm.bias.copy_(pack(f"{at}.{name}.bias")[0])
    for index, layer in enumerate(out.layers):
        at = f"decoder.{index}"
        both = pack(f"{at}.gate_up")
        gate, up = both[0::2], both[1::2]
        for weight, value in ((layer.qkv.weight, pack(f"{at}.qkv")), (layer.out.weight, pack(f"{at}.out")),
                              (layer.gate.weight, gate), (layer.up.weight, up), (layer.down.weight, pack(f"{at}.down")),
                              (layer.norm1.weight, pack(f"{at}.pre_attention_norm")[0]),
                              (layer.norm2.weight, pack(f"{at}.pre_mlp_norm")[0])):
            weight.copy_(value)
    return out


@torch.no_grad()
def codec(pack: Pack) -> Codec:
    """The mask codec with the pack's decoder; its encoder is new, because only training needs one."""
    out = Codec()
    out.codebook.copy_(pack("mask_decoder.codebook"))
    for name, module in out.decoder.named_modules():
        if not isinstance(module, (torch.nn.Conv2d, torch.nn.ConvTranspose2d)):
            continue
        at, shape = f"mask_decoder.decoder.{name}", module.weight.shape
        rows = pack(at)
        # Rows of a transposed convolution hold one input each; all rows are padded to whole blocks.
        rows = rows.T if isinstance(module, torch.nn.ConvTranspose2d) else rows[:, : shape[1:].numel()]
        module.weight.copy_(rows.reshape(shape))
        module.bias.copy_(pack(f"{at}.bias")[0][: len(module.bias)])
    return out


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--keep-codec", action="store_true")
    arguments = parser.parse_args()
    # Ids are the pack's: a tokenizer that is built again may number its pieces otherwise.
    FILE.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(PACK / "tokenizer.json", FILE)
    tokens, pack = Tokens(), Pack()
    both = torch.nn.ModuleDict({"model": model(pack, tokens)})
    both["dense"] = Dense(both["model"], tokens)
    weights = both.state_dict()
    save({"minutes": 0.0, "taught": True, "seen": 0, "weights": weights, "average": weights})
    if not arguments.keep_codec:
        torch.save(codec(pack).state_dict(), CODEC)


if __name__ == "__main__":
    main()
