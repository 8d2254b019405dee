"""PaliGemma's architecture at a small size, lean enough to train on two cores; `export` writes it for transformers."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass
class Config:
    """Sizes of the tower and of the decoder."""

    vocabulary: int
    first_location: int
    size: int = 128
    patch: int = 16
    tower_width: int = 256
    tower_layers: int = 6
    tower_heads: int = 4
    tower_mlp: int = 1024
    # The share of pictures that pass by the last block of the tower in training; by those before it fewer do.
    passed_by: float = 0.1
    width: int = 256
    layers: int = 4
    heads: int = 4
    kv_heads: int = 1
    head_dim: int = 64
    mlp: int = 1024

    @property
    def patches(self) -> int:
        return (self.size // self.patch) ** 2


def gelu(x: Tensor) -> Tensor:
    return F.gelu(x, approximate="tanh")


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
    """Attention spelled out on a CPU: with so few tokens four times as fast there, both ways, as the fused one."""
    if q.is_cuda:
        if q.ndim == 4:
            return F.scaled_dot_product_attention(q, k, v, mask)
        k, v = (part.expand(*q.shape[:3], -1, -1).flatten(1, 2) for part in (k, v))
        return F.scaled_dot_product_attention(q.flatten(1, 2), k, v, None if mask is None else mask.flatten(1, 2)).view(q.shape)
    scores = (q * q.shape[-1] ** -0.5) @ k.mT
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf)
    return torch.softmax(scores, -1).to(v.dtype) @ v


class TowerLayer(nn.Module):
    """A pre-norm block of SigLIP; in training, a share of the pictures passes by each of its halves."""

    def __init__(self, config: Config, passed_by: float) -> None:
        super().__init__()
        width = config.tower_width
        self.passed_by = passed_by
        self.heads = config.tower_heads
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.up = nn.Linear(width, config.tower_mlp)
        self.down = nn.Linear(config.tower_mlp, width)

    def forward(self, x: Tensor) -> Tensor:
        batch, tokens, width = x.shape
        qkv = self.qkv(self.norm1(x)).view(batch, tokens, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        seen = attend(q, k, v)
        x = x + self.some(self.out(seen.transpose(1, 2).reshape(batch, tokens, width)))
        return x + self.some(self.down(gelu(self.up(self.norm2(x)))))

    def some(self, change: Tensor) -> Tensor:
        if not self.training:
            return change
        kept = (torch.rand(len(change), 1, 1, device=change.device) >= self.passed_by).to(change.dtype)
        return change * (kept / (1 - self.passed_by))


class Tower(nn.Module):
    """SigLIP without a head: `[batch, patches, 3 * patch * patch]` in, `[batch, patches, tower_width]` out."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.patch = nn.Linear(3 * config.patch**2, config.tower_width)
        self.position = nn.Parameter(torch.randn(config.patches, config.tower_width) * 0.02)
        self.layers = nn.ModuleList(
            TowerLayer(config, config.passed_by * index / config.tower_layers) for index in range(config.tower_layers)
        )
        self.norm = nn.LayerNorm(config.tower_width, eps=1e-6)

    def forward(self, patches: Tensor) -> Tensor:
        x = self.patch(patches) + self.position
        for layer in self.layers:
            x = layer(x)
        return self.norm(x)


class RmsNorm(nn.Module):
    """Gemma's: the weight is what is added to one."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:
        x = x.float()
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * (1 + self.weight)


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    one, two = x.chunk(2, -1)
    return x * cos + torch.cat([-two, one], -1) * sin


class DecoderLayer(nn.Module):
    """A block of Gemma 1."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        width, head = config.width, config.head_dim
        self.norm1 = RmsNorm(width)
        self.qkv = nn.Linear(width, (config.heads + 2 * config.kv_heads) * head, bias=False)
        self.out = nn.Linear(config.heads * head, width, bias=False)
        self.norm2 = RmsNorm(width)
        self.gate = nn.Linear(width, config.mlp, bias=False)
        self.up = nn.Linear(width, config.mlp, bias=False)
        self.down = nn.Linear(config.mlp, width, bias=False)

    def forward(
        self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor | None, cache: list | None = None, skip: int = 0
    ) -> Tensor:
        """The first `skip` tokens are only looked at: nothing comes out for them."""
        config = self.config
        batch, tokens, _ = x.shape
        y = self.norm1(x)
        rows = config.heads * config.head_dim
        q = F.linear(y[:, skip:], self.qkv.weight[:rows]).view(batch, tokens - skip, -1, config.head_dim).transpose(1, 2)
        kv = F.linear(y, self.qkv.weight[rows:]).view(batch, tokens, -1, config.head_dim).transpose(1, 2)
        k, v = kv.chunk(2, 1)
        q, k = rotate(q, cos[..., skip:, :], sin[..., skip:, :]), rotate(k, cos, sin)
        if cache is not None:
            if cache:
                k, v = torch.cat([cache[0], k], 2), torch.cat([cache[1], v], 2)
            cache[:] = [k, v]
        q = q.to(v.dtype).view(batch, config.kv_heads, -1, tokens - skip, config.head_dim)
        seen = attend(q, k.to(v.dtype)[:, :, None], v[:, :, None], None if mask is None else mask[:, None, None, skip:])
        seen = seen.view(batch, config.heads, tokens - skip, -1).transpose(1, 2)
        x = x[:, skip:] + self.out(seen.reshape(batch, tokens - skip, -1))
        y = self.norm2(x)
        return x + self.down(gelu(self.gate(y)) * self.up(y))


class Sight(nn.Module):
    """Tower, projector and decoder with tied embeddings."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.tower = Tower(config)
        self.projector = nn.Linear(config.tower_width, config.width)
        self.table = nn.Parameter(torch.randn(config.vocabulary, config.width) / math.sqrt(config.width))
        # Neighbouring locations begin alike: each row is a smooth function of its place plus what it learns alone.
        places = (torch.arange(1024) + 0.5) / 1024
        waves = torch.cos(math.pi * places[:, None] * torch.arange(40)) / math.sqrt(20)
        self.register_buffer("waves", waves, persistent=False)
        self.smooth = nn.Parameter(torch.randn(40, config.width) / math.sqrt(config.width))
        with torch.no_grad():
            self.table[config.first_location : config.first_location + 1024] = 0
        self.layers = nn.ModuleList(DecoderLayer(config) for _ in range(config.layers))
        self.norm = RmsNorm(config.width)
        frequencies = 10_000.0 ** (-torch.arange(0, config.head_dim, 2) / config.head_dim)
        angles = torch.arange(512)[:, None] * frequencies
        angles = torch.cat([angles, angles], -1)
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=1 / math.sqrt(module.in_features))
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        for block, depth in ((self.tower.layers, config.tower_layers), (self.layers, config.layers)):
            for layer in block:
                for linear in (layer.out, layer.down):
                    linear.weight.data /= math.sqrt(2 * depth)

    def embeddings(self) -> Tensor:
        """The tied table `[vocabulary, width]`."""
        first = self.config.first_location
        locations = self.table[first : first + 1024] + self.waves @ self.smooth
        return torch.cat([self.table[:first], locations, self.table[first + 1024 :]])

    def patches(self, pictures: Tensor) -> Tensor:
        """`[batch, size, size, 3]` in 0..255 to `[batch, patches, 3 * patch * patch]` in -1..1, in the order of a convolution."""
        batch, size, patch = len(pictures), self.config.size, self.config.patch
        grid = size // patch
        x = pictures.float() / 127.5 - 1
        x = x.view(batch, grid, patch, grid, patch, 3).permute(0, 1, 3, 5, 2, 4)
        return x.reshape(batch, grid * grid, -1)

    def look(self, pictures: Tensor) -> Tensor:
        """Picture features `[batch, patches, width]` as the decoder gets them."""
        return self.projector(self.tower(self.patches(pictures)))

    def read(self, x: Tensor, start: int, caches: list) -> Tensor:
        """Runs the decoder over embeddings `[batch, tokens, width]` whose first stands at `start`; all see all before."""
        cos, sin = self.cos[start : start + x.shape[1]], self.sin[start : start + x.shape[1]]
        for layer, cache in zip(self.layers, caches):
            x = layer(x, cos, sin, None, cache)
        return self.norm(x)

    def answer(self, features: Tensor, ids: Tensor, positions: Tensor, mask: Tensor, table: Tensor) -> Tensor:
        """Hidden states `[rows, text, width]` of the text after the patches; see `rows.Rows`."""
        text = F.embedding(ids, table) * math.sqrt(self.config.width)
        x = torch.cat([features.float(), text.float()], 1)
        cos, sin = self.cos[positions][:, None], self.sin[positions][:, None]
        for layer in self.layers:
            x = layer(x, cos, sin, mask, skip=self.config.patches if layer is self.layers[-1] else 0)
        return self.norm(x)
