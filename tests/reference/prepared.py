"""Writes tests/goldens/pictures/prepared.*: pictures of all shapes as processors of transformers and timm prepare them.

The pictures are noise from a hash of each byte's place, which the test makes again.
"""

import json
import os

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from timm.data import create_transform, resolve_data_config
from transformers import DeiTImageProcessorPil, Siglip2ImageProcessorPil, SiglipImageProcessorPil, ViTImageProcessorPil

from encoders import GOLDENS, versions

SIDE = 20
# Height and width.
SIZES = [(480, 640), (37, 911), (911, 37), (1, 1), (21, 21)]
SQUARE = {"height": SIDE, "width": SIDE}
# name -> (class, what its preprocessor_config.json says)
TRANSFORMERS = {
    "siglip": (SiglipImageProcessorPil, {"size": SQUARE, "resample": 3}),
    "siglip2": (SiglipImageProcessorPil, {"size": SQUARE, "resample": 2}),
    "vit": (ViTImageProcessorPil, {"size": SQUARE}),
    "vit-shortest": (ViTImageProcessorPil, {"do_center_crop": True, "size": {"shortest_edge": 27}, "crop_size": SQUARE, "resample": 3}),
    "deit": (DeiTImageProcessorPil, {
        "do_center_crop": True, "size": {"height": 25, "width": 25}, "crop_size": SQUARE, "resample": 3,
        "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225],
    }),
    "naflex": (Siglip2ImageProcessorPil, {"patch_size": 4, "max_num_patches": 25}),
}
# name -> pretrained_cfg
TIMM = {
    "timm-center": {"crop_pct": 0.9, "crop_mode": "center", "interpolation": "bicubic", "mean": [0.5] * 3, "std": [0.5] * 3},
    "timm-odd": {"crop_pct": 0.87, "interpolation": "bilinear"},
    "timm-default": {},
    "timm-squash": {"crop_pct": 0.8, "crop_mode": "squash", "interpolation": "bicubic"},
    "timm-whole": {"crop_pct": 1.0, "crop_mode": "squash"},
}


def picture(height, width):
    x = np.arange(height * width * 3, dtype=np.uint32) * np.uint32(0x9E3779B1)
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x85EBCA6B)
    x ^= x >> np.uint32(13)
    return Image.fromarray((x >> np.uint32(24)).astype(np.uint8).reshape(height, width, 3))


def main():
    torch.set_num_threads(1)
    tensors, cases = {}, []

    def add(kind, name, config, size, rows):
        key = f"{name} {size[0]} {size[1]}"
        tensors[key] = rows.float().contiguous()
        cases.append({"kind": kind, "config": config, "size": list(size), "target": list(rows.shape[:2]), "tensor": key})

    for size in SIZES:
        image = picture(*size)
        for name, (kind, config) in TRANSFORMERS.items():
            out = kind(**config)([image], return_tensors="pt")
            if name != "naflex":
                add("vit" if name == "vit" else "square", name, config, size, out["pixel_values"][0].permute(1, 2, 0))
                continue
            (rows, columns), patch = out["spatial_shapes"][0].tolist(), config["patch_size"]
            patches = out["pixel_values"][0, : rows * columns].reshape(rows, columns, patch, patch, 3)
            add("patches", name, config, size, patches.permute(0, 2, 1, 3, 4).reshape(rows * patch, columns * patch, 3))
        for name, config in TIMM.items():
            config = {"input_size": [3, SIDE, SIDE], **config}
            transform = create_transform(**resolve_data_config(pretrained_cfg=config))
            add("timm", name, config, size, transform(image).permute(1, 2, 0))
    folder = os.path.join(GOLDENS, "pictures")
    save_file(tensors, os.path.join(folder, "prepared.safetensors"))
    with open(os.path.join(folder, "prepared.json"), "w") as f:
        json.dump({"schema": 1, "versions": versions(), "side": SIDE, "cases": cases}, f, indent=1)
        f.write("\n")
    print(len(cases), "cases", versions())


if __name__ == "__main__":
    main()
