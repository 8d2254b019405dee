"""Small PaliGemma checkpoints with random weights, written as real Hugging Face directories."""

import json
import math
import os
import zlib

import torch
from safetensors.torch import save_file
from transformers import PaliGemmaConfig, PaliGemmaForConditionalGeneration

BASE = 640  # base tokens of the tiny tokenizer, see tiny_tokenizer.py
IMAGE_ID = BASE + 1024 + 128


def _vision(width, heads, mlp, size, projection):
    return {
        "hidden_size": width, "intermediate_size": mlp, "model_type": "siglip_vision_model",
        "num_attention_heads": heads, "num_hidden_layers": 2, "image_size": size, "patch_size": 14,
        "num_image_tokens": (size // 14) ** 2, "projection_dim": projection,
        "projector_hidden_act": "gelu_fast", "vision_use_head": False,
    }


def _config(vision, text, dtype, **extra):
    text = {"num_image_tokens": vision["num_image_tokens"], "torch_dtype": dtype, **text}
    return {
        "architectures": ["PaliGemmaForConditionalGeneration"], "bos_token_id": 2, "eos_token_id": 1,
        "hidden_size": text["hidden_size"], "image_token_index": IMAGE_ID, "model_type": "paligemma",
        "pad_token_id": 0, "projection_dim": text["hidden_size"], "text_config": text,
        "torch_dtype": dtype, "vision_config": vision, **extra,
    }


def _gemma2(window, cap, scalar, vocab, dtype):
    return {
        "model_type": "gemma2", "hidden_size": 64, "intermediate_size": 128, "num_attention_heads": 4,
        "num_key_value_heads": 2, "num_hidden_layers": 4, "head_dim": 32, "vocab_size": vocab,
        "attn_logit_softcapping": cap, "final_logit_softcapping": 30.0, "query_pre_attn_scalar": scalar,
        "sliding_window": window, "hidden_act": "gelu_pytorch_tanh", "hidden_activation": "gelu_pytorch_tanh",
        "max_position_embeddings": 8192, "rms_norm_eps": 1e-06, "rope_theta": 10000.0, "torch_dtype": dtype,
    }


# The padded vocabulary is a multiple of 64, as in the published checkpoints; 1793 is the unpadded one.
PADDED, UNPADDED = 1856, IMAGE_ID + 1

CONFIGS = {
    "pg1-hd16": _config(
        _vision(64, 4, 72, 56, 64),
        {"model_type": "gemma", "hidden_size": 64, "intermediate_size": 128, "num_attention_heads": 4,
         "num_key_value_heads": 1, "num_hidden_layers": 2, "head_dim": 32, "vocab_size": PADDED},
        "float32",
    ),
    # head_dim 256 is left out on purpose: it is the default, and published PaliGemma files leave it out.
    "pg1-hd72": _config(
        _vision(144, 2, 172, 70, 96),
        {"model_type": "gemma", "hidden_size": 96, "intermediate_size": 168, "num_attention_heads": 2,
         "num_key_value_heads": 1, "num_hidden_layers": 2, "vocab_size": UNPADDED},
        "float16",
    ),
    "pg2-gqa": _config(_vision(64, 4, 72, 56, 64), _gemma2(8, 50.0, 48, PADDED, "bfloat16"), "bfloat16"),
    "pg2-cap5": _config(_vision(64, 4, 72, 56, 64), _gemma2(4096, 5.0, 16, PADDED, "float16"), "float16"),
}
# The head of the attention distribution is sharper in the Gemma 2 files, so that the soft cap matters.
QUERY_KEY_GAIN = {"pg1-hd16": 1.4, "pg1-hd72": 1.2, "pg2-gqa": 2.6, "pg2-cap5": 2.2}


def representable(w):
    """Rounds to values that bfloat16 and float16 both hold exactly, so every stored dtype agrees."""
    w = w.bfloat16().float()
    return torch.where(w.abs() < 2.0**-14, torch.zeros_like(w), w)


def random_weight(checkpoint, name, shape, seed):
    """Draws one tensor; its generator depends on the name alone, not on the order of drawing."""
    g = torch.Generator().manual_seed(seed * 1_000_003 + zlib.crc32(f"{checkpoint}/{name}".encode()))
    n = lambda std: torch.randn(shape, generator=g) * std
    fan_in = math.prod(shape[1:]) if len(shape) > 1 else 1
    linear = lambda gain: n(gain / math.sqrt(fan_in))
    sharp = QUERY_KEY_GAIN[checkpoint]
    if "vision_tower" in name:
        if "norm" in name:
            return 1 + n(0.2) if name.endswith("weight") else n(0.15)
        if "position_embedding" in name:
            return n(0.5)
        if name.endswith("bias"):
            return n(0.2)
        gains = {"patch_embedding": 1.8, "q_proj": 1.5, "k_proj": 1.5, "v_proj": 1.2, "out_proj": 1.2, "fc1": 1.3, "fc2": 1.5}
        return linear(next(v for k, v in gains.items() if k in name))
    if "multi_modal_projector" in name:
        return n(0.3) if name.endswith("bias") else linear(2.0)
    if "embed_tokens" in name:
        rows = n(2.0 / math.sqrt(shape[1]))
        rows[:4] *= 0.4
        rows[4:260] *= 0.6
        rows[BASE:IMAGE_ID] *= 0.85
        rows[IMAGE_ID:] *= 0.4
        return rows
    if name.endswith("language_model.norm.weight"):
        # Signs alternate at random: otherwise the tied table makes every token predict itself.
        sign = torch.where(torch.rand(shape, generator=g) < 0.5, -1.0, 1.0)
        return sign * (0.6 + 0.8 * torch.rand(shape, generator=g)) - 1
    if "norm" in name:
        return n(0.3)
    gains = {"q_proj": sharp, "k_proj": sharp, "v_proj": 1.5, "o_proj": 1.6, "gate_proj": 1.4, "up_proj": 1.2, "down_proj": 2.2}
    return linear(next(v for k, v in gains.items() if k in name))


def build(checkpoint, seed):
    """Returns the float32 eager model of one checkpoint with its random weights."""
    config = PaliGemmaConfig(**json.loads(json.dumps(CONFIGS[checkpoint])))
    config._attn_implementation = "eager"
    model = PaliGemmaForConditionalGeneration._from_config(config, attn_implementation="eager", dtype=torch.float32)
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.copy_(representable(random_weight(checkpoint, name, tuple(p.shape), seed)))
    return model.eval()


def hub_name(name):
    """Parameter name in memory (5.x) -> name in the published files."""
    if name.startswith("model.vision_tower."):
        rest = name.removeprefix("model.vision_tower.").removeprefix("vision_model.")
        return "vision_tower.vision_model." + rest
    if name.startswith("model.multi_modal_projector."):
        return name.removeprefix("model.")
    return name.replace("model.language_model.", "language_model.model.", 1)


def middle_name(name):
    """Published name -> name in later 4.x releases."""
    if name.startswith("language_model.model."):
        return name.replace("language_model.model.", "model.language_model.", 1)
    return "model." + name


def late_name(name):
    """Published name -> name in 5.x."""
    return middle_name(name).replace("model.vision_tower.vision_model.", "model.vision_tower.", 1)


NAMINGS = {"hub": lambda name: name, "later-4x": middle_name, "5x": late_name}


def weights(model, naming, dtype):
    """Returns {file name of tensor: tensor}; the tied head is left out, as in published files."""
    out = {}
    for name, p in model.named_parameters():
        if name == "lm_head.weight":
            continue
        stored = p.detach().to(dtype).contiguous()
        assert torch.equal(stored.float(), p.detach()), f"{name} is not exact in {dtype}"
        out[NAMINGS[naming](hub_name(name))] = stored
    return dict(sorted(out.items()))


def write_sharded(tensors, folder, shards):
    """Writes model-0000i-of-0000n.safetensors of about equal size, and their index."""
    total = sum(t.nbytes for t in tensors.values())
    groups, used = [{} for _ in range(shards)], 0
    for name, t in tensors.items():
        groups[min(shards - 1, used * shards // total)][name] = t
        used += t.nbytes
    index = {"metadata": {"total_size": total}, "weight_map": {}}
    for i, group in enumerate(groups):
        file = f"model-{i + 1:05}-of-{shards:05}.safetensors"
        save_file(group, os.path.join(folder, file), metadata={"format": "pt"})
        index["weight_map"].update({name: file for name in group})
    with open(os.path.join(folder, "model.safetensors.index.json"), "w") as f:
        json.dump(index, f, indent=1, sort_keys=True)


def _json(folder, name, value):
    with open(os.path.join(folder, name), "w") as f:
        json.dump(value, f, indent=2, ensure_ascii=False)
        f.write("\n")


def write_directory(model, checkpoint, tokenizer, folder, dtype, shards=1):
    """Writes one complete Hugging Face directory with published tensor names."""
    os.makedirs(folder, exist_ok=True)
    config = CONFIGS[checkpoint]
    size = config["vision_config"]["image_size"]
    tensors = weights(model, "hub", dtype)
    if shards > 1:
        write_sharded(tensors, folder, shards)
    else:
        save_file(tensors, os.path.join(folder, "model.safetensors"), metadata={"format": "pt"})
    _json(folder, "config.json", config)
    tokenizer.save(os.path.join(folder, "tokenizer.json"), pretty=False)
    _json(folder, "tokenizer_config.json", {
        "add_bos_token": True, "add_eos_token": False, "additional_special_tokens": ["<image>"],
        "bos_token": "<bos>", "eos_token": "<eos>", "pad_token": "<pad>", "unk_token": "<unk>",
        "clean_up_tokenization_spaces": False, "model_max_length": 1000000000000000019884624838656,
        "spaces_between_special_tokens": False, "tokenizer_class": "GemmaTokenizer",
        "processor_class": "PaliGemmaProcessor", "use_default_system_prompt": False,
    })
    _json(folder, "special_tokens_map.json", {
        "additional_special_tokens": ["<image>"], "bos_token": "<bos>", "eos_token": "<eos>",
        "pad_token": "<pad>", "unk_token": "<unk>",
    })
    _json(folder, "preprocessor_config.json", {
        "do_convert_rgb": None, "do_normalize": True, "do_rescale": True, "do_resize": True,
        "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "image_processor_type": "SiglipImageProcessor",
        "image_seq_length": (size // 14) ** 2, "processor_class": "PaliGemmaProcessor", "resample": 3,
        "rescale_factor": 0.00392156862745098, "size": {"height": size, "width": size},
    })
    _json(folder, "generation_config.json", {
        "_from_model_config": True, "bos_token_id": 2, "eos_token_id": 1, "pad_token_id": 0,
    })
