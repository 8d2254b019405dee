"""Writes tests/pictures and tests/goldens. See README.md; goldens are never rerun to make a test pass."""

import argparse
import json
import os
import platform
import shutil
import warnings

import numpy
import PIL
import safetensors
import skimage
import tokenizers
import torch
import transformers
from safetensors.torch import save_file
from transformers import AutoImageProcessor, PaliGemmaForConditionalGeneration, PaliGemmaProcessor
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

import generation
import pictures
import taps
import tiny_models
import tiny_tokenizer

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
GOLDENS, PICTURES = os.path.join(TESTS, "goldens"), os.path.join(TESTS, "pictures")

# checkpoint -> (seed, stored dtype, shards, [(case, pictures, prompt, steps)], teacher-forced suffix)
PLAN = {
    "pg1-hd16": (11, torch.float32, 1, [
        ("cat-caption", ["cat.png"], "caption en", 20),
        ("rocket-detect", ["rocket.png"], "detect rocket ; cloud", 20),
        ("alpha-answer", ["coffee-alpha.png"], "answer en what is on the table", 24),
        ("grey-ocr", ["astronaut-grey.png"], "ocr", 12),
    ], "the cat lies on a grey blanket <loc0256><seg012>"),
    "pg1-hd72": (7, torch.float16, 1, [
        ("cat-caption", ["cat.png"], "caption en", 20),
        ("two-pictures", ["cat.png", "rocket.png"], "answer en where is the cat standing?", 16),
        ("alpha-segment", ["coffee-alpha.png"], "segment cup ; café", 20),
    ], "a rocket leaves the launch pad"),
    "pg2-gqa": (3, torch.bfloat16, 3, [
        ("cat-caption", ["cat.png"], "caption en", 24),
        ("rocket-answer", ["rocket.png"], "answer en how many people are in the picture? 😀", 20),
        ("grey-describe", ["astronaut-grey.png"], "describe en", 16),
    ], "a woman in an orange space suit smiles in front of a flag"),
    "pg2-cap5": (1, torch.float16, 1, [
        ("cat-caption", ["cat.png"], "caption en", 16),
        ("rocket-detect", ["rocket.png"], "detect rocket ; cloud", 16),
    ], "three horses stand in a field"),
}
EOS_CASE = {"pg1-hd16": 2, "pg1-hd72": 2, "pg2-gqa": 1, "pg2-cap5": 0}
BEAM_CASE = {"pg1-hd16": 2, "pg2-gqa": 1}


def versions():
    return {
        "python": platform.python_version(), "torch": torch.__version__, "transformers": transformers.__version__,
        "tokenizers": tokenizers.__version__, "safetensors": safetensors.__version__, "numpy": numpy.__version__,
        "pillow": PIL.__version__, "scikit-image": skimage.__version__,
        "dtype": "float32", "attention": "eager", "device": "cpu", "threads": 1,
    }


def pixels(files, size):
    processor = SiglipImageProcessorPil(size={"height": size, "width": size})
    images = [pictures.load_rgb(os.path.join(PICTURES, f)) for f in files]
    return processor(images, return_tensors="pt")["pixel_values"]


def inputs(tok, model, case):
    _name, files, prompt, _steps = case
    size = model.config.vision_config.image_size
    per_picture = (size // model.config.vision_config.patch_size) ** 2
    return tiny_tokenizer.prompt_ids(tok, prompt, per_picture * len(files)), pixels(files, size)


def plant_eos(model, tok, cases, index):
    """Points the <eos> row at the hidden state of one step, so that this case ends with <eos>."""
    row = model.get_input_embeddings().weight
    ids, picture = inputs(tok, model, cases[index])
    store = {}
    handles = taps.hook_all(model, store)
    out = taps.generate(model, ids, picture, max_new_tokens=cases[index][3])
    for h in handles:
        h.remove()
    before = row.data[taps.EOS].clone()
    for step in [9, 8, 10, 7, 11, 6, 12, 5]:
        hidden = store["decoder/final_norm"][step][0, -1]
        best = (hidden @ row.data.T).max()
        row.data[taps.EOS] = tiny_models.representable(hidden * (best + 1.5) / hidden.pow(2).sum())
        ends = [taps.generate(model, *inputs(tok, model, c), max_new_tokens=c[3]).sequences[0, -1] for c in cases]
        if [int(e) == taps.EOS for e in ends] == [i == index for i in range(len(cases))]:
            return
        row.data[taps.EOS] = before
    raise SystemExit("no step found where <eos> ends that case alone; choose another seed")


def healthy(name, record):
    """Fails when a golden would be a poor test: a collapsed reply, or a near tie."""
    ids, margins, std = record["greedy_ids"], record["margins"], record["logits_std"]
    print(f"  {name}: {len(ids)} steps, stop {record['stop']}, {len(set(ids))} distinct, margin min {min(margins):.4f},"
          f" std {min(std):.2f}..{max(std):.2f}, cached-full {record['cached_against_full_max_abs']:.1e}")
    assert len(set(ids)) >= 0.6 * len(ids), "reply collapsed"
    assert min(margins) > 0.02, "near tie"
    assert 0.8 < min(std) and max(std) < 5, "logits too flat or too sharp"


def sensitivity(model, ids, picture, logits):
    """How far the first logits move under mistakes; every one must be far above a test's tolerance."""
    prefix = len(ids)
    moved = {
        "picture_mirrored": taps.full_pass(model, ids, picture.flip(-1), prefix)[-1],
        "causal_prefix": taps.full_pass(model, ids, picture, 0)[-1],
        "picture_upside_down": taps.full_pass(model, ids, picture.flip(-2), prefix)[-1],
    }
    text = model.config.text_config
    for field, value in [("attn_logit_softcapping", None), ("query_pre_attn_scalar", None)]:
        if hasattr(text, field):
            layers = [l.self_attn for l in model.model.language_model.layers]
            key = "attn_logit_softcapping" if field.startswith("attn") else "scaling"
            old = [getattr(a, key) for a in layers]
            for a in layers:
                setattr(a, key, value if key != "scaling" else a.head_dim**-0.5)
            moved["without_" + field] = taps.full_pass(model, ids, picture, prefix)[-1]
            for a, o in zip(layers, old):
                setattr(a, key, o)
    result = {k: (v - logits).abs().max().item() for k, v in moved.items()}
    print("  first logits move by", {k: round(v, 3) for k, v in result.items()})
    assert min(result.values()) > 0.02, result
    return result


def window_sensitivity(model, ids, picture, suffix, logits):
    """How far the logits after a long suffix move when the sliding window is ignored."""
    text = model.config.text_config
    if not any(w is not None and w < len(ids) for w in taps.windows(model)):
        return {}
    old, text.sliding_window = text.sliding_window, 4096
    wide = taps.full_pass(model, ids + suffix, picture, len(ids))[len(ids) - 1 :]
    text.sliding_window = old
    moved = (wide - logits).abs().amax(-1).tolist()
    print("  logits after the suffix move by", round(moved[-1], 3), "without the window")
    assert moved[0] == 0 and min(moved[1:]) > 0.02, moved
    return {"without_window_after_first_suffix_token": min(moved[1:])}


def check_processor(folder, tok, model, case, ids):
    """The real PaliGemmaProcessor on the directory must give the same input ids."""
    _name, files, prompt, _steps = case
    processor = PaliGemmaProcessor.from_pretrained(folder, use_fast=False)
    images = [pictures.load_rgb(os.path.join(PICTURES, f)) for f in files]
    got = processor(images=[images], text=["<image>" * len(files) + prompt], return_tensors="pt")
    assert got["input_ids"][0].tolist() == ids, "PaliGemmaProcessor gives other ids"
    assert got["token_type_ids"].sum() == 0
    reference = pixels(files, model.config.vision_config.image_size)
    return (got["pixel_values"].reshape(reference.shape) - reference).abs().max().item(), type(processor.image_processor).__name__


def checkpoint(name, tok):
    seed, dtype, shards, cases, suffix_text = PLAN[name]
    print(name)
    folder = os.path.join(GOLDENS, name)
    shutil.rmtree(folder, ignore_errors=True)
    built = tiny_models.build(name, seed)
    plant_eos(built, tok, cases, EOS_CASE[name])
    tiny_models.write_directory(built, name, tok, folder, dtype, shards)
    load = lambda path: PaliGemmaForConditionalGeneration.from_pretrained(path, dtype=torch.float32, attn_implementation="eager").eval()
    model = load(folder)
    for (n, a), b in zip(built.named_parameters(), model.parameters()):
        assert torch.equal(a, b), f"{n} did not survive the directory"

    vision = model.config.vision_config
    golden = {
        "schema": 1, "checkpoint": name, "versions": versions(), "seed": seed, "stored_dtype": str(dtype).split(".")[1],
        "image_size": vision.image_size, "tokens_per_picture": (vision.image_size // vision.patch_size) ** 2,
        "image_token_id": tiny_models.IMAGE_ID, "eos_token_id": 1, "layer_windows": taps.windows(model), "cases": [],
    }
    tensors = {}
    for index, case in enumerate(cases):
        label, files, prompt, steps = case
        ids, picture = inputs(tok, model, case)
        record, logits, seen = taps.run_greedy(model, ids, picture, steps)
        healthy(label, record)
        difference, kind = check_processor(folder, tok, model, case, ids)
        text = tok.decode([t for t in record["greedy_ids"] if t != taps.EOS], skip_special_tokens=False)
        golden["cases"].append({
            "name": label, "pictures": files, "prompt": prompt, "input_ids": ids, "prefix_length": len(ids),
            "image_token_count": golden["tokens_per_picture"] * len(files), "max_new_tokens": steps, **record, "text": text,
            "hf_processor_pixels_max_abs": difference, "hf_processor_image_class": kind,
        })
        tensors[f"{label}/logits/steps"] = logits if index == 0 else logits[:3].clone()
        if index == 0:
            tensors[f"{label}/vision/pixel_values"] = picture
            for key, value in seen.items():
                tensors[f"{label}/{key}"] = value if key.startswith(("vision", "projector")) else value[0]
            tensors[f"{label}/decoder/final_norm"] = seen["decoder/final_norm"][0, -1]
            golden["sensitivity"] = sensitivity(model, ids, picture, logits[0])
            suffix = tok.encode(suffix_text, add_special_tokens=False).ids + [taps.EOS]
            whole = taps.full_pass(model, ids + suffix, picture, len(ids))[len(ids) - 1 :]
            stepped = taps.forced_decode(model, ids, picture, suffix)
            log_probs = torch.log_softmax(whole.double(), -1)
            golden["forced"] = {
                "case": label, "suffix_text": suffix_text, "suffix_ids": suffix,
                "logprobs": [log_probs[i, t].item() for i, t in enumerate(suffix)],
                "cached_against_full_max_abs": (whole - stepped).abs().max().item(),
            }
            print(f"  forced suffix: {len(suffix)} tokens, cached-full {golden['forced']['cached_against_full_max_abs']:.1e}")
            tensors[f"{label}/forced/logits"] = whole
            golden["sensitivity"].update(window_sensitivity(model, ids, picture, suffix, whole))
        elif len(files) > 1:
            tensors[f"{label}/projector"] = seen["projector"]
            tensors[f"{label}/decoder/input_embeddings"] = seen["decoder/input_embeddings"][0]
        if BEAM_CASE.get(name) == index:
            golden["beams"] = generation.beams(model, ids, picture, label, record["greedy_ids"])
            golden["warped"] = generation.warped(logits[0], label)
    save_file({k: v.float().contiguous().clone() for k, v in tensors.items()}, os.path.join(folder, "golden.safetensors"))
    with open(os.path.join(folder, "golden.json"), "w") as f:
        json.dump(golden, f, indent=1, ensure_ascii=False)
        f.write("\n")
    if name == "pg1-hd16":
        renamed(model, folder, load)


def renamed(model, folder, load):
    """The same weights under the two later tensor namings; the other files are those of `folder`."""
    for naming, dtype in [("later-4x", torch.bfloat16), ("5x", torch.float16)]:
        out = f"{folder}-names-{naming}"
        shutil.rmtree(out, ignore_errors=True)
        os.makedirs(out)
        save_file(tiny_models.weights(model, naming, dtype), os.path.join(out, "model.safetensors"), metadata={"format": "pt"})
        if naming == "5x":
            model.config.save_pretrained(out)
        else:
            shutil.copy(os.path.join(folder, "config.json"), out)
        other = load(out)
        for (n, a), b in zip(model.named_parameters(), other.parameters()):
            assert torch.equal(a, b), f"{n} differs under the {naming} names"
        print(f"  names {naming}: transformers loads the same weights")


def readable(folder):
    """safetensors writes files for the owner alone; make them readable like the rest."""
    for base, _dirs, files in os.walk(folder):
        for file in files:
            os.chmod(os.path.join(base, file), 0o644)


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--only", nargs="*", help="checkpoint names; default: everything")
    args.add_argument("--gemma", help="path of the real Gemma tokenizer.json; writes its id goldens")
    args = args.parse_args()
    warnings.filterwarnings("ignore")
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    print(json.dumps(versions()))
    tok = tiny_tokenizer.build()
    os.makedirs(os.path.join(GOLDENS, "tokenizer"), exist_ok=True)

    def write(name, rows):
        with open(os.path.join(GOLDENS, "tokenizer", name), "w") as f:
            f.write('{"schema": 1, "tokenizers": "%s", "cases": [\n' % tokenizers.__version__)
            f.write(",\n".join(json.dumps(r, ensure_ascii=True) for r in rows) + "\n]}\n")

    write("tiny.cases.json", tiny_tokenizer.golden_cases(tok))
    if args.gemma:
        write("gemma.cases.json", tiny_tokenizer.gemma_cases(args.gemma))
    if not args.only:
        pictures.make(PICTURES)
        shutil.rmtree(os.path.join(GOLDENS, "pictures"), ignore_errors=True)
        pictures.goldens(PICTURES, os.path.join(GOLDENS, "pictures"))
    for name in args.only or PLAN:
        checkpoint(name, tok)
    readable(GOLDENS)


if __name__ == "__main__":
    main()
