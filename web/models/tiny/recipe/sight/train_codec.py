"""Trains the mask codec on the alpha of the library's drawings.

    python -m sight.train_codec --steps 4000
"""

import argparse
import os

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from .masks import CODES, WIDTH, Codec
from .paths import CODEC
from .scenes import Composer


def some_masks(composer: Composer, count: int) -> torch.Tensor:
    """Masks `[count, 1, 64, 64]` of things at the sizes that scenes have, cropped to their boxes; some cut by others."""
    rng, masks = composer.rng, []
    while len(masks) < count:
        noun = composer.nouns[rng.integers(len(composer.nouns))]
        warped, _ = composer.varied(composer.cut_out(noun), rng.uniform(30, 112))
        alpha = warped[..., 3] / 255
        rows, columns = np.nonzero((alpha > 0.3).any(1))[0], np.nonzero((alpha > 0.3).any(0))[0]
        if len(rows) < 8 or len(columns) < 8:
            continue
        alpha = alpha[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        if rng.random() < 0.08:
            height, width = alpha.shape
            centre = (int(rng.integers(width)), int(rng.integers(height)))
            hole = cv2.circle(np.zeros_like(alpha), centre, int(rng.integers(4, max(5, width // 2))), 1.0, -1)
            alpha = alpha * (1 - hole)
        masks.append(cv2.resize(alpha, (64, 64), interpolation=cv2.INTER_AREA))
    return torch.from_numpy(np.stack(masks).astype(np.float32))[:, None]


def overlap_of(drawn: torch.Tensor, masks: torch.Tensor) -> float:
    """Mean of what drawn masks, of -1..1, and masks of 0..1 share over what they cover together."""
    one, other = drawn > 0, masks > 0.5
    return float(((one & other).sum((1, 2, 3)) / (one | other).sum((1, 2, 3)).clamp(1)).mean())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--batch", type=int, default=64)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(3)
    cv2.setNumThreads(1)
    composer = Composer(False, 77)
    codec = Codec()
    weights = [p for name, p in codec.named_parameters() if name != "codebook"]
    optimizer = torch.optim.AdamW(weights, lr=1e-3, weight_decay=1e-4)
    with torch.no_grad():
        found = codec.encoder(2 * some_masks(composer, 64) - 1).permute(0, 2, 3, 1).reshape(-1, WIDTH)
        codec.codebook.copy_(found[torch.randperm(len(found))[:CODES]])
    counts, sums = torch.ones(CODES), codec.codebook.detach().clone()
    overlap = 0.0
    for step in range(1, arguments.steps + 1):
        for group in optimizer.param_groups:
            group["lr"] = 1e-3 * min(1, step / 100, (arguments.steps - step + 1) / (0.4 * arguments.steps))
        masks = some_masks(composer, arguments.batch)
        found = codec.encoder(2 * masks - 1)
        codes = codec.nearest(found.detach())
        flat = found.permute(0, 2, 3, 1).reshape(-1, WIDTH)
        chosen = F.embedding(codes.flatten(), codec.codebook.detach())
        through = flat + (chosen - flat).detach()
        drawn = codec.decoder(through.view(-1, 4, 4, WIDTH).permute(0, 3, 1, 2))
        loss = F.mse_loss(drawn, 2 * masks - 1) + 0.25 * F.mse_loss(flat, chosen)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        with torch.no_grad():
            # The codebook follows the mean of what chose each code; a code that nothing chooses starts anew.
            hits = torch.zeros(CODES).index_add(0, codes.flatten(), torch.ones(codes.numel()))
            counts.mul_(0.97).add_(hits, alpha=0.03)
            sums.mul_(0.97).add_(torch.zeros(CODES, WIDTH).index_add(0, codes.flatten(), flat.detach()), alpha=0.03)
            if step < 0.7 * arguments.steps:
                for dead in (counts < 0.05).nonzero().flatten():
                    sums[dead], counts[dead] = flat[torch.randint(len(flat), ())].detach(), 1.0
            codec.codebook.copy_(sums / counts[:, None].clamp(1e-5))
            overlap = 0.98 * overlap + 0.02 * overlap_of(drawn, masks)
        if step % 100 == 0:
            print(f"{step} loss {float(loss):.4f} overlap {overlap / (1 - 0.98**step):.3f} codes used {int((hits > 0).sum())}", flush=True)
        if step % 500 == 0 or step == arguments.steps:
            torch.save(codec.state_dict(), CODEC.with_suffix(".new"))
            if step == arguments.steps:
                os.replace(CODEC.with_suffix(".new"), CODEC)


if __name__ == "__main__":
    main()
