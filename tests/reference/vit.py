"""Writes tests/goldens/vit-*: small vision transformers of random weights, run through timm and transformers.

Goldens are never made again so that a test passes; see README.md.
"""

import argparse
import copy

import timm
import torch
from timm.data import create_transform, resolve_data_config
from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessorPil

from encoders import Golden, Taps, fill, picture, turned, versions

PICTURES = ["cat.png", "rocket.png", "astronaut-grey.png"]
SMALL = {"img_size": 44, "patch_size": 14, "embed_dim": 48, "depth": 2, "num_heads": 4, "mlp_ratio": 68 / 48}
CLASSES = 11
HALVES = {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}
IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}

# name -> (architecture, what differs in its arguments, how pictures are prepared)
TIMM = {
    "vit-timm-map": ("vit_so400m_patch14_siglip_378", {}, {"crop_pct": 1.0, "crop_mode": "squash", **HALVES}),
    "vit-timm-gap": ("vit_so400m_patch16_siglip_gap_256", {}, {"crop_pct": 0.9, "crop_mode": "center", **HALVES}),
    "vit-timm-token": ("vit_tiny_patch16_224", {}, {"crop_pct": 0.875, "interpolation": "bilinear", **IMAGENET}),
    "vit-timm-reg": ("vit_so150m_patch16_reg4_gap_256", {"reg_tokens": 3}, {"crop_pct": 0.95, "crop_mode": "center", **HALVES}),
    "vit-timm-scale": ("vit_so150m2_patch16_reg1_gap_256", {"init_values": 0.1}, {"crop_pct": 1.0, "crop_mode": "squash", **HALVES}),
    "vit-timm-noembed": (
        "vit_tiny_patch16_224", {"reg_tokens": 3, "no_embed_class": True, "global_pool": "map"},
        {"crop_pct": 0.8, "crop_mode": "squash", **HALVES},
    ),
}


def set_activation(function):
    def change(model):
        for module in model.modules():
            for name in ("act", "activation_fn"):
                if hasattr(module, name):
                    setattr(module, name, function)
    return change


def zero(select):
    def change(model):
        for name, p in model.named_parameters():
            if select(name):
                p.zero_()
    return change


def one(select):
    def change(model):
        for name, p in model.named_parameters():
            if select(name):
                p.fill_(1.0)
    return change


@torch.no_grad()
def timm_model(name):
    architecture, args, trained = TIMM[name]
    args = {**SMALL, **args}
    trained = {
        "input_size": [3, 44, 44], "fixed_input_size": True, "interpolation": "bicubic", "num_classes": CLASSES,
        "first_conv": "patch_embed.proj", "classifier": "head", **trained,
    }
    labels = [f"thing {n}" for n in range(CLASSES)]
    config = {"architecture": architecture, "num_classes": CLASSES, "model_args": args, "pretrained_cfg": trained}
    if name != "vit-timm-gap":
        config["label_names"] = labels
    golden = Golden(name, config, versions())
    timm.layers.set_fused_attn(False)
    model = fill(timm.create_model(architecture, num_classes=CLASSES, **args), name)
    transform = create_transform(**resolve_data_config(pretrained_cfg=trained))
    x = torch.stack([transform(picture(file)) for file in PICTURES])
    golden.json["pictures"] = PICTURES
    golden.add("pixel_values", x)
    with Taps({"image/embeddings": model.norm_pre, "image/layer_0": model.blocks[0], "image/layer_1": model.blocks[1]}) as values:
        features = model.forward_features(x)
    for tap, value in values.items():
        golden.add(tap, value)
    golden.add("image/features", features)
    golden.add("image/pooled", model.forward_head(features, pre_logits=True))
    golden.add("logits", model(x))
    golden.check_rounding("logits", copy.deepcopy(model).double()(x.double()))
    erf = isinstance(model.blocks[0].mlp.act, torch.nn.GELU) and model.blocks[0].mlp.act.approximate == "none"
    other = torch.nn.GELU("tanh" if erf else "none")
    golden.negative("tanh for erf" if erf else "erf for tanh", "logits", turned(model, set_activation(other))(x))
    pooled = lambda rows: model.head(model.fc_norm(rows))
    prefix = model.num_prefix_tokens
    if model.attn_pool is None:
        golden.negative("the first row instead of the pooled one" if model.global_pool == "avg" else "the mean instead of the class row",
                        "logits", pooled(features[:, 0] if model.global_pool == "avg" else features.mean(1)))
        if prefix and model.global_pool == "avg":
            golden.negative("the prefix in the mean", "logits", pooled(features.mean(1)))
    elif prefix:
        golden.negative("the prefix in the pooling head", "logits", pooled(model.attn_pool(features)))
    if model.global_pool == "avg" and not isinstance(model.fc_norm, torch.nn.Identity):
        golden.negative("the norm before the mean", "logits", model.head(model.fc_norm(features)[:, prefix:].mean(1)))
    if model.reg_token is not None:
        golden.negative("without registers", "logits", turned(model, zero(lambda name: name == "reg_token"))(x))
    if hasattr(model.blocks[0].ls1, "gamma"):
        golden.negative("without LayerScale", "logits", turned(model, one(lambda name: name.endswith("gamma")))(x))
    if not model.no_embed_class and prefix:
        def no_positions(other):
            other.pos_embed[:, :prefix] = 0
        golden.negative("no positions for the prefix", "logits", turned(model, no_positions)(x))
    golden.write(model.state_dict())


def hub_name(name):
    """The name in memory (5.x) -> the name in published files."""
    for ours, theirs in {
        ".layers.": ".encoder.layer.", ".attention.q_proj.": ".attention.attention.query.", ".attention.k_proj.": ".attention.attention.key.",
        ".attention.v_proj.": ".attention.attention.value.", ".attention.o_proj.": ".attention.output.dense.",
        ".mlp.fc1.": ".intermediate.dense.", ".mlp.fc2.": ".output.dense.",
    }.items():
        name = name.replace(ours, theirs)
    return name


@torch.no_grad()
def hugging_face():
    """ViTForImageClassification; the same weights twice, as published files and as transformers 5 call them."""
    labels = ["cat", "rocket", "astronaut", "cup", "none of them"]
    # What is left out has its default: erf, an epsilon of 1e-12, biases.
    config = {
        "architectures": ["ViTForImageClassification"], "model_type": "vit", "hidden_size": 48, "num_attention_heads": 4,
        "intermediate_size": 68, "num_hidden_layers": 2, "patch_size": 14, "image_size": 44,
        "id2label": {str(n): label for n, label in enumerate(labels)}, "label2id": {label: n for n, label in enumerate(labels)},
    }
    processor = {
        "do_normalize": True, "do_rescale": True, "do_resize": True, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5],
        "image_processor_type": "ViTImageProcessor", "resample": 2, "rescale_factor": 0.00392156862745098, "size": {"height": 44, "width": 44},
    }
    golden = Golden("vit-hf", config, versions())
    hf = ViTConfig(**copy.deepcopy(config))
    hf._attn_implementation = "eager"
    model = fill(ViTForImageClassification._from_config(hf, attn_implementation="eager"), "vit-hf")
    prepare = ViTImageProcessorPil(size={"height": 44, "width": 44})
    x = prepare([picture(name) for name in PICTURES], return_tensors="pt")["pixel_values"]
    golden.json["pictures"] = PICTURES
    golden.add("pixel_values", x)
    with Taps({"image/embeddings": model.vit.embeddings, "image/layer_0": model.vit.layers[0], "image/layer_1": model.vit.layers[1]}) as values:
        features = model.vit(x).last_hidden_state
    for tap, value in values.items():
        golden.add(tap, value)
    golden.add("image/features", features)
    golden.add("image/pooled", features[:, 0])
    golden.add("logits", model(x).logits)
    golden.check_rounding("logits", copy.deepcopy(model).double()(x.double()).logits)
    golden.negative("tanh for erf", "logits", turned(model, set_activation(torch.nn.GELU("tanh")))(x).logits)
    golden.negative("the mean instead of the class row", "logits", model.classifier(features.mean(1)))
    golden.write({hub_name(name): value for name, value in model.state_dict().items()}, preprocessor_config=processor)
    other = Golden("vit-hf-names-5x", config, versions())
    other.json["goldens_of"] = "vit-hf"
    other.write(model.state_dict(), preprocessor_config=processor)


MAKE = {**{name: lambda name=name: timm_model(name) for name in TIMM}, "vit-hf": hugging_face}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", nargs="*", choices=MAKE)
    torch.set_num_threads(1)
    for name in parser.parse_args().only or MAKE:
        MAKE[name]()
    print(versions())


if __name__ == "__main__":
    main()
