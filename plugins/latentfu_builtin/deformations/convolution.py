"""The convolution that is deformed, pictures with it deformed, and the bases of its shifts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import latentfu
import torch
from latentfu import BadInputError, Generator, Latent, NotInstalledError, WeightOffset
from torch import Tensor

SEEN_SIDE = 128
"""What scorers and perceptual distances look at."""


@dataclass(frozen=True)
class ShiftedConvolution:
    """One layer of a generator that shows its weights."""

    generator: Generator
    layer: int

    def __post_init__(self) -> None:
        count = len(self.generator.layers)
        if count == 0:
            raise BadInputError(f"The generator {self.generator.name} shows no layers to deform.")
        if not 0 <= self.layer < count:
            raise BadInputError(
                f"The generator {self.generator.name} has no layer {self.layer}: give a number "
                f"from 0 to {count - 1}."
            )

    @property
    def parameter(self) -> str:
        """The weights' name."""
        return self.generator.layers[self.layer].weight

    @property
    def weight(self) -> Tensor:
        """The weights ``[out, in, k, k]``."""
        return self.generator.parameter(self.parameter).detach()

    def rank(self) -> int:
        """How many singular directions the weights have."""
        out = self.weight.shape[0]
        return min(out, self.weight[0].numel())

    def deform(self, latent: Latent, shift: Tensor, strength: float | Tensor = 1.0) -> Latent:
        """``latent`` with ``shift [out, in, k, k]`` added ``strength`` times."""
        return replace(latent, bends=(*latent.bends, WeightOffset(self.parameter, shift, strength)))

    def render(self, latent: Latent, shift: Tensor, strength: float | Tensor = 1.0) -> Tensor:
        """Pictures ``[N, 3, R, R]`` with the layer deformed."""
        return self.generator.render(self.deform(latent, shift, strength))

    @property
    def seen_side(self) -> int:
        """Pixels of a picture that shows what the layer does."""
        return max(SEEN_SIDE, 2 * self.generator.layers[self.layer].resolution)

    def render_seen(self, latent: Latent, shift: Tensor, strength: float | Tensor = 1.0) -> Tensor:
        """The same at ``seen_side``, ``[N, 3, S, S]``."""
        return draw_seen(self.generator, self.deform(latent, shift, strength), self.seen_side)


def draw_seen(generator: Generator, latent: Latent, side: int = SEEN_SIDE) -> Tensor:
    """Pictures ``[N, 3, S, S]`` in -1..1 of at least ``side`` pixels.

    Whole ones where the network has no more. Scorers and perceptual distances look at less, and
    a picture of 1024 px costs several times as much. Compare pictures of one side only: a
    network's small pictures are no large ones made small.
    """
    if side >= generator.resolution:
        return generator.render(latent)
    return generator.preview(latent, side).float()


def open_generator_to_deform(name: str | None, device: str = "auto") -> Generator:
    """The generator ``name``, the first listed for None; NotInstalledError when there is none."""
    names = list(latentfu.generators())
    if name is None and not names:
        raise NotInstalledError("There is no generator to deform: install one first.")
    return latentfu.open_generator(name or names[0], device)


def check_direction_count(count: int, most: int, what: str) -> None:
    """Refuse more deformations than there can be (raises BadInputError)."""
    if not 1 <= count <= most:
        raise BadInputError(f"{count} deformations were asked for; {what} has at most {most}.")


def normalize_shift(shift: Tensor) -> Tensor:
    """``shift`` with norm 1 over the whole kernel."""
    length: Tensor = torch.linalg.vector_norm(shift)
    return shift / length.clamp_min(1e-12)


class Basis(Protocol):
    """Orthonormal shifts of one convolution."""

    def __len__(self) -> int: ...

    def combine(self, rows: Tensor) -> Tensor:
        """Their sums with the weights ``rows [n, len]``, as ``[n, out, in, k, k]``."""

    def tensors(self) -> dict[str, Tensor]:
        """All that it consists of; ``rebuild_basis`` takes it back."""


@dataclass(frozen=True)
class VectorBasis:
    """Vectors held whole, ``[B, out, in, k, k]``: eigenvectors."""

    vectors: Tensor

    def __len__(self) -> int:
        return len(self.vectors)

    def combine(self, rows: Tensor) -> Tensor:
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

    def combine(self, rows: Tensor) -> Tensor:
        """U diag(row) V^T of each row, as kernels."""
        flat = torch.einsum("ar,nr,rb->nab", self.u, rows, self.vh)  # [n, k k in, out]
        side = self.kernel
        shaped = flat.reshape(len(rows), side, side, -1, self.vh.shape[1])
        return shaped.permute(0, 4, 3, 1, 2).contiguous()

    def tensors(self) -> dict[str, Tensor]:
        """The singular vectors."""
        return {"basis.u": self.u, "basis.vh": self.vh}


def decompose_weight(weight: Tensor, count: int | None = None) -> SvdBasis:
    """The first ``count`` singular directions of ``weight [out, in, k, k]`` (None: all)."""
    out, _, side, _ = weight.shape
    flat = weight.permute(2, 3, 1, 0).reshape(-1, out)  # [k k in, out]
    u, _, vh = torch.linalg.svd(flat.double(), full_matrices=False)
    return SvdBasis(u[:, :count].float(), vh[:count].float(), side)


def rebuild_basis(tensors: Mapping[str, Tensor], kernel: int) -> Basis:
    """The basis whose ``tensors()`` these are; KeyError when they are none's."""
    if "basis.vectors" in tensors:
        return VectorBasis(tensors["basis.vectors"])
    return SvdBasis(tensors["basis.u"], tensors["basis.vh"], kernel)


def find_singular_directions(convolution: ShiftedConvolution, count: int) -> Tensor:
    """The first ``count`` singular directions ``[count, out, in, k, k]``, each of norm 1.

    The weights ``[out, in, k, k]`` are unfolded to ``[k k in, out]`` = U S V^T; direction i is
    the outer product of U's column i and V's row i. BadInputError above the rank.
    """
    check_direction_count(count, convolution.rank(), f"layer {convolution.layer}")
    basis = decompose_weight(convolution.weight, count)
    return basis.combine(torch.eye(count, device=convolution.weight.device))
