"""Writes the model as a Hugging Face PaliGemma directory and checks that transformers gives the same logits.

    python -m sight.export
"""

import json
import shutil

import torch
from safetensors.torch import save_file

from .evaluate import load_model
from .masks import load_codec
from .model import Sight
from .nouns import NOUNS
from .paths import CODEC, EXPORT
from .scenes import Composer
from .tokens import FILE, Tokens


EVEN_BOX_LOGPROB = -15.8


def configuration(model: Sight, tokens: Tokens) -> dict:
    """What `config.json` says."""
    c = model.config
    return {
        "architectures": ["PaliGemmaForConditionalGeneration"],
        "model_type": "paligemma",
        "image_token_index": tokens.image, "bos_token_id": tokens.bos, "eos_token_id": tokens.eos,
        "pad_token_id": tokens.pad, "hidden_size": c.width, "projection_dim": c.width, "torch_dtype": "float32",
        "vocab_size": c.vocabulary,
        # Measured by `evaluate --dev`; the runtime's scores of boxes are relative to it.
        "even_box_logprob": EVEN_BOX_LOGPROB,
        "text_config": {
            "model_type": "gemma", "vocab_size": c.vocabulary, "hidden_size": c.width, "intermediate_size": c.mlp,
            "num_hidden_layers": c.layers, "num_attention_heads": c.heads, "num_key_value_heads": c.kv_heads,
            "head_dim": c.head_dim, "hidden_activation": "gelu_pytorch_tanh", "hidden_act": "gelu_pytorch_tanh",
            "max_position_embeddings": 512, "rms_norm_eps": 1e-6, "rope_theta": 10000.0,
            "num_image_tokens": c.patches, "tie_word_embeddings": True,
            "bos_token_id": tokens.bos, "eos_token_id": tokens.eos, "pad_token_id": tokens.pad,
        },
        "vision_config": {
            "model_type": "siglip_vision_model", "hidden_size": c.tower_width, "intermediate_size": c.tower_mlp,
            "num_hidden_layers": c.tower_layers, "num_attention_heads": c.tower_heads, "image_size": c.size,
            "patch_size": c.patch, "num_channels": 3, "hidden_act": "gelu_pytorch_tanh", "layer_norm_eps": 1e-6,
            "projection_dim": c.width, "vision_use_head": False, "num_image_tokens": c.patches,
        },
    }


def tensors(model: Sight) -> dict[str, torch.Tensor]:
    """Weights under the names of the published checkpoints."""
    c, out = model.config, {}
    tower = "vision_tower.vision_model"
    patch = model.tower.patch
    out[f"{tower}.embeddings.patch_embedding.weight"] = patch.weight.view(-1, 3, c.patch, c.patch)
    out[f"{tower}.embeddings.patch_embedding.bias"] = patch.bias
    out[f"{tower}.embeddings.position_embedding.weight"] = model.tower.position
    for index, layer in enumerate(model.tower.layers):
        at = f"{tower}.encoder.layers.{index}"
        for part, name in enumerate("qkv"):
            rows = slice(part * c.tower_width, (part + 1) * c.tower_width)
            out[f"{at}.self_attn.{name}_proj.weight"] = layer.qkv.weight[rows]
            out[f"{at}.self_attn.{name}_proj.bias"] = layer.qkv.bias[rows]
        for name, module in (("self_attn.out_proj", layer.out), ("layer_norm1", layer.norm1), ("layer_norm2", layer.norm2),
                             ("mlp.fc1", layer.up), ("mlp.fc2", layer.down)):
            out[f"{at}.{name}.weight"], out[f"{at}.{name}.bias"] = module.weight, module.bias
    out[f"{tower}.post_layernorm.weight"], out[f"{tower}.post_layernorm.bias"] = model.tower.norm.weight, model.tower.norm.bias
    out["multi_modal_projector.linear.weight"] = model.projector.weight
    out["multi_modal_projector.linear.bias"] = model.projector.bias
    text = "language_model.model"
    out[f"{text}.embed_tokens.weight"] = model.embeddings()
    for index, layer in enumerate(model.layers):
        at, head = f"{text}.layers.{index}", c.head_dim
        q, k, v = layer.qkv.weight.split([c.heads * head, c.kv_heads * head, c.kv_heads * head])
        for name, weight in (("self_attn.q_proj", q), ("self_attn.k_proj", k), ("self_attn.v_proj", v),
                             ("self_attn.o_proj", layer.out.weight), ("input_layernorm", layer.norm1.weight),
                             ("post_attention_layernorm", layer.norm2.weight), ("mlp.gate_proj", layer.gate.weight),
                             ("mlp.up_proj", layer.up.weight), ("mlp.down_proj", layer.down.weight)):
            out[f"{at}.{name}.weight"] = weight
    out[f"{text}.norm.weight"] = model.norm.weight
    return {name: tensor.detach().contiguous().clone() for name, tensor in out.items()}


def mask_decoder() -> dict[str, torch.Tensor]:
    """The codec's decoder under the names of the published `vae-oid.npz`."""
    codec = load_codec()
    out = {"_vq_vae._embedding": codec.codebook.detach()}
    for name, tensor in codec.decoder.state_dict().items():
        out[f"decoder.{name}"] = tensor
    return {name: tensor.contiguous().clone() for name, tensor in out.items()}


def write(model: Sight, tokens: Tokens) -> None:
    EXPORT.mkdir(parents=True, exist_ok=True)
    weights = tensors(model)
    save_file(weights, EXPORT / "model.safetensors", metadata={"format": "pt"})
    (EXPORT / "config.json").write_text(json.dumps(configuration(model, tokens), indent=2) + "\n")
    processor = {
        "do_convert_rgb": True, "do_normalize": True, "do_rescale": True, "do_resize": True,
        "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "image_processor_type": "SiglipImageProcessor",
        "image_seq_length": model.config.patches, "resample": 3, "rescale_factor": 1 / 255,
        "size": {"height": model.config.size, "width": model.config.size}, "processor_class": "PaliGemmaProcessor",
    }
    (EXPORT / "preprocessor_config.json").write_text(json.dumps(processor, indent=2) + "\n")
    generation = {"bos_token_id": tokens.bos, "eos_token_id": tokens.eos, "pad_token_id": tokens.pad}
    (EXPORT / "generation_config.json").write_text(json.dumps(generation, indent=2) + "\n")
    shutil.copy(FILE, EXPORT / "tokenizer.json")
    if CODEC.is_file():
        save_file(mask_decoder(), EXPORT / "mask_decoder.safetensors")
    (EXPORT / "labels.json").write_text(json.dumps(list(NOUNS), indent=0).replace("\n", " ").strip() + "\n")
    count = sum(tensor.numel() for tensor in weights.values())
    print(f"{count / 1e6:.2f} M parameters in {EXPORT}")


@torch.no_grad()
def check(model: Sight, tokens: Tokens) -> None:
    """transformers loads it and says the same."""
    from transformers import PaliGemmaForConditionalGeneration

    theirs = PaliGemmaForConditionalGeneration.from_pretrained(EXPORT, dtype=torch.float32).eval()
    scene = Composer(True, 5).with_things(2)
    prefix = tokens.prefix("caption en")
    pictures = torch.from_numpy(scene.picture)[None]
    pixels = (pictures.float() / 127.5 - 1).permute(0, 3, 1, 2)
    ids = torch.tensor([[tokens.image] * model.config.patches + prefix])
    expected = theirs(input_ids=ids, pixel_values=pixels, attention_mask=torch.ones_like(ids),
                      token_type_ids=torch.zeros_like(ids)).logits[0, -1]
    positions, mask = torch.arange(ids.shape[1])[None], torch.ones(1, ids.shape[1], ids.shape[1], dtype=torch.bool)
    hidden = model.answer(model.look(pictures), torch.tensor([prefix]), positions, mask, model.embeddings())
    found = (hidden @ model.embeddings().T)[0, -1]
    error = float((found - expected).abs().max() / expected.std())
    print(f"largest difference from transformers: {error:.1e} of the logits' deviation")
    if error > 1e-3:
        raise SystemExit("the export does not say what the model says")


if __name__ == "__main__":
    torch.set_num_threads(1)
    spoken = Tokens()
    trained = load_model(spoken)
    write(trained, spoken)
    check(trained, spoken)
