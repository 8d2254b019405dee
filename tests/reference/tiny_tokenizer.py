"""Trains the small tokenizer that every golden checkpoint shares.

It has the structure of Gemma's tokenizer file: BPE with byte fallback, a normalizer that replaces
" " by "\u2581", no prefix space, no pre-tokenizer, and a post-processor that prepends <bos> when asked
to. Identifiers: <pad> 0, <eos> 1, <bos> 2, <unk> 3, 256 byte tokens, learned pieces, then the PaliGemma
tokens <loc0000>..<loc1023>, <seg000>..<seg127> and <image>.
"""

import json

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

SPECIALS = ["<pad>", "<eos>", "<bos>", "<unk>"]
BYTES = [f"<0x{b:02X}>" for b in range(256)]
LOCATIONS = [f"<loc{i:04}>" for i in range(1024)]
SEGMENTS = [f"<seg{i:03}>" for i in range(128)]
IMAGE = "<image>"
BASE_SIZE = 640

CORPUS = """\
a cat lies on a grey blanket and looks at the camera
the cat has green eyes and striped fur
a cup of coffee stands on a wooden table next to a spoon
a rocket leaves the launch pad at night and lights the clouds
a woman in an orange space suit smiles in front of a flag
two dogs run along the beach while the sun goes down
a red car is parked in front of an old brick building
children play football on the grass behind the school
the train waits at the station and people walk to the doors
a plate with bread, cheese and two tomatoes
where is the cat standing? what colour is the car? how many people are there?
answer en what is on the table
answer en how many dogs are in the picture
caption en
caption fr
caption es
caption de
describe en
cap en
ocr
detect cat ; dog
detect rocket ; cloud
segment car
question en the blanket is grey
un chat est couché sur une couverture grise
une tasse de café est posée sur la table
el niño juega en la playa con una pelota
eine Frau trägt einen orangen Anzug und lächelt
das Flugzeug steht vor dem Gebäude
a small boat sails on the water near the mountain
snow covers the roof of the house and the tall trees
she holds a white umbrella because it is raining
the sign says stop, the traffic light is green
a bird sits on the branch of a tree
three horses stand in a field behind a fence
a man rides a bicycle down the street
the kitchen has a window, a stove and a blue clock
yes no one two three four five left right top bottom

The picture shows a city with many buildings. A river runs through it.
0 1 2 3 4 5 6 7 8 9 10 11 12 20 24 100 2024
"""


def _learned_pieces():
    """Returns (pieces, merges) learned from the corpus; no piece joins two words, as in Gemma."""
    tok = Tokenizer(models.BPE(unk_token="<unk>"))
    tok.normalizer = normalizers.Replace(" ", "\u2581")
    tok.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split("\u2581", "merged_with_next"),
            pre_tokenizers.Split(Regex(r"\n+|[0-9]|[;,.?]"), "isolated"),
        ]
    )
    # More pieces than needed are learned; the vocabulary is cut to length below.
    trainer = trainers.BpeTrainer(vocab_size=2 * BASE_SIZE, min_frequency=1, show_progress=False)
    tok.train_from_iterator([CORPUS, CORPUS.upper()[:400]], trainer)

    model = json.loads(tok.to_str())["model"]
    merges = [tuple(m) for m in model["merges"]]
    made = {a + b for a, b in merges}
    letters = sorted(p for p in model["vocab"] if p not in made)
    return letters, merges


def build():
    """Returns the tokenizer: BASE_SIZE base tokens, then 1024 + 128 + 1 added tokens."""
    letters, merges = _learned_pieces()
    # Gemma has pieces for runs of newlines and runs of spaces; keep two of each kind.
    runs = [("\n", "\n"), ("\u2581", "\u2581"), ("\u2581\u2581", "\u2581\u2581")]
    merges = runs + merges
    vocab = {}
    for piece in SPECIALS + BYTES + letters:
        vocab.setdefault(piece, len(vocab))
    kept = []
    for a, b in merges:
        if len(vocab) < BASE_SIZE and a in vocab and b in vocab:
            vocab.setdefault(a + b, len(vocab))
            kept.append((a, b))
    assert len(vocab) == BASE_SIZE, len(vocab)
    tok = Tokenizer(models.BPE(vocab=vocab, merges=kept, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tok.normalizer = normalizers.Replace(" ", "\u2581")
    tok.decoder = decoders.Sequence(
        [decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    tok.post_processor = processors.TemplateProcessing(
        single="<bos> $A", pair="<bos> $A <bos>:1 $B:1", special_tokens=[("<bos>", vocab["<bos>"])]
    )
    tok.add_special_tokens([AddedToken(s, normalized=False, special=True) for s in SPECIALS])
    # Not special: decoding must keep them, they carry the boxes and masks of an answer.
    tok.add_tokens([AddedToken(s, normalized=False, special=False) for s in LOCATIONS + SEGMENTS])
    tok.add_special_tokens([AddedToken(IMAGE, normalized=False, special=True)])
    assert tok.token_to_id(LOCATIONS[0]) == BASE_SIZE
    assert tok.token_to_id(IMAGE) == BASE_SIZE + 1024 + 128
    return tok


def prompt_ids(tok, prefix, image_tokens):
    """<image> x N, <bos>, the prefix, then a newline that is tokenised on its own."""
    image, bos = tok.token_to_id(IMAGE), tok.token_to_id("<bos>")
    encode = lambda text: tok.encode(text, add_special_tokens=False).ids
    return [image] * image_tokens + [bos] + encode(prefix) + encode("\n")


CASES = [
    "", " ", "  ", "    ", "\n", "\n\n", "\n\n\n", "\t", "a\tb", "\r\n", "\u2581", "a\u2581b",
    "caption en", "caption en\n", "answer en what is on the table\n", "detect cat ; dog\n",
    "segment car\n", "describe en", "ocr\n", "the cat", " the cat", "the cat ", "  the   cat  ",
    "The Cat", "THE CAT", "thecat", "un chat est couché", "café", "cafe\u0301", "niño", "trägt", "lächelt",
    "Straße", "naïve façade", "猫が毛布の上にいる", "一只猫", "고양이", "кот на одеяле", "γάτα", "قطة", "חתול",
    "😀", "a 😀 b", "👩‍🚀", "🇫🇷", "e\u0301\u0302", "\u00a0", "\u200b", "\ufeffa", "\u0000", "a\u0007b",
    "<loc0256>", "<loc0000><loc1023><loc0512><loc0001> cat", "<loc0256> <seg012>", "<loc256>", "<loc 0256>",
    "<loc1024>", "<seg127>", "<seg128>", "<image>", "<image>caption en", "<bos>the cat<eos>", "<pad>", "<unk>",
    "<0x41>", "< bos >", "<BOS>", "2024", "3.14159", "1,000,000", "a;b ; c", "hello, world!", "x" * 70,
    "the cat\nthe dog\n", "\U0010ffff", "ﬁ", "İstanbul", "Ａ", "½", "the cat " * 12,
]


def golden_cases(tok):
    """Returns the JSON rows {text, ids, decoded, decoded_skip_special} for every string of CASES."""
    rows = []
    for text in CASES:
        ids = tok.encode(text, add_special_tokens=False).ids
        rows.append(
            {
                "text": text,
                "ids": ids,
                "decoded": tok.decode(ids, skip_special_tokens=False),
                "decoded_skip_special": tok.decode(ids, skip_special_tokens=True),
            }
        )
    return rows


# Facts about the full-size Gemma tokenizer (which is not stored here) with PaliGemma's added tokens.
GEMMA_STRINGS = [
    "<bos>answer en Where is the cow standing?\n", "caption en\n", "detect cat ; dog\n", "segment car\n",
    "describe en\n", "ocr\n", "caption es\n", "on the beach<eos>",
    "<bos>Where is the cow standing?\non the beach", "\n", "\n\n", "", " ", "  ", "a  b", "\t",
    "<loc0000><loc1023><seg000><seg127><image>", "<loc0256><loc0128><loc0768><loc0512> cat ; <loc0001>",
    "猫が毛布の上にいる", "😀", "👩‍🚀", "cafe\u0301 café", "кот", "answer en how many dogs are in the picture?",
    "\U0010ffff", "3.14159", "x = [1, 2, 3]\n\n    return x",
]


def gemma_cases(path):
    """Returns the same rows for the real Gemma file at `path`, with PaliGemma's tokens added."""
    tok = Tokenizer.from_file(path)
    tok.add_tokens([AddedToken(s, normalized=False, special=False) for s in LOCATIONS + SEGMENTS])
    tok.add_special_tokens([AddedToken(IMAGE, normalized=False, special=True)])
    encode = lambda text: tok.encode(text, add_special_tokens=False).ids
    return [{"text": t, "ids": encode(t), "decoded": tok.decode(encode(t), skip_special_tokens=False)} for t in GEMMA_STRINGS]
