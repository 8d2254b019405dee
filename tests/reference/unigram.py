"""Trains two small Unigram tokenizers and writes them as T5's, mT5's and SigLIP's are published, with goldens of their classes.

    python unigram.py            # into ../goldens/tokenizer-unigram

`t5` is of English with a charsmap of nmt_nfkc; `mt5` is of many scripts, with the 256 byte pieces that mT5's vocabulary has.
"""

import io
import json
import random
import string
import tempfile
from pathlib import Path

import sentencepiece
import tokenizers
import transformers
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import SiglipTokenizer, Siglip2Tokenizer, T5Tokenizer
from transformers.convert_slow_tokenizer import import_protobuf

from tiny_tokenizer import CORPUS

HERE = Path(__file__).parent
GOLDENS = HERE.parent / "goldens"
TO = GOLDENS / "tokenizer-unigram"
LENGTH = 32
SPACE = "\u2581"

ENGLISH = CORPUS.lower() + "a photo of a cat\nthis is a photo of two dogs\na bad photo of the origami horse\n" * 4
WORLD = ENGLISH + """
кот лежит на сером одеяле и смотрит в камеру
γάτα πάνω στην κουβέρτα και σκύλος
猫が毛布の上にいる、犬は庭で走る
一只猫躺在灰色的毯子上，两只狗在海滩上奔跑
고양이가 담요 위에 누워 있다
قطة مستلقية على بطانية رمادية
חתול שוכב על שמיכה אפורה
एक बिल्ली कंबल पर लेटी है
แมวนอนอยู่บนผ้าห่มสีเทา
ein Käfer läuft über die Straße
çok güzel bir kedi
🐱 🐶 👍 ❤
""" * 3


def train(name, corpus, pieces, **kinds):
    """A SentencePiece model with T5's special ids."""
    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(line for line in corpus.splitlines() if line),
        model_writer=out,
        model_type="unigram",
        vocab_size=pieces,
        hard_vocab_limit=False,
        normalization_rule_name="nmt_nfkc",
        pad_id=0,
        eos_id=1,
        unk_id=2,
        bos_id=-1,
        num_threads=1,
        minloglevel=2,
        **kinds,
    )
    return out.getvalue()


def special(tok, contents, strips):
    tok.add_special_tokens([tokenizers.AddedToken(c, normalized=False, special=True, lstrip=strips, rstrip=strips) for c in contents])


def converted(model):
    """As transformers' SpmConverter writes them: the text as a whole, spaces collapsed by the normalizer."""
    proto = import_protobuf().ModelProto.FromString(model)
    tok = Tokenizer(models.Unigram([(p.piece, p.score) for p in proto.pieces], proto.trainer_spec.unk_id, False))
    tok.normalizer = normalizers.Sequence(
        [
            normalizers.Precompiled(proto.normalizer_spec.precompiled_charsmap),
            normalizers.Strip(left=False, right=True),
            normalizers.Replace(Regex(" {2,}"), SPACE),
        ]
    )
    tok.pre_tokenizer = pre_tokenizers.Metaspace(replacement=SPACE, prepend_scheme="always")
    tok.decoder = decoders.Metaspace(replacement=SPACE, prepend_scheme="always")
    special(tok, ["<pad>", "</s>", "<unk>"], False)
    return tok


def texts(seed):
    """300 texts: labels as people write them, and what they do not."""
    random.seed(seed)
    words = [w for line in WORLD.splitlines() for w in line.split()]
    odd = ["é", "e\u0301", "Ａ", "ﬁ", "™", "½", "İ", "Σ", "ΟΔΟΣ", "ß", "ẞ", "Ǆ", "！", "。", "…", "ⅷ", "㌀", "\u00ad", "\u200d", "👩‍🚀", "🇫🇷", "ำ", "क़", "ヴ", "ｶﾞ", "\t", "\n", "\u00a0", "\u3000", "\u2028", "\u0000", "\u0007", "\ufeff", "\u200b", SPACE, "ő", "þ", "ж́", "\U0001d400"]
    made = ["", " ", "  ", ".", "...", "a", "A", "This is a photo of a cat.", "a photo of 2 cats", "a photo of 2 dogs", "itap of a cat.", "a {} in a video game", "don't", "cat;dog", "CAT", "  The   Cat  ", "the\tcat\nthe dog", string.punctuation, "x" * 70, "naïve façade", "\u00c5ngstr\u00f6m", "a_b-c", "http://a.b/c?d=e&f=g", "猫", "кот", "ΣΊΣΥΦΟΣ ΟΔΟΣ", "İstanbul"]
    while len(made) < 300:
        parts = []
        for _ in range(random.randint(1, 14)):
            kind = random.random()
            word = random.choice(words) if kind < 0.7 else random.choice(odd) if kind < 0.9 else random.choice(string.punctuation)
            word = random.choice([word, word.upper(), word.capitalize(), word])
            parts.append(word + random.choice(["", " ", " ", " ", "  ", ", "]))
        made.append("".join(parts))
    return made


def write(name, **what):
    (TO / f"{name}.json").write_text(json.dumps(what, ensure_ascii=False, indent=None) + "\n")


def cases(tok, texts):
    for text in texts:
        ids = tok(text, padding="max_length", max_length=LENGTH, truncation=True)["input_ids"]
        yield {"text": text, "ids": ids, "cut": len(tok(text, verbose=False)["input_ids"]) > LENGTH}


def golden(name, tok, special, **what):
    """What a class makes of texts, and of some with special tokens in them."""
    odd = [text.replace("_", special) for text in ["_", "a_b", "a _ b", "the cat_", "_the cat", "_ _", "A Cat. _ The Dog!", "a__b"]]
    write(name, length=LENGTH, cases=[*cases(tok, texts(name))], special=[*cases(tok, odd)], **what)


def save(name, tok, charsmap):
    """A tokenizer.json; the charsmap, which all have, lies in one of them."""
    made = json.loads(tok.to_str())
    parts = made["normalizer"].get("normalizers", [made["normalizer"]])
    assert parts[0]["type"] == "Precompiled" and len(parts[0]["precompiled_charsmap"]) > 1000
    if not charsmap:
        parts[0]["precompiled_charsmap"] = "t5"
    write(f"{name}.tokenizer", **made)


def main():
    TO.mkdir(exist_ok=True)
    versions = {m.__name__: m.__version__ for m in (sentencepiece, tokenizers, transformers)}
    print(versions)
    english = train("t5", ENGLISH, 400)
    world = train("mt5", WORLD, 700, byte_fallback=True, character_coverage=1.0)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        (folder / "spiece.model").write_bytes(english)
        # As transformers 5 makes them of SentencePiece's file; the second one is what the command makes that ocelli tells.
        save("t5", T5Tokenizer.from_pretrained(folder, extra_ids=10).backend_tokenizer, True)
        save("siglip", T5Tokenizer.from_pretrained(folder, extra_ids=0).backend_tokenizer, False)
        golden("siglip", SiglipTokenizer(str(folder / "spiece.model"), model_max_length=LENGTH), "</s>", versions=versions)
    save("mt5", converted(world), False)
    siglip2 = Siglip2Tokenizer.from_pretrained(GOLDENS / "pg1-hd16", padding_side="right")
    # What the published files have: no <bos>, an <eos>.
    siglip2.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="$A <eos>", special_tokens=[("<eos>", siglip2.eos_token_id)]
    )
    golden("siglip2", siglip2, "<eos>", versions=versions)


if __name__ == "__main__":
    main()
