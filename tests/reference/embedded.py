"""Writes tests/goldens/embedded: what transformers says with the embedded model's weights, rounded to q8 as the pack has them.

    python embedded.py ~/.cache/ocelli/sight/export

The folder is what the model's recipe exports; the pack in web/models/tiny must have been converted from it.
"""

import json
import os
import sys

import numpy
import torch
from PIL import Image
from tokenizers import Tokenizer
from transformers import PaliGemmaForConditionalGeneration

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SAMPLES = os.path.join(ROOT, "web", "demo", "samples")
STEPS = 48
# picture -> prompts
QUESTIONS = {
    "fruit.png": ["caption en", "answer en how many things are there?"],
    "harbour.png": ["caption en", "segment fish", "describe en"],
    "pets.png": ["caption en", "detect cat ; dog", "answer en is there a cat?"],
    "street.png": ["caption en", "segment car", "answer en which colour is the car?"],
    "sign.png": ["ocr"],
}


def q8(weight: torch.Tensor) -> torch.Tensor:
    """A matrix through blocks of 32 along its rows: int8 times an f16 scale."""
    rows = weight.reshape(len(weight), -1).double()
    width = rows.shape[1]
    padded = torch.nn.functional.pad(rows, (0, -width % 32)).view(len(rows), -1, 32)
    scale = (padded.abs().amax(-1, keepdim=True) / 127).half().double()
    rounded = torch.where(scale > 0, torch.round(padded / scale.clamp(min=1e-30)), 0).clamp(-127, 127)
    return (rounded * scale).view(len(rows), -1)[:, :width].reshape(weight.shape).float()


@torch.no_grad()
def main() -> None:
    torch.set_num_threads(1)
    source = sys.argv[1]
    config = json.load(open(os.path.join(source, "config.json")))
    model = PaliGemmaForConditionalGeneration.from_pretrained(source, dtype=torch.float32, attn_implementation="eager").eval()
    for name, weight in model.named_parameters():
        if weight.ndim >= 2 and "position_embedding" not in name:
            weight.copy_(q8(weight))
    model.tie_weights()
    tokenizer = Tokenizer.from_file(os.path.join(source, "tokenizer.json"))
    size = config["vision_config"]["image_size"]
    newline = tokenizer.encode("\n", add_special_tokens=False).ids
    cases = []
    for picture, prompts in QUESTIONS.items():
        pixels = Image.open(os.path.join(SAMPLES, picture)).convert("RGB").resize((size, size), Image.Resampling.BICUBIC)
        values = torch.from_numpy(numpy.asarray(pixels).astype(numpy.float32) / 255 * 2 - 1).permute(2, 0, 1)[None]
        for prompt in prompts:
            text = [config["bos_token_id"], *tokenizer.encode(prompt, add_special_tokens=False).ids, *newline]
            slots = [config["image_token_index"]] * config["vision_config"]["num_image_tokens"]
            prefix, answer, margins = slots + text, [], []
            while len(answer) < STEPS and (not answer or answer[-1] != config["eos_token_id"]):
                ids = torch.tensor([prefix + answer])
                kinds = torch.tensor([[0] * len(prefix) + [1] * len(answer)])
                logits = model(input_ids=ids, pixel_values=values, attention_mask=torch.ones_like(ids), token_type_ids=kinds).logits[0, -1]
                best = logits.topk(2)
                answer.append(int(best.indices[0]))
                margins.append(float(best.values[0] - best.values[1]))
            cases.append({
                "picture": picture, "prompt": prompt, "prompt_tokens": text, "tokens": answer,
                "text": tokenizer.decode(answer, skip_special_tokens=True), "margins": [round(m, 4) for m in margins],
            })
            print(f"{picture} {prompt!r}: {cases[-1]['text']!r}, smallest margin {min(margins):.3f}")
    folder = os.path.join(ROOT, "tests", "goldens", "embedded")
    os.makedirs(folder, exist_ok=True)
    json.dump({"cases": cases}, open(os.path.join(folder, "golden.json"), "w"), indent=1)


if __name__ == "__main__":
    main()
