"""What the CPU multiplies fastest."""

import torch

able = torch.cpu.get_capabilities()
# A CPU without instructions for bfloat16 takes fifty times as long for it as for f32.
FAST = torch.bfloat16 if able["avx512_bf16"] or able["amx_bf16"] else torch.float32
