"""Which numbers are quick on a device: bfloat16 where it multiplies in them.

A processor without such instructions emulates them, and is then more than ten times slower than
in float32.
"""

from __future__ import annotations

import torch


def quick_dtype(device: torch.device | str) -> torch.dtype:
    """The type in which a quick picture is computed on a device.

    Args:
        device: such as "cpu" or "cuda:0".

    Returns:
        ``torch.bfloat16`` where the device multiplies in it, else ``torch.float32``.
    """
    kind = torch.device(device).type
    if kind == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    if kind == "cpu" and torch.cpu.get_capabilities().get("avx512_bf16", False):
        return torch.bfloat16
    return torch.float32


def mixed_precision(device: torch.device | str, wanted: bool = True) -> torch.autocast:
    """A context whose convolutions and products are in bfloat16 where that is quicker.

    Args:
        device: where the network is.
        wanted: with False it changes nothing, as on devices that gain nothing.

    Returns:
        The context, to be entered around the network's call.

    >>> with mixed_precision("cpu", wanted=False):
    ...     print(torch.ones(2).dtype)
    torch.float32
    """
    enabled = wanted and quick_dtype(device) is torch.bfloat16
    return torch.autocast(torch.device(device).type, torch.bfloat16, enabled=enabled)
