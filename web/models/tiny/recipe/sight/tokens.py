"""A small tokenizer of Gemma's build: BPE over `▁` for spaces, byte fallback, PaliGemma's added tokens."""

import functools
import json
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, trainers

from .colours import COLOURS
from .nouns import CANDIDATES
from .paths import WORK
from .tasks import NUMBERS
from .words import LETTERS, dictionary

FILE = WORK / "tokenizer.json"
WORDS = (
    "caption describe answer ocr detect segment en a an and the word words photo of at in on top bottom left right middle"
    " background above below what is this there how many things are which colour where it these picture in yes no color"
    " of to with image thing shown read text label say does do see can you object objects something anything"
).split()
PUNCTUATION = " ?.,;:!'\"-()&/%+".replace(" ", "▁")


def every_word() -> list[str]:
    """Words that are one token each, with and without a space before them."""
    plurals = [plural for plural, _, _ in CANDIDATES.values()]
    return sorted({*CANDIDATES, *plurals, *COLOURS, *NUMBERS, *WORDS, ";"})


def build() -> None:
    """Writes `tokenizer.json`."""
    words = every_word()
    common = dictionary(False) + dictionary(True)
    alphabet = sorted(set(LETTERS + LETTERS.upper() + "0123456789" + PUNCTUATION))
    corpus = [form for word in words for form in (word, "▁" + word)] * 40 + ["▁" + word for word in common]
    for size in range(800, 6000, 100):
        tokenizer = Tokenizer(models.BPE())
        trainer = trainers.BpeTrainer(vocab_size=size, initial_alphabet=alphabet, show_progress=False, min_frequency=40)
        tokenizer.train_from_iterator(corpus, trainer)
        if all(len(tokenizer.encode(form).ids) == 1 for word in words for form in (word, "▁" + word)):
            break
    trained = json.loads(tokenizer.to_str())["model"]
    pieces = ["<pad>", "<eos>", "<bos>", "<unk>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    pieces += sorted(trained["vocab"], key=trained["vocab"].get)
    model = models.BPE(
        vocab={piece: index for index, piece in enumerate(pieces)},
        merges=[tuple(pair) for pair in trained["merges"]],
        unk_token="<unk>", fuse_unk=True, byte_fallback=True,
    )
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in pieces[:4]])
    tokenizer.add_tokens([AddedToken("\n", normalized=False)])
    tokenizer.add_tokens([AddedToken(f"<loc{n:04}>", normalized=False) for n in range(1024)])
    tokenizer.add_tokens([AddedToken(f"<seg{n:03}>", normalized=False) for n in range(128)])
    tokenizer.add_special_tokens([AddedToken("<image>", normalized=False, special=True)])
    FILE.parent.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(FILE))
    print(f"{tokenizer.get_vocab_size()} tokens, {FILE.stat().st_size} bytes")


class Tokens:
    """Prompts and answers as ids, the way the runtime makes them."""

    def __init__(self, file: Path = FILE) -> None:
        self.tokenizer = Tokenizer.from_file(str(file))
        get = self.tokenizer.token_to_id
        self.pad, self.eos, self.bos, self.image = (get(token) for token in ("<pad>", "<eos>", "<bos>", "<image>"))
        self.newline = get("\n")
        self.first_location, self.first_segment = get("<loc0000>"), get("<seg000>")
        # A multiple of 32 keeps blocks of quantised rows whole.
        self.size = -(-self.tokenizer.get_vocab_size() // 32) * 32
        self.spelled = {piece: get(piece) for piece in LETTERS + LETTERS.upper() + "0123456789▁"}

    @functools.lru_cache(maxsize=100_000)
    def text(self, text: str) -> tuple[int, ...]:
        return tuple(self.tokenizer.encode(text, add_special_tokens=False).ids)

    def prefix(self, text: str) -> list[int]:
        return [self.bos, *self.text(text), self.newline]

    def suffix(self, text: str) -> list[int]:
        """An answer; the space between `;` and the next box is left out, as the parser needs none."""
        return [*self.text(text.replace("; <", ";<")), self.eos]

    def letters(self, text: str) -> list[int]:
        """A read text, letter by letter: what is printed need not be a word."""
        return [*(self.spelled[letter] for letter in text.replace(" ", "▁")), self.eos]

    def decode(self, ids: list[int]) -> str:
        return self.tokenizer.decode(ids, skip_special_tokens=True)


if __name__ == "__main__":
    build()
