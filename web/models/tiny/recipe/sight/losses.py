"""What training minimises: dense labels for the tower, the next token for the whole."""

import pickle

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .model import Sight
from .nouns import NOUNS
from .patches import IGNORED, PLACES, SYMBOLS
from .paths import MORE, TRAITS
from .tokens import Tokens

# A location's neighbours count as nearly right: 8 bins are one pixel.
REACH, SPREAD = 20, 7.0


def near(logits: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy of `[n, 1024]` against bins `[n]`, shared with their neighbours."""
    offsets = torch.arange(-REACH, REACH + 1, device=targets.device)
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
        noun_ids = torch.tensor([tokens.text("a " + noun)[-1] for noun in NOUNS])
        self.register_buffer("noun_ids", noun_ids, persistent=False)
        # The background is everywhere, and so are places without letters.
        for name, count, rare in (("noun_weights", len(NOUNS) + 1, 0.2), ("letter_weights", len(SYMBOLS) + 1, 0.3)):
            self.register_buffer(name, torch.cat([torch.tensor([rare]), torch.ones(count - 1)]), persistent=False)
        seen = pickle.loads(TRAITS.read_bytes())
        taught = np.concatenate([np.stack(list(seen["library"].values())), seen["more"]]).astype(np.float32)
        self.register_buffer("taught", torch.from_numpy(taught), persistent=False)
        self.first = tokens.first_location
        self.background = nn.Parameter(torch.zeros(width))
        self.edges = nn.Linear(width, 4 * width)
        self.letters = nn.Linear(width, PLACES * (len(SYMBOLS) + 1))
        self.traits = nn.Linear(width, taught.shape[1])
        self.words = nn.Linear(width, len(pickle.loads(MORE.read_bytes())["words"]))

    def forward(self, features: Tensor, table: Tensor, labels: dict[str, Tensor], scored: int) -> dict[str, Tensor]:
        """Losses by what they teach, each a mean over `scored` patches of every picture; `labels` are those of `Batch`."""
        count, patches = features.shape[:2]
        if scored < patches:
            at = torch.arange(count, device=features.device)[:, None], torch.rand(count, patches, device=features.device).argsort(1)[:, :scored]
            features, labels = features[at], {name: part[at] for name, part in labels.items()}
        features = features.flatten(0, 1)
        x = features.float()
        nouns, words = labels["nouns"].flatten().long(), labels["words"].flatten().long()
        rows = torch.cat([self.background[None], table[self.noun_ids]])
        losses = {"noun": F.cross_entropy(x @ rows.T, nouns, self.noun_weights, ignore_index=IGNORED)}
        worded = words != IGNORED
        losses["word"] = F.cross_entropy(self.words(features[worded]).float(), words[worded])
        traits = labels["traits"].flatten().long()
        told = traits >= 0
        losses["trait"] = 1 - F.cosine_similarity(self.traits(features[told]).float(), self.taught[traits[told]]).mean()
        boxes = labels["boxes"].flatten(0, 1)
        covered = ((nouns > 0) | worded) & (boxes[:, 2] > 0)
        places = (boxes[covered] * 1023).round().long().clamp(0, 1023)
        queries = self.edges(features[covered]).view(-1, features.shape[-1])
        losses["edge"] = near(queries.float() @ table[self.first : self.first + 1024].T, places.flatten()).mean()
        printed = labels["letters"].flatten(0, 1).long()
        # Pictures without words teach nothing about letters after a while, and cost as much.
        some = (printed > 0).any(1) | (torch.rand(len(printed), device=x.device) < 0.06)
        scored = self.letters(features[some]).view(-1, len(self.letter_weights)).float()
        losses["letter"] = F.cross_entropy(scored, printed[some].flatten(), self.letter_weights)
        with torch.no_grad():
            seen = nouns > 0
            right = (x[seen] @ rows.T).argmax(1) == nouns[seen]
            losses["noun right"] = right.float().mean()
            written = printed[some].flatten()
            losses["letter right"] = (scored.argmax(1) == written)[written > 0].float().mean()
        return losses


def next_token(logits: Tensor, targets: Tensor, first: int) -> Tensor:
    """Cross-entropy `[n]` of `[n, vocabulary]` against ids `[n]`, gentle on locations."""
    losses = F.cross_entropy(logits.float(), targets, reduction="none")
    located = (targets >= first) & (targets < first + 1024)
    chosen = logits[located].float()
    among = near(chosen[:, first : first + 1024], targets[located] - first)
    # That it is a location at all is learnt apart from which.
    kind = torch.logsumexp(chosen, 1) - torch.logsumexp(chosen[:, first : first + 1024], 1)
    return losses.masked_scatter(located, among + kind)
