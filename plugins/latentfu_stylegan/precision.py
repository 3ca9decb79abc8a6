"""Which numbers a quick picture is computed in."""

from __future__ import annotations

import torch


def quick_dtype(device: torch.device) -> torch.dtype:
    """bfloat16 where the device multiplies in it, else float32 (it would be slower emulated)."""
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    if device.type == "cpu" and torch.cpu.get_capabilities().get("avx512_bf16", False):
        return torch.bfloat16
    return torch.float32
