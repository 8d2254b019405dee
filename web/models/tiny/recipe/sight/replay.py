"""The pictures made last, kept where training runs: a fast device sees each a few times, each time with another prompt."""

import numpy as np
import torch
from torch import Tensor

from .batches import CODES, Batch
from .masks import Codec


class Replay:
    """A ring of pictures with their labels and prompts; `added` counts all that ever came in, `visited` all that went out."""

    def __init__(self, capacity: int, device: torch.device, rng: np.random.Generator) -> None:
        self.capacity, self.device, self.rng = capacity, device, rng
        self.kept: dict[str, Tensor] = {}
        # Where prompts lie is asked before every step: a copy that needs no waiting for the device.
        self.starts = self.lengths = np.zeros((0, 0))
        self.added = self.visited = 0

    def __len__(self) -> int:
        return min(self.added, self.capacity)

    def add(self, batch: Batch, codec: Codec | None, first_segment: int) -> None:
        """Takes in a batch, whose size has to divide the capacity; what it replaces is the oldest."""
        new = batch.of_pictures()
        size = len(batch.pictures)
        if not self.kept:
            self.kept = {name: torch.empty((self.capacity, *part.shape[1:]), dtype=part.dtype, device=self.device) for name, part in new.items()}
            self.starts, self.lengths = (np.zeros((self.capacity, part.shape[1]), np.int64) for part in (batch.starts, batch.lengths))
        at = self.added % self.capacity
        for name, part in new.items():
            self.kept[name][at : at + size] = part.to(self.device)
        self.starts[at : at + size], self.lengths[at : at + size] = batch.starts.numpy(), batch.lengths.numpy()
        if codec is not None and len(batch.masks):
            with torch.no_grad():
                codes = codec.codes(batch.masks.to(self.device)[:, None].float() / 255) + first_segment
            rows, columns = batch.holes.to(self.device).T
            columns = columns[:, None] + torch.arange(CODES, device=self.device)
            self.kept["ids"][at + rows[:, None], columns] = codes.to(self.kept["ids"].dtype)
        self.added += size

    def sample(self, count: int) -> np.ndarray:
        """Any pictures, as rows of `kept`."""
        self.visited += count
        return self.rng.integers(len(self), size=count)

    def __getitem__(self, name: str) -> Tensor:
        return self.kept[name]
