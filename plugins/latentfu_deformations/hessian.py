"""The directions that change pictures most: eigenvectors of the distance's Hessian.

For a distance d and pictures G(t) with the layer shifted by t, the Hessian of d(G(t), G(0)) at
t = 0 is J^T D J: D is the distance's own Hessian, J the pictures' derivative (the Gauss-Newton
matrix is exact here, since the distance has its minimum at t = 0). Its products with vectors
come from forward- and reverse-mode differentiation; the eigenvectors from Lanczos' method,
which stops when they have converged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from latentfu import BadInputError, Latent, Progress
from torch import Tensor

from latentfu_deformations.layer import Convolution, check_count

Distance = Callable[[Tensor, Tensor], Tensor]
"""Two batches of pictures ``[N, 3, R, R]`` -> ``[N]``, 0 for equal ones."""


CHECK = 4
"""Products between two looks at the energy."""
MOST_KEPT = 8
"""Batches whose backward pass is kept in memory; with more, each is made again for each product."""


@dataclass
class HessianProducts:
    """Products of the mean Hessian over ``latents`` with vectors ``[out * in * k * k]``.

    One batch of pictures at a time is held in memory. ``side``: pictures are averaged down to
    this many pixels before they are compared (None: as they are). ``count`` says how many
    products were made.
    """

    convolution: Convolution
    latents: Latent
    distance: Distance
    side: int | None = 64
    batch: int = 4
    count: int = 0

    def __post_init__(self) -> None:
        shape = self.convolution.weight.shape
        self.shape = shape
        self.size = int(np.prod(shape))
        self._kept: dict[int, tuple[Tensor, Callable[[Tensor], tuple[Tensor]]]] = {}
        self._parts = [
            self.latents.with_codes(c) for c in torch.split(self.latents.codes, self.batch)
        ]

    def times(self, vector: Tensor) -> Tensor:
        """H ``vector``, both ``[out, in, k, k]``."""
        total = torch.zeros_like(vector)
        for part in self._parts:
            total += self._one(part, vector)
        self.count += 1
        return total / len(self.latents)

    def _one(self, latent: Latent, vector: Tensor) -> Tensor:
        """J^T D J ``vector`` summed over one batch."""

        def picture(shift: Tensor) -> Tensor:
            return self.seen(latent, shift)  # [n, 3, S, S]

        zero = torch.zeros_like(vector)
        still, back = self._pulled(latent, picture, zero)
        moved = torch.func.jvp(picture, (zero,), (vector,))[1]  # J v, [n, 3, S, S]

        def change(images: Tensor) -> Tensor:
            return self.distance(images, still).sum()

        slope = torch.func.jvp(torch.func.grad(change), (still,), (moved,))[1]  # D J v
        product: Tensor = back(slope)[0]
        return product.detach()

    def _pulled(
        self, latent: Latent, picture: Callable[[Tensor], Tensor], zero: Tensor
    ) -> tuple[Tensor, Callable[[Tensor], tuple[Tensor]]]:
        """The undeformed pictures and J^T; kept between products while there are few batches."""
        place = id(latent)
        if place not in self._kept:
            still, back = torch.func.vjp(picture, zero)[:2]
            if len(self._parts) > MOST_KEPT:
                return still.detach(), back
            self._kept[place] = (still.detach(), back)
        return self._kept[place]

    def seen(self, latent: Latent, shift: Tensor) -> Tensor:
        """Pictures of ``latent`` with the layer shifted, in the size that they are compared in."""
        images = self.convolution.render(latent, shift)  # [n, 3, R, R]
        if self.side is None or images.shape[-1] <= self.side:
            return images
        return F.avg_pool2d(images, images.shape[-1] // self.side)


@dataclass(frozen=True)
class Spectrum:
    """``values [count]``, largest first, of unit ``vectors [count, out, in, k, k]``.

    ``residuals [count]``: norm of H v - value v over the largest value; ``products``: how many
    products with the Hessian it took.
    """

    values: Tensor
    vectors: Tensor
    residuals: Tensor
    products: int


def spectrum(
    products: HessianProducts,
    count: int,
    progress: Progress,
    *,
    tolerance: float = 1e-2,
    seed: int = 0,
) -> Spectrum:
    """The ``count`` largest eigenvalues and their eigenvectors, by Lanczos' method.

    The Krylov space grows, every new vector made orthogonal to all before, until the energy
    (the sum of the wanted eigenvalues) rises by less than ``tolerance`` of itself over the last
    CHECK products. Raises BadInputError for a count above what the layer has, a distance that
    sees no change, or no convergence. ``progress`` may cancel.
    """
    check_count(count, products.size - 1, f"layer {products.convolution.layer}")
    most = min(products.size, 4 * count + 40)
    krylov = Krylov(products, seed)
    energy = 0.0
    for step in range(1, most + 1):
        progress(min(0.99, step / (1.6 * count + 2 * CHECK)), "Products with the Hessian")
        krylov.grow()
        if krylov.exhausted or (step >= count and (step - count) % CHECK == 0):
            before, energy = energy, float(krylov.values()[:count].sum())
            if krylov.exhausted or energy - before < tolerance * energy:
                return krylov.found(count)
    raise BadInputError(f"The {count} directions did not converge: ask for fewer.")


class Krylov:
    """An orthonormal basis of the space spanned by v, H v, H H v, ...

    ``exhausted``: H leads nowhere new, so that all it does is known.
    """

    def __init__(self, products: HessianProducts, seed: int) -> None:
        random = torch.Generator().manual_seed(seed)
        start = torch.randn(products.size, generator=random, dtype=torch.float64)
        self.products = products
        self.basis = [start / start.norm()]
        self.images: list[Tensor] = []
        self.exhausted = False

    def grow(self) -> None:
        """One more product, and the part of it that is new as the next basis vector."""
        vector = self.basis[-1].float().reshape(self.products.shape)
        image = self.products.times(vector).double().reshape(-1)
        self.images.append(image)
        rows = torch.stack(self.basis)  # [m, size]
        new = image - rows.T @ (rows @ image)
        new = new - rows.T @ (rows @ new)  # twice is enough
        length = new.norm()
        self.exhausted = bool(length <= 1e-9 * image.norm()) or len(rows) == self.products.size
        if len(self.images) == 1 and not bool(image.norm() > 0):
            layer = self.products.convolution.layer
            raise BadInputError(f"Layer {layer} changes nothing that the distance sees.")
        if not self.exhausted:
            self.basis.append(new / length)

    def projected(self) -> Tensor:
        """H seen in the basis, ``[m, m]``, made symmetric against rounding."""
        rows = torch.stack(self.basis[: len(self.images)])
        matrix = rows @ torch.stack(self.images).T
        return (matrix + matrix.T) / 2

    def values(self) -> Tensor:
        """Eigenvalues within the basis, largest first."""
        values: Tensor = torch.linalg.eigvalsh(self.projected())
        return values.flip(0)

    def found(self, count: int) -> Spectrum:
        """The largest eigenvalues with their vectors and true residuals."""
        values, inner = torch.linalg.eigh(self.projected())
        values, inner = values.flip(0)[:count], inner.flip(1)[:, :count]
        vectors = inner.T @ torch.stack(self.basis[: len(self.images)])  # [count, size]
        images = inner.T @ torch.stack(self.images)
        residuals = (images - values[:, None] * vectors).norm(dim=1) / values[0]
        shaped = vectors.float().reshape(-1, *self.products.shape)
        return Spectrum(values, shaped, residuals, self.products.count)
