"""Writes tests/goldens/siglip-*: small SigLIP checkpoints of random weights, run through Hugging Face transformers.

Goldens are never made again so that a test passes; see README.md.
"""

import argparse
import copy

import numpy as np
import torch
import torch.nn.functional as F
from transformers import (
    Siglip2Config, Siglip2ImageProcessorPil, Siglip2Model, SiglipConfig, SiglipForImageClassification,
    SiglipImageProcessorPil, SiglipModel, SiglipTextConfig, SiglipTextModel, SiglipVisionConfig, SiglipVisionModel,
)

from encoders import Golden, Taps, fill, miss, noise, picture, turned, versions

PICTURES = ["cat.png", "rocket.png", "astronaut-grey.png"]
VISION = {
    "hidden_size": 48, "num_attention_heads": 4, "intermediate_size": 68, "num_hidden_layers": 2, "patch_size": 14,
    "image_size": 44, "model_type": "siglip_vision_model",
}
TEXT = {
    "hidden_size": 40, "num_attention_heads": 2, "intermediate_size": 52, "num_hidden_layers": 3, "vocab_size": 101,
    "max_position_embeddings": 7, "projection_size": 48, "model_type": "siglip_text_model",
}
# Short and padded, as long as can be, and cut: always the end token last, where it is not padding.
TEXTS = [[17, 5, 1, 1, 1, 1, 1], [3, 88, 41, 100, 9, 62, 1], [7, 7, 30, 2, 55, 19, 1]]
NAFLEX_VISION = {
    "hidden_size": 36, "num_attention_heads": 3, "intermediate_size": 52, "num_hidden_layers": 2, "patch_size": 4,
    "num_patches": 16, "model_type": "siglip2_vision_model",
}
NAFLEX_TEXT = {**TEXT, "hidden_size": 24, "intermediate_size": 44, "projection_size": 36, "model_type": "siglip2_text_model"}
NAFLEX_TEXTS = [[17, 5, 1, 0, 0, 0, 0], [3, 88, 41, 100, 9, 62, 1], [7, 7, 30, 2, 55, 19, 1]]
# Grids of 3 x 5, 1 x 7 and 4 x 4 patches; the pictures are not resized.
NAFLEX_SIZES = [(12, 20), (4, 28), (16, 16)]


def processor(size):
    return {
        "do_convert_rgb": True, "do_normalize": True, "do_rescale": True, "do_resize": True,
        "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "image_processor_type": "SiglipImageProcessor",
        "resample": 3, "rescale_factor": 0.00392156862745098, "size": {"height": size, "width": size},
    }


def naflex_processor(patch, budget):
    return {
        "do_convert_rgb": True, "do_normalize": True, "do_rescale": True, "do_resize": True,
        "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "image_processor_type": "Siglip2ImageProcessor",
        "max_num_patches": budget, "patch_size": patch, "resample": 2, "rescale_factor": 0.00392156862745098,
    }


def pixels(size):
    prepare = SiglipImageProcessorPil(size={"height": size, "width": size})
    return prepare([picture(name) for name in PICTURES], return_tensors="pt")["pixel_values"]


def tower_taps(tower, prefix):
    layers = tower.encoder.layers
    taps = {f"{prefix}/embeddings": tower.embeddings, f"{prefix}/layer_0": layers[0]}
    return {**taps, f"{prefix}/layer_{len(layers) - 1}": layers[-1]}


def eager(config):
    config._attn_implementation = "eager"
    for part in ("vision_config", "text_config"):
        if getattr(config, part, None) is not None:
            getattr(config, part)._attn_implementation = "eager"
    return config


def set_activation(function):
    def change(model):
        for module in model.modules():
            if hasattr(module, "activation_fn"):
                module.activation_fn = function
    return change


def swap_order(model):
    """Keys for queries and queries for keys, as a file that is taken for one of another order."""
    attention = model.vision_model.head.attention
    for p in (attention.in_proj_weight, attention.in_proj_bias):
        d = p.shape[0] // 3
        p.copy_(torch.cat([p[d : 2 * d], p[:d], p[2 * d :]]))


def probe_as_residual(tower, features):
    """The pooled row if the probe were added to what attention gives."""
    head = tower.head
    probe = head.probe.repeat(features.shape[0], 1, 1)
    x = head.attention(probe, features, features)[0] + probe
    return (x + head.mlp(head.layernorm(x)))[:, 0]


def add_similarity(golden, model, image, text):
    """What a contrastive model makes of raw rows: logits, loss and gradients."""
    image, text = image.detach().requires_grad_(), text.detach().requires_grad_()
    scale, bias = model.logit_scale.detach().requires_grad_(), model.logit_bias.detach().requires_grad_()
    z, w = image / image.norm(dim=-1, keepdim=True), text / text.norm(dim=-1, keepdim=True)
    logits = z @ w.t() * scale.exp() + bias
    signs = 2 * torch.eye(len(z)) - 1
    loss = -F.logsigmoid(signs * logits).sum(-1).mean()
    loss.backward()
    golden.add("logits_per_image", logits)
    golden.add("scores", logits.sigmoid())
    golden.add("loss", loss)
    for name, value in {"image": image, "text": text, "scale": scale, "bias": bias}.items():
        golden.add(f"gradient/{name}", value.grad)
    return logits, loss


@torch.no_grad()
def run_image(model, golden, x):
    taps = tower_taps(model.vision_model, "image")
    with Taps(taps) as values:
        out = model.vision_model(pixel_values=x)
    for name, value in values.items():
        golden.add(name, value)
    golden.add("image/features", out.last_hidden_state)
    golden.add("image/pooled", out.pooler_output)


@torch.no_grad()
def run_text(model, golden, ids, tower=None):
    tower = tower or model.text_model
    with Taps(tower_taps(tower, "text")) as values:
        out = tower(input_ids=ids)
    for name, value in values.items():
        golden.add(name, value)
    golden.add("text/last_hidden_state", out.last_hidden_state)
    golden.add("text/pooled", out.pooler_output)
    exact = copy.deepcopy(tower).double()(input_ids=ids).pooler_output
    golden.check_rounding("text/pooled", exact)
    golden.negative("erf for tanh in the text tower", "text/pooled", turned(tower, set_activation(torch.nn.GELU()))(input_ids=ids).pooler_output)
    golden.negative("the first row instead of the last", "text/pooled", tower.head(out.last_hidden_state[:, 0]))
    golden.negative("a text that ends with its end token", "text/pooled", tower(input_ids=ids[:, :6]).pooler_output)
    short = (ids == 1).long().cumsum(-1).le(1).long() * (ids != 0)
    golden.negative("padding masked", "text/pooled", tower(input_ids=ids, attention_mask=short).pooler_output)


def siglip():
    """SigLIP 1 of a fixed size: both towers."""
    config = {
        "architectures": ["SiglipModel"], "model_type": "siglip", "text_config": TEXT, "vision_config": VISION,
    }
    golden = Golden("siglip-1", config, versions())
    model = fill(SiglipModel._from_config(eager(SiglipConfig(**copy.deepcopy(config))), attn_implementation="eager"), "siglip-1")
    x, ids = pixels(44), torch.tensor(TEXTS)
    golden.json.update({"pictures": PICTURES, "texts": TEXTS})
    golden.add("pixel_values", x)
    run_image(model, golden, x)
    image = lambda other: other.vision_model(pixel_values=x).pooler_output
    with torch.no_grad():
        golden.check_rounding("image/pooled", copy.deepcopy(model).double().vision_model(pixel_values=x.double()).pooler_output)
        golden.negative("erf for tanh in the image tower", "image/pooled", image(turned(model, set_activation(torch.nn.GELU()))))
        golden.negative("keys and queries of the head swapped", "image/pooled", image(turned(model, swap_order)))
        golden.negative("the probe as a residual", "image/pooled", probe_as_residual(model.vision_model, golden.tensors["image/features"]))
        golden.negative("red and blue swapped", "image/pooled", model.vision_model(pixel_values=x.flip(1)).pooler_output)
        golden.negative("mirrored", "image/pooled", model.vision_model(pixel_values=x.flip(3)).pooler_output)
    run_text(model, golden, ids)
    logits, loss = add_similarity(golden, model, golden.tensors["image/pooled"], golden.tensors["text/pooled"])
    whole = model(pixel_values=x, input_ids=ids, return_loss=True)
    assert miss(logits, whole.logits_per_image) < 1e-5 and abs(loss - whole.loss) < 1e-5
    golden.write(model.state_dict(), preprocessor_config=processor(44))


def naflex():
    """SigLIP 2 of any size: grids that are not the table's, and one that is."""
    config = {
        "architectures": ["Siglip2Model"], "model_type": "siglip2", "text_config": NAFLEX_TEXT, "vision_config": NAFLEX_VISION,
    }
    golden = Golden("siglip-naflex", config, versions())
    model = fill(Siglip2Model._from_config(eager(Siglip2Config(**copy.deepcopy(config))), attn_implementation="eager"), "siglip-naflex")
    prepare = Siglip2ImageProcessorPil(patch_size=4, max_num_patches=16, do_resize=False)
    golden.json["texts"], golden.json["grids"] = NAFLEX_TEXTS, []
    pooled = []
    for n, (height, width) in enumerate(NAFLEX_SIZES):
        image = noise(f"naflex {height} {width}", height, width)
        inputs = prepare([image], return_tensors="pt")
        grid = inputs["spatial_shapes"][0].tolist()
        assert grid == [height // 4, width // 4], grid
        golden.json["grids"].append(grid)
        golden.add(f"picture/{n}", torch.from_numpy(np.asarray(image).copy()))
        rows = grid[0] * grid[1]
        with torch.no_grad():
            # Padded to the budget with masks, as the reference has it, and without any padding.
            padded = model.vision_model(**inputs)
            x, mask, shape = inputs["pixel_values"][:, :rows], inputs["pixel_attention_mask"][:, :rows], inputs["spatial_shapes"]
            with Taps(tower_taps(model.vision_model, f"image/{n}")) as values:
                plain = model.vision_model(pixel_values=x, pixel_attention_mask=mask, spatial_shapes=shape)
            exact = copy.deepcopy(model).double().vision_model(pixel_values=x.double(), pixel_attention_mask=mask, spatial_shapes=shape)
        assert miss(padded.pooler_output, plain.pooler_output) < 1e-5
        assert miss(padded.last_hidden_state[:, :rows], plain.last_hidden_state) < 1e-5
        for name, value in values.items():
            golden.add(name, value[0])
        golden.add(f"image/{n}/features", plain.last_hidden_state[0])
        golden.add(f"image/{n}/pooled", plain.pooler_output)
        golden.check_rounding(f"image/{n}/pooled", exact.pooler_output)
        pooled.append(plain.pooler_output)
        with torch.no_grad():
            run = lambda x, shape: model.vision_model(pixel_values=x, pixel_attention_mask=mask, spatial_shapes=shape).pooler_output
            tag = f"{grid[0]} x {grid[1]}: "
            if grid[0] != grid[1]:
                golden.negative(tag + "positions of the transposed grid", f"image/{n}/pooled", run(x, shape.flip(1)))
            by_channel = x.reshape(1, rows, 16, 3).transpose(2, 3).reshape(1, rows, 48)
            golden.negative(tag + "channels first in a patch", f"image/{n}/pooled", run(by_channel, shape))
            if grid != [4, 4]:
                square = F.interpolate(
                    model.vision_model.embeddings.position_embedding.weight.T.reshape(1, 36, 4, 4), size=grid, mode="bilinear", antialias=False
                )
                ours = model.vision_model.embeddings.resize_positional_embeddings(
                    model.vision_model.embeddings.position_embedding.weight.reshape(4, 4, 36), shape, rows
                )
                golden.json["negatives"][tag + "without antialias"] = {
                    "output": "positions", "miss": miss(square.flatten(2).transpose(1, 2), ours),
                }
    run_text(model, golden, torch.tensor(NAFLEX_TEXTS))
    add_similarity(golden, model, torch.cat(pooled), golden.tensors["text/pooled"])
    golden.write(model.state_dict(), preprocessor_config=naflex_processor(4, 16))


def vision_only(name, head, stored):
    """A tower by itself, with and without its head; one with the names in memory, one with those in published files."""
    config = {**VISION, "architectures": ["SiglipVisionModel"], "vision_use_head": head}
    golden = Golden(name, config, versions())
    model = fill(SiglipVisionModel._from_config(eager(SiglipVisionConfig(**copy.deepcopy(config))), attn_implementation="eager"), name)
    x = pixels(44)
    golden.json["pictures"] = PICTURES
    golden.add("pixel_values", x)
    with torch.no_grad():
        with Taps(tower_taps(model, "image")) as values:
            out = model(pixel_values=x)
        exact = copy.deepcopy(model).double()(pixel_values=x.double())
        other = turned(model, set_activation(torch.nn.GELU()))(pixel_values=x)
    for tap, value in values.items():
        golden.add(tap, value)
    golden.add("image/features", out.last_hidden_state)
    golden.check_rounding("image/features", exact.last_hidden_state)
    golden.negative("erf for tanh: features", "image/features", other.last_hidden_state)
    if head:
        golden.add("image/pooled", out.pooler_output)
        golden.check_rounding("image/pooled", exact.pooler_output)
        golden.negative("erf for tanh", "image/pooled", other.pooler_output)
    else:
        assert out.pooler_output is None
    golden.write({stored + key: value for key, value in model.state_dict().items()}, preprocessor_config=processor(44))


def text_only():
    """A text tower by itself; what the configuration leaves out has its default there: projection_size is hidden_size."""
    config = {key: value for key, value in TEXT.items() if key != "projection_size"}
    config["architectures"] = ["SiglipTextModel"]
    golden = Golden("siglip-text", config, versions())
    model = fill(SiglipTextModel._from_config(eager(SiglipTextConfig(**copy.deepcopy(config))), attn_implementation="eager"), "siglip-text")
    golden.json["texts"] = TEXTS
    run_text(None, golden, torch.tensor(TEXTS), model)
    golden.write(model.state_dict())


def classifier():
    """A classifier over the mean of the tower's rows; its file has the pooling head's weights too, as published ones have."""
    labels = ["cat", "rocket", "astronaut", "cup", "none of them"]
    config = {
        "architectures": ["SiglipForImageClassification"], "model_type": "siglip",
        "id2label": {str(n): label for n, label in enumerate(labels)}, "label2id": {label: n for n, label in enumerate(labels)},
        "text_config": TEXT, "vision_config": VISION,
    }
    golden = Golden("siglip-classifier", config, versions())
    hf = eager(SiglipConfig(**copy.deepcopy(config)))
    model = fill(SiglipForImageClassification._from_config(hf, attn_implementation="eager"), "siglip-classifier")
    x = pixels(44)
    golden.json["pictures"] = PICTURES
    golden.add("pixel_values", x)
    with torch.no_grad():
        out = model.vision_model(pixel_values=x)
        golden.add("image/features", out.last_hidden_state)
        golden.add("image/pooled", out.last_hidden_state.mean(1))
        golden.add("logits", model(pixel_values=x).logits)
        golden.check_rounding("logits", copy.deepcopy(model).double()(pixel_values=x.double()).logits)
        golden.negative("the row of the pooling head", "logits", model.classifier(out.pooler_output))
        golden.negative("the first row", "logits", model.classifier(out.last_hidden_state[:, 0]))
        golden.negative("erf for tanh", "logits", turned(model, set_activation(torch.nn.GELU()))(pixel_values=x).logits)
    golden.write(model.state_dict(), preprocessor_config=processor(44))


MAKE = {
    "siglip-1": siglip, "siglip-naflex": naflex,
    "siglip-vision": lambda: vision_only("siglip-vision", True, ""),
    "siglip-vision-headless": lambda: vision_only("siglip-vision-headless", False, "vision_model."),
    "siglip-text": text_only, "siglip-classifier": classifier,
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", nargs="*", choices=MAKE)
    torch.set_num_threads(1)
    for name in parser.parse_args().only or MAKE:
        MAKE[name]()
    print(versions())


if __name__ == "__main__":
    main()
