"""Trains a new encoder for the mask codec that `resume` took from the pack: its decoder and its codes stay as they are.

    python -m sight.train_encoder --steps 1500
"""

import argparse

import cv2
import torch
import torch.nn.functional as F

from .masks import WIDTH, load_codec
from .paths import CODEC
from .scenes import Composer
from .train_codec import overlap_of, some_masks


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--batch", type=int, default=64)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(3)
    cv2.setNumThreads(1)
    composer, codec = Composer(False, 78), load_codec().train()
    codec.decoder.requires_grad_(False)
    weights = list(codec.encoder.parameters())
    optimizer = torch.optim.AdamW(weights, lr=1e-3, weight_decay=1e-4)
    overlap = 0.0
    for step in range(1, arguments.steps + 1):
        for group in optimizer.param_groups:
            group["lr"] = 1e-3 * min(1, step / 50, (arguments.steps - step + 1) / (0.4 * arguments.steps))
        masks = some_masks(composer, arguments.batch)
        flat = codec.encoder(2 * masks - 1).permute(0, 2, 3, 1).reshape(-1, WIDTH)
        codes = codec.nearest(flat.detach().view(-1, 4, 4, WIDTH).permute(0, 3, 1, 2))
        chosen = F.embedding(codes.flatten(), codec.codebook.detach())
        # At first what it finds is drawn as it is, so that it learns where the codes lie before it has to choose one.
        through = flat if step < 0.3 * arguments.steps else flat + (chosen - flat).detach()
        drawn = codec.decoder(through.view(-1, 4, 4, WIDTH).permute(0, 3, 1, 2))
        loss = F.mse_loss(drawn, 2 * masks - 1) + 0.25 * F.mse_loss(flat, chosen)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        overlap = 0.98 * overlap + 0.02 * overlap_of(drawn, masks)
        if step % 100 == 0:
            print(f"{step} loss {loss.item():.4f} overlap {overlap / (1 - 0.98**step):.3f} codes used {len(codes.unique())}", flush=True)
    torch.save(codec.state_dict(), CODEC)


if __name__ == "__main__":
    main()
