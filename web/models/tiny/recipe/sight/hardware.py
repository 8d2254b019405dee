"""Where training runs, and what multiplies fastest there."""

import os

# Prompts come in many lengths: memory that was cut for one is to serve the next.
os.environ.setdefault("PYTORCH_CUDA_ALLOC_CONF", "expandable_segments:True")

import torch

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
able = torch.cpu.get_capabilities()
# A CPU without instructions for bfloat16 takes fifty times as long for it as for f32.
FAST = torch.bfloat16 if DEVICE.type == "cuda" or able["avx512_bf16"] or able["amx_bf16"] else torch.float32
