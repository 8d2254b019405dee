"""What `siglip.py` and `vit.py` share: random weights, taps, negatives, and how a golden checkpoint is written."""

import copy
import json
import math
import os
import platform
import zlib

import numpy
import PIL
import safetensors
import timm
import torch
import transformers
from PIL import Image
from safetensors.torch import save_file

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
GOLDENS, PICTURES = os.path.join(TESTS, "goldens"), os.path.join(TESTS, "pictures")

# A negative must miss by ten times what the tests allow, in deviations of what is compared.
LEAST_MISS = 1e-3
# And the reference's own rounding must be far below that.
MOST_ROUNDING = 2e-5

# Standard deviations of a matrix's products where its input has one of 1, by the end of the module's name.
GAINS = {"q_proj": 1.6, "k_proj": 1.6, "query": 1.6, "key": 1.6, "fc1": 1.0, "intermediate.dense": 1.0, "fc2": 5.0, "output.dense": 5.0}


def turned(model, change):
    """A copy of a model with one thing changed."""
    other = copy.deepcopy(model)
    with torch.no_grad():
        change(other)
    return other


def representable(w):
    """Rounds to values that float16 holds exactly, so that every stored dtype agrees."""
    return w.half().float()


def draw(checkpoint, name, shape):
    """One tensor, moved away from every start value; its generator depends on names alone."""
    g = torch.Generator().manual_seed(zlib.crc32(f"{checkpoint}/{name}".encode()))
    n = lambda std: torch.randn(shape, generator=g) * std
    module = name.rsplit(".", 1)[0]
    if name == "logit_scale":
        return math.log(10) + n(0.1)
    if name == "logit_bias":
        return -10 + n(0.1)
    if "norm" in module and len(shape) == 1:
        return 1 + n(0.2) if name.endswith("weight") else n(0.2)
    if name.endswith("gamma"):
        return 0.6 + n(0.2)
    if any(part in name for part in ("token_embedding", "probe", "latent", "cls_token", "reg_token")):
        return n(1.0)
    if "pos_embed" in name or "position_embedding" in name:
        return n(0.5)
    if name.endswith("bias"):
        # Erf and tanh differ most around -2.2 and nearly nowhere else.
        inner = module.endswith(("fc1", "intermediate.dense"))
        return n(0.7) - (1.7 if inner else 0) if inner else n(0.2)
    fan_in = math.prod(shape[1:])
    gain = next((gain for end, gain in GAINS.items() if module.endswith(end)), 1.3)
    return n(gain / math.sqrt(fan_in))


def fill(model, checkpoint):
    """Gives every parameter of a model its random values."""
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.copy_(representable(draw(checkpoint, name, tuple(p.shape))))
    return model.eval()


def picture(name):
    """A picture of the tests as RGB: alpha over white."""
    from pictures import load_rgb

    return load_rgb(os.path.join(PICTURES, name))


def noise(name, height, width):
    """A picture of random bytes."""
    g = torch.Generator().manual_seed(zlib.crc32(name.encode()))
    return Image.fromarray(torch.randint(0, 256, (height, width, 3), generator=g, dtype=torch.uint8).numpy())


class Taps:
    """Outputs of modules by name while it is open."""

    def __init__(self, modules):
        self.modules, self.values, self.handles = modules, {}, []

    def __enter__(self):
        def recorder(name):
            def hook(_module, _args, output):
                self.values[name] = (output[0] if isinstance(output, tuple) else output).detach().clone()
            return hook

        self.handles = [module.register_forward_hook(recorder(name)) for name, module in self.modules.items()]
        return self.values

    def __exit__(self, *_):
        for handle in self.handles:
            handle.remove()


def miss(found, expected):
    """The largest difference in deviations of what was expected."""
    found, expected = found.double(), expected.double()
    return ((found - expected).abs().max() / expected.std()).item()


class Golden:
    """A golden checkpoint: its files, outputs, and what is known of its tolerances."""

    def __init__(self, name, config, model_versions):
        self.name, self.config = name, config
        self.tensors, self.json = {}, {"schema": 1, "checkpoint": name, "versions": model_versions}
        self.json.update({"rounding": {}, "negatives": {}})

    def add(self, name, value):
        assert name not in self.tensors, name
        self.tensors[name] = value.detach().clone().contiguous()

    def check_rounding(self, name, exact):
        """Compares with the same run in f64."""
        far = miss(self.tensors[name], exact)
        self.json["rounding"][name] = far
        assert far < MOST_ROUNDING, f"{self.name}: {name} is {far} from f64"

    def negative(self, turned, name, found):
        """A run with one thing turned must miss; `turned` says which."""
        far = miss(found, self.tensors[name])
        self.json["negatives"][turned] = {"output": name, "miss": far}
        assert far > LEAST_MISS, f"{self.name}: {turned} misses {name} by {far} alone"

    def write(self, weights, dtype=torch.float16, **files):
        folder = os.path.join(GOLDENS, self.name)
        os.makedirs(folder, exist_ok=True)
        stored = {}
        for name, value in sorted(weights.items()):
            value = value.detach().clone().contiguous()
            stored[name] = value.to(dtype) if value.is_floating_point() else value
            assert torch.equal(stored[name].to(value.dtype), value), f"{name} is not exact in {dtype}"
        save_file(stored, os.path.join(folder, "model.safetensors"), metadata={"format": "pt"})
        if self.tensors:
            save_file(self.tensors, os.path.join(folder, "golden.safetensors"))
        for file, value in {"config": self.config, "golden": self.json, **files}.items():
            with open(os.path.join(folder, f"{file}.json"), "w") as f:
                json.dump(value, f, indent=1)
                f.write("\n")
        size = sum(os.path.getsize(os.path.join(folder, file)) for file in os.listdir(folder))
        assert size < 1 << 20, f"{self.name} takes {size} bytes"
        print(f"{self.name}: {size} bytes")
        for turned, found in self.json["negatives"].items():
            print(f"  {turned}: {found['output']} misses by {found['miss']:.2g}")


def versions():
    return {
        "python": platform.python_version(), "torch": torch.__version__, "transformers": transformers.__version__,
        "timm": timm.__version__, "safetensors": safetensors.__version__, "pillow": PIL.__version__,
        "numpy": numpy.__version__,
    }
