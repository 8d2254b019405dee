"""Measures the model on scenes made with a held-back seed from held-back drawings, and prints the table.

    python -m sight.evaluate            the evaluation
    python -m sight.evaluate --unseen   the same scenes' kind from emoji styles that were never trained on
    python -m sight.evaluate --dev      the same kind of other scenes, of drawings it was trained on, for decisions while training
"""

import argparse
import json
import re
from collections import defaultdict

import cv2
import numpy as np
import torch

from .generate import Answer, answers
from .masks import load_codec
from .model import Config, Sight
from .nouns import CANDIDATES
from .paths import CHECKPOINT, CODEC, WORK
from .quantise import quantised
from .scenes import SIZE, Composer, Scene
from .tasks import Asked, ask
from .tokens import Tokens

EVALUATION_SEED, DEV_SEED = 20_260_901, 4_711
OBJECT = re.compile(r"<loc(\d{4})><loc(\d{4})><loc(\d{4})><loc(\d{4})>((?:<seg\d{3}>){16})? ?([^<;]*)")


def load_model(tokens: Tokens) -> Sight:
    """The running mean of the trained weights."""
    model = Sight(Config(tokens.size, tokens.first_location))
    state = torch.load(CHECKPOINT, weights_only=True)
    model.load_state_dict({k.removeprefix("model."): v for k, v in state["average"].items() if k.startswith("model.")})
    print(f"checkpoint after {state['minutes']:.1f} minutes, {state['seen']} pictures")
    return model.eval()


def named(text: str) -> set[str]:
    """The nouns that a text names."""
    forms = {form: noun for noun, (plural, _, _) in CANDIDATES.items() for form in (noun, plural)}
    return {forms[word] for word in re.findall(r"[a-z]+", text) if word in forms}


def overlap(one, other) -> float:
    tall = min(one[2], other[2]) - max(one[0], other[0])
    wide = min(one[3], other[3]) - max(one[1], other[1])
    if tall <= 0 or wide <= 0:
        return 0.0
    area = lambda box: (box[2] - box[0]) * (box[3] - box[1])
    return tall * wide / (area(one) + area(other) - tall * wide)


def objects(tokens: Tokens, answer: Answer) -> list[dict]:
    """Boxes in pixels, codes, labels and scores of an answer."""
    text = tokens.tokenizer.decode(answer.ids, skip_special_tokens=True)
    located = [p for i, p in zip(answer.ids, answer.probabilities) if 0 <= i - tokens.first_location < 1024]
    found = []
    for index, match in enumerate(OBJECT.finditer(text)):
        box = [int(match[n]) / 1023 * SIZE for n in range(1, 5)]
        if box[2] <= box[0] or box[3] <= box[1]:
            continue
        codes = [int(n) for n in re.findall(r"<seg(\d{3})>", match[5] or "")]
        score = float(np.prod(located[4 * index : 4 * index + 4]))
        found.append({"box": box, "codes": codes, "label": match[6].strip(), "score": score})
    return found


def average_precision(hits: list[tuple[float, bool]], wanted: int) -> float:
    """Area under precision over recall, with precision made monotone."""
    hits = sorted(hits, key=lambda hit: -hit[0])
    right = np.cumsum([ok for _, ok in hits])
    precision = right / np.arange(1, len(hits) + 1) if hits else np.zeros(0)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    recall = right / wanted if hits else np.zeros(0)
    return float(np.sum(np.diff(np.concatenate([[0], recall])) * precision)) if hits else 0.0


def even_odds(hits: list[tuple[float, bool]]) -> float:
    """The log-probability of a box that is as likely right as wrong: odds are the probability over that of such a one."""
    logs, right = np.log([max(score, 1e-30) for score, _ in hits]), sum(ok for _, ok in hits)
    low, high = -60.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if (1 / (1 + np.exp(middle - logs))).sum() > right else (low, middle)
    return (low + high) / 2


def pasted(drawn: np.ndarray, box) -> np.ndarray:
    top, left, bottom, right = (int(round(edge)) for edge in box)
    out = np.zeros((SIZE, SIZE), bool)
    if bottom > top and right > left:
        sized = cv2.resize(drawn, (right - left, bottom - top), interpolation=cv2.INTER_LINEAR)
        out[top:bottom, left:right] = (sized > 0)[: SIZE - top, : SIZE - left]
    return out


def questions(composer: Composer, count: int) -> tuple[list[Scene], list[tuple[int, Asked]]]:
    """Scenes and one prompt of every task that each can have."""
    scenes, asked = [], []
    for index in range(count):
        scenes.append(composer.with_words() if index % 4 == 3 else composer.photograph() if index % 16 == 6
                      else composer.with_things(1 + index % 4 if index % 8 else 1))
        scene = scenes[-1]
        for task in ("ocr",) if scene.words else ("caption", "answer", "detect", "segment"):
            made = ask(composer.rng, scene, task, absent_share=0.1)
            if made is not None:
                asked.append((index, made))
    return scenes, asked


def score(tokens: Tokens, codec, asked: list[tuple[int, Asked]], given: list[Answer], shown: int) -> dict[str, float]:
    """The rows of the table."""
    true = named_count = wanted_count = 0
    exact, words, hits, wanted_boxes, ious = [], [], [], 0, []
    kinds = defaultdict(list)
    for (_, one), answer in zip(asked, given):
        text = tokens.decode(answer.ids)
        if shown > 0:
            shown -= 1
            print(f"  {one.prefix!r} → {text!r}, expected {one.suffix!r}")
        if one.task == "caption":
            found, expected = named(text), named(one.suffix)
            true, named_count, wanted_count = true + len(found & expected), named_count + len(found), wanted_count + len(expected)
        elif one.task == "answer":
            exact.append(text == one.suffix)
            kinds[" ".join(one.prefix.split()[2:4])].append(text == one.suffix)
        elif one.task == "ocr":
            said = text.split()
            words += [index < len(said) and said[index] == word for index, word in enumerate(one.suffix.split())]
        elif one.task == "detect":
            wanted_boxes += len(one.things)
            left = list(one.things)
            for found in sorted(objects(tokens, answer), key=lambda o: -o["score"]):
                best = max((t for t in left if t.noun == found["label"]), key=lambda t: overlap(t.box, found["box"]), default=None)
                ok = best is not None and overlap(best.box, found["box"]) >= 0.5
                if ok:
                    left = [thing for thing in left if thing is not best]
                hits.append((found["score"], ok))
        elif codec is not None:
            masks = []
            for found in objects(tokens, answer):
                if len(found["codes"]) == 16:
                    with torch.no_grad():
                        drawn = codec.drawn(torch.tensor([found["codes"]]))[0, 0].numpy()
                    masks.append(pasted(drawn, found["box"]))
            for thing in one.things:
                truth = thing.alpha > 0.5
                ious.append(max(((truth & m).sum() / max(1, (truth | m).sum()) for m in masks), default=0.0))
    precision, recall = true / max(1, named_count), true / max(1, wanted_count)
    print("  answers by kind: " + ", ".join(f"{k} {np.mean(v):.2f} ({len(v)})" for k, v in sorted(kinds.items())))
    mean = lambda values: float(np.mean(values)) if values else float("nan")
    if hits:
        print(f"  a box is as likely right as wrong at a log-probability of {even_odds(hits):.2f}")
    return {
        "caption: nouns named, F1": 2 * precision * recall / max(1e-9, precision + recall),
        "answer: exact match": mean(exact),
        "ocr: word accuracy": mean(words),
        "detect: AP at IoU 0.5": average_precision(hits, wanted_boxes),
        "segment: mean IoU of the mask": mean(ious),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--dev", action="store_true")
    parser.add_argument("--unseen", action="store_true")
    parser.add_argument("--scenes", type=int, default=800)
    parser.add_argument("--show", type=int, default=0)
    parser.add_argument("--q8", action="store_true", help="also with the weights rounded to q8")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    tokens = Tokens()
    model = load_model(tokens)
    codec = load_codec() if CODEC.is_file() else None
    composer = Composer(not arguments.dev, DEV_SEED if arguments.dev else EVALUATION_SEED, unseen=arguments.unseen, training=False)
    scenes, asked = questions(composer, arguments.scenes)
    pictures = torch.from_numpy(np.stack([scene.picture for scene in scenes]))
    owners, prefixes = [index for index, _ in asked], [tokens.prefix(one.prefix) for _, one in asked]
    given = answers(model, tokens, pictures, owners, prefixes)
    rows = score(tokens, codec, asked, given, arguments.show)
    table = {name: {"f32": value} for name, value in rows.items()}
    if arguments.q8:
        given = answers(quantised(model), tokens, pictures, owners, prefixes)
        for name, value in score(tokens, codec, asked, given, 0).items():
            table[name]["q8"] = value
    for name, values in table.items():
        print(f"| {name} | " + " | ".join(f"{value:.3f}" for value in values.values()) + " |")
    kind = "dev" if arguments.dev else "unseen" if arguments.unseen else "metrics"
    (WORK / f"{kind}.json").write_text(json.dumps(table, indent=1))


if __name__ == "__main__":
    main()
