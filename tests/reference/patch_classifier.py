"""Writes tests/goldens/patch-classifier: random weights, a random picture, and the logits that numpy computes in f64."""

import json
import pathlib

import numpy as np
from safetensors.numpy import save_file

SIZE, PATCH, WIDTH, CLASSES = 17, 5, 12, 7
folder = pathlib.Path(__file__).parent.parent / "goldens/patch-classifier"
random = np.random.default_rng(0)
k = 3 * PATCH * PATCH
tensors = {
    "classifier.hidden.weight": random.normal(0, 0.3, (WIDTH, k)),
    "classifier.hidden.bias": random.normal(0, 0.5, WIDTH),
    "classifier.head.weight": random.normal(0, 0.5, (CLASSES, WIDTH)),
    "classifier.head.bias": random.normal(0, 0.5, CLASSES),
}
tensors = {name: value.astype(np.float32) for name, value in tensors.items()}
image = random.uniform(-1, 1, (SIZE, SIZE, 3)).astype(np.float32)
grid = SIZE // PATCH
rows = [
    image[y * PATCH : (y + 1) * PATCH, x * PATCH : (x + 1) * PATCH].transpose(2, 0, 1).ravel()
    for y in range(grid)
    for x in range(grid)
]
w = {name: value.astype(np.float64) for name, value in tensors.items()}
h = np.array(rows, np.float64) @ w["classifier.hidden.weight"].T + w["classifier.hidden.bias"]
h = 0.5 * h * (1 + np.tanh(np.sqrt(2 / np.pi) * (h + 0.044715 * h**3)))
logits = h @ w["classifier.head.weight"].T + w["classifier.head.bias"]
save_file(tensors, folder / "model.safetensors")
config = {"model_type": "patch_classifier", "image_size": SIZE, "patch_size": PATCH, "hidden_size": WIDTH, "num_labels": CLASSES}
(folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
golden = {"image": image.ravel().tolist(), "logits": logits.ravel().tolist()}
(folder / "golden.json").write_text(json.dumps(golden) + "\n")
