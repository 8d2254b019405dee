"""Where training begins: patches as whitened principal components, places as waves."""

import math

import torch

from .model import Sight
from .scenes import Composer


@torch.no_grad()
def prepare(model: Sight, composer: Composer, scenes: int = 1500) -> None:
    """Sets the tower's first layer and its positions.

    Pixels of a patch are nearly all brightness, so a random projection of them shows little else; the whitened
    components show shapes and edges at once. Positions begin as waves along both axes, by which places can be compared.
    """
    pictures = torch.stack([torch.from_numpy(composer.scene().picture) for _ in range(scenes)])
    patches = model.patches(pictures).flatten(0, 1).double()
    mean = patches.mean(0)
    values, vectors = torch.linalg.eigh((patches - mean).T @ (patches - mean) / len(patches))
    width = model.config.tower_width
    values, vectors = values.flip(0)[:width], vectors.flip(1)[:, :width]
    # The last components are noise more than shape: they are raised less.
    weight = (vectors / (values + 0.002 * values[0]).sqrt()).T
    model.tower.patch.weight.copy_(weight)
    model.tower.patch.bias.copy_(-weight @ mean)
    grid = model.config.size // model.config.patch
    places = (torch.arange(grid) + 0.5) / grid
    waves = torch.cos(math.pi * places[:, None] * torch.arange(1, width // 2 + 1) / 4)
    y, x = torch.meshgrid(torch.arange(grid), torch.arange(grid), indexing="ij")
    model.tower.position.copy_(0.4 * torch.cat([waves[y.flatten()], waves[x.flatten()]], 1))


@torch.no_grad()
def prepare_decoder(model: Sight) -> None:
    """Sets the decoder's attention so that like looks at like, and hands on what it sees.

    Dense labels have given patches the directions of their nouns' embeddings. With queries equal to keys, a noun in a
    prompt looks at its patches from the first step; with an output that undoes the values, an answer can name what it
    looks at. Everything else about attention is learnt.
    """
    config = model.config
    head, rows = config.head_dim, config.heads * config.head_dim
    for index, layer in enumerate(model.layers):
        weight = layer.qkv.weight
        like = torch.linalg.qr(torch.randn(config.width, head))[0].T.to(weight.device)
        handed = torch.linalg.qr(torch.randn(config.width, head))[0].T.to(weight.device)
        for other in range(config.heads // 2 if index < config.layers - 1 else 1):
            weight[other * head : (other + 1) * head] = like + 0.2 * weight[other * head : (other + 1) * head]
        weight[rows : rows + head] = like + 0.2 * weight[rows : rows + head]
        weight[rows + head : rows + 2 * head] = handed
        layer.out.weight.mul_(0.3).add_(0.35 * handed.T.repeat(1, config.heads))
