"""What training minimises: dense labels for the tower, the next token for the whole."""

import pickle

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .model import Sight
from .nouns import NOUNS
from .patches import IGNORED, PLACES, SYMBOLS, TRAITS
from .paths import MORE
from .tokens import Tokens

# A location's neighbours count as nearly right: 8 bins are one pixel.
REACH, SPREAD = 20, 7.0


def near(logits: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy of `[n, 1024]` against bins `[n]`, shared with their neighbours."""
    offsets = torch.arange(-REACH, REACH + 1)
    weights = torch.exp(-0.5 * (offsets / SPREAD) ** 2)
    places = targets[:, None] + offsets
    weights = weights * ((places >= 0) & (places < 1024))
    weights = weights / weights.sum(1, keepdim=True)
    picked = torch.log_softmax(logits.float(), -1).gather(1, places.clamp(0, 1023))
    return -(picked * weights).sum(1)


class Dense(nn.Module):
    """Labels of patches, scored against the tokens' own embeddings so that words and places share a space."""

    def __init__(self, model: Sight, tokens: Tokens) -> None:
        super().__init__()
        width = model.config.width
        self.noun_ids = torch.tensor([tokens.text("a " + noun)[-1] for noun in NOUNS])
        self.first = tokens.first_location
        self.background = nn.Parameter(torch.zeros(width))
        self.edges = nn.Linear(width, 4 * width)
        self.letters = nn.Linear(width, PLACES * (len(SYMBOLS) + 1))
        self.traits = nn.Linear(width, TRAITS)
        self.words = nn.Linear(width, len(pickle.loads(MORE.read_bytes())["words"]))

    def forward(
        self, features: Tensor, table: Tensor, nouns: Tensor, boxes: Tensor, words: Tensor, traits: Tensor, letters: Tensor
    ) -> dict[str, Tensor]:
        x = features.float().flatten(0, 1)
        labels = nouns.flatten()
        rows = torch.cat([self.background[None], table[self.noun_ids]])
        weights = torch.ones(len(rows))
        weights[0] = 0.2
        losses = {"noun": F.cross_entropy(x @ rows.T, labels, weights, ignore_index=IGNORED)}
        worded = words.flatten() != IGNORED
        losses["word"] = F.cross_entropy(self.words(features.flatten(0, 1)[worded]).float(), words.flatten()[worded])
        taught = traits.flatten(0, 1)
        told = (taught != 0).any(1)
        losses["trait"] = 1 - F.cosine_similarity(self.traits(features.flatten(0, 1)[told]).float(), taught[told].float()).mean()
        covered = ((labels > 0) | worded) & (boxes.flatten(0, 1)[:, 2] > 0)
        places = (boxes.flatten(0, 1)[covered] * 1023).round().long().clamp(0, 1023)
        queries = self.edges(features.flatten(0, 1)[covered]).view(-1, features.shape[-1])
        losses["edge"] = near(queries.float() @ table[self.first : self.first + 1024].T, places.flatten()).mean()
        printed = letters.flatten(0, 1)
        # Pictures without words teach nothing about letters after a while, and cost as much.
        some = (printed > 0).any(1) | (torch.rand(len(printed)) < 0.06)
        scored = self.letters(features.flatten(0, 1)[some]).view(-1, len(SYMBOLS) + 1).float()
        weights = torch.ones(len(SYMBOLS) + 1)
        weights[0] = 0.3
        losses["letter"] = F.cross_entropy(scored, printed[some].flatten(), weights)
        with torch.no_grad():
            seen = labels > 0
            right = (x[seen] @ rows.T).argmax(1) == labels[seen]
            losses["noun right"] = right.float().mean()
            written = printed[some].flatten()
            losses["letter right"] = (scored.argmax(1) == written)[written > 0].float().mean()
        return losses


def next_token(logits: Tensor, targets: Tensor, first: int) -> Tensor:
    """Cross-entropy `[n]` of `[n, vocabulary]` against ids `[n]`, gentle on locations."""
    losses = F.cross_entropy(logits.float(), targets, reduction="none")
    located = (targets >= first) & (targets < first + 1024)
    if located.any():
        chosen = logits[located].float()
        among = near(chosen[:, first : first + 1024], targets[located] - first)
        # That it is a location at all is learnt apart from which.
        kind = torch.logsumexp(chosen, 1) - torch.logsumexp(chosen[:, first : first + 1024], 1)
        losses = losses.masked_scatter(located, among + kind)
    return losses
