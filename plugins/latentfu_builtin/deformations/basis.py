"""The subspace of a layer's shifts in which directions are looked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


class Basis(Protocol):
    """Orthonormal shifts of one convolution."""

    def __len__(self) -> int: ...

    def combined(self, rows: Tensor) -> Tensor:
        """Their sums with the weights ``rows [n, len]``, as ``[n, out, in, k, k]``."""

    def tensors(self) -> dict[str, Tensor]:
        """All that it consists of; ``basis_of`` takes it back."""


@dataclass(frozen=True)
class VectorBasis:
    """Vectors held whole, ``[B, out, in, k, k]``: eigenvectors."""

    vectors: Tensor

    def __len__(self) -> int:
        return len(self.vectors)

    def combined(self, rows: Tensor) -> Tensor:
        """Sums of the vectors."""
        flat = rows @ self.vectors.flatten(1)  # [n, out in k k]
        return flat.reshape(-1, *self.vectors.shape[1:])

    def tensors(self) -> dict[str, Tensor]:
        """The vectors."""
        return {"basis.vectors": self.vectors}


@dataclass(frozen=True)
class SvdBasis:
    """Products of singular vectors, never held whole: at 512 channels they would fill 5 GB.

    ``u [k k in, B]``, ``vh [B, out]``, ``kernel``: the side k.
    """

    u: Tensor
    vh: Tensor
    kernel: int

    def __len__(self) -> int:
        return len(self.vh)

    def combined(self, rows: Tensor) -> Tensor:
        """U diag(row) V^T of each row, as kernels."""
        flat = torch.einsum("ar,nr,rb->nab", self.u, rows, self.vh)  # [n, k k in, out]
        side = self.kernel
        shaped = flat.reshape(len(rows), side, side, -1, self.vh.shape[1])
        return shaped.permute(0, 4, 3, 1, 2).contiguous()

    def tensors(self) -> dict[str, Tensor]:
        """The singular vectors."""
        return {"basis.u": self.u, "basis.vh": self.vh}


def svd_of(weight: Tensor, count: int | None = None) -> SvdBasis:
    """The first ``count`` singular directions of ``weight [out, in, k, k]`` (None: all)."""
    out, _, side, _ = weight.shape
    flat = weight.permute(2, 3, 1, 0).reshape(-1, out)  # [k k in, out]
    u, _, vh = torch.linalg.svd(flat.double(), full_matrices=False)
    return SvdBasis(u[:, :count].float(), vh[:count].float(), side)


def basis_from(tensors: Mapping[str, Tensor], kernel: int) -> Basis:
    """The basis whose ``tensors()`` these are; KeyError when they are none's."""
    if "basis.vectors" in tensors:
        return VectorBasis(tensors["basis.vectors"])
    return SvdBasis(tensors["basis.u"], tensors["basis.vh"], kernel)
