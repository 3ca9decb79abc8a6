"""Shifts of convolution weights as few numbers as do."""

from __future__ import annotations

import torch
from torch import Tensor


def truncated(shift: Tensor, rank: int) -> Tensor:
    """The nearest tensor of rank ``rank`` (Eckart and Young), as ``[out, in * k * k]``.

    shift ``[out, in, k, k]`` (or any with at least two axes) -> the same shape; ``rank`` 0, or
    one that is not smaller, leaves it.
    """
    flat = shift.reshape(shift.shape[0], -1)
    if rank <= 0 or rank >= min(flat.shape):
        return shift
    left, values, right = torch.linalg.svd(flat.double(), full_matrices=False)
    kept: Tensor = (left[:, :rank] * values[:rank]) @ right[:rank]
    return kept.to(shift.dtype).reshape(shift.shape)


def numbers(shift: Tensor, rank: int) -> int:
    """How many numbers describe a shift of that rank."""
    out, rest = shift.shape[0], shift[0].numel()
    return out * rest if rank <= 0 else min(out * rest, rank * (out + rest))
