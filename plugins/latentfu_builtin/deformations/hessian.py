"""The directions that change pictures most: eigenvectors of the distance's Hessian.

For a distance d and pictures G(t) with the layer shifted by t, the Hessian of d(G(t), G(0)) at
t = 0 is J^T D J: D is the distance's own Hessian, J the pictures' derivative (the Gauss-Newton
matrix is exact here, since the distance has its minimum at t = 0). Its products with vectors
come from forward- and reverse-mode differentiation; the eigenvectors from Lanczos' method,
which stops when they have converged.
"""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from latentfu import BadInputError, Latent, Progress
from torch import Tensor

from latentfu_builtin.deformations.convolution import ShiftedConvolution, check_direction_count

PictureDistance = Callable[[Tensor, Tensor], Tensor]
"""Two batches of pictures ``[N, 3, R, R]`` -> ``[N]``, 0 for equal ones."""


_CHECK = 4
"""Products between two looks at the energy."""
_MOST_PIXELS = 32 * 128 * 128
"""Pixels whose maps are kept in memory; with more, each batch is made again for each product."""
_BATCH_PIXELS = 4 * 128 * 128
"""Pixels of one batch, which is of one sample at least."""
WORTH_TRACING = 12
"""From this many directions on, tracing pays."""

_log = logging.getLogger(__name__)


class _BatchMaps:
    """The three linear maps of one batch, made once: J, D and J^T.

    What does not depend on the vector (the pictures themselves, the activations under them) is
    not computed again for each product. ``traced``: J as a graph of its own, which takes
    seconds to make and then costs a third.
    """

    def __init__(
        self,
        picture: Callable[[Tensor], Tensor],
        zero: Tensor,
        distance: PictureDistance,
        traced: bool,
    ) -> None:
        self.picture, self.zero = picture, zero
        still, self.back = torch.func.vjp(picture, zero)[:2]
        self.still = still.detach()
        self.images = self.still.clone().requires_grad_(True)
        change = distance(self.images, self.still).sum()
        self.slope = torch.autograd.grad(change, self.images, create_graph=True)[0]
        self.forth = _linearize(picture, zero) if traced else None

    def moved(self, vector: Tensor) -> Tensor:
        """J ``vector``: how the pictures change, ``[n, 3, S, S]``."""
        if self.forth is not None:
            return self.forth(vector)
        with warnings.catch_warnings():
            # torch's own forward-mode rules still use what torch has deprecated.
            warnings.filterwarnings("ignore", r"`torch\.jit\.script`", FutureWarning)
            change: Tensor = torch.func.jvp(self.picture, (self.zero,), (vector,))[1]
        return change

    def times(self, vector: Tensor) -> Tensor:
        """J^T D J ``vector``."""
        moved = self.moved(vector).detach()
        # The distance's Hessian is symmetric: the slope's derivative backwards is that forwards.
        bent = torch.autograd.grad(self.slope, self.images, moved, retain_graph=True)[0]
        product: Tensor = self.back(bent)[0]
        return product.detach()


def _linearize(
    picture: Callable[[Tensor], Tensor], at: Tensor
) -> Callable[[Tensor], Tensor] | None:
    """The derivative of ``picture`` as a function; None where it cannot be traced."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer's words about its own graphs
        try:
            found: Callable[[Tensor], Tensor] = torch.func.linearize(picture, at)[1]
        except Exception as error:
            _log.debug("Not traced: %s", error)
            return None
    return found


@dataclass
class HessianProducts:
    """Products of the mean Hessian over ``latents`` with vectors ``[out * in * k * k]``.

    One batch of pictures at a time is held in memory (``batch`` samples; None: as many as make
    four pictures of 128 px, at 1024 px one by one), and all of them if they are few. ``side``:
    pictures are averaged down to this many pixels before they are compared (None: as they are).
    ``traced``: worth it for many products. ``count`` says how many were made.
    """

    convolution: ShiftedConvolution
    latents: Latent
    distance: PictureDistance
    side: int | None = 64
    batch: int | None = None
    traced: bool = False
    count: int = 0

    def __post_init__(self) -> None:
        shape = self.convolution.weight.shape
        self.shape = shape
        self.size = int(np.prod(shape))
        pixels = self.convolution.generator.resolution**2
        batch = self.batch or max(1, _BATCH_PIXELS // pixels)
        self.few = len(self.latents) * pixels <= _MOST_PIXELS
        self._parts = [self.latents.with_codes(c) for c in torch.split(self.latents.codes, batch)]
        self._kept: list[_BatchMaps | None] = [None] * len(self._parts)

    @property
    def batches(self) -> int:
        """Of samples, each held in memory for itself."""
        return len(self._parts)

    def times(self, vector: Tensor) -> Tensor:
        """H ``vector``, both ``[out, in, k, k]``."""
        total = torch.zeros_like(vector)
        for place in range(len(self._parts)):
            total += self.pieces(place).times(vector)
        self.count += 1
        return total / len(self.latents)

    def pieces(self, place: int) -> _BatchMaps:
        """The maps of one batch; kept between products while there are few batches."""
        found = self._kept[place]
        if found is None:
            latent = self._parts[place]
            zero = torch.zeros_like(self.convolution.weight)

            def picture(shift: Tensor) -> Tensor:
                return self.seen(latent, shift)  # [n, 3, S, S]

            found = _BatchMaps(picture, zero, self.distance, self.traced and self.few)
            if self.few:
                self._kept[place] = found
        return found

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


def find_spectrum(
    products: HessianProducts,
    count: int,
    progress: Progress,
    *,
    tolerance: float = 1e-2,
    seed: int = 0,
    enough: float = math.inf,
) -> Spectrum:
    """The ``count`` largest eigenvalues and their eigenvectors, by Lanczos' method.

    The Krylov space grows, every new vector made orthogonal to all before, until the energy
    (the sum of the wanted eigenvalues) rises by less than ``tolerance`` of itself over the last
    CHECK products, or is ``enough``. Raises BadInputError for a count above what the layer has,
    a distance that sees no change, or no convergence. ``progress`` may cancel.
    """
    check_direction_count(count, products.size - 1, f"layer {products.convolution.layer}")
    most = min(products.size, 4 * count + 40)
    krylov = KrylovSpace(products, seed, most)
    energy = 0.0
    for step in range(1, most + 1):
        progress(min(0.99, step / (1.6 * count + 2 * _CHECK)), "Products with the Hessian")
        krylov.grow()
        if krylov.exhausted or (step >= count and (step - count) % _CHECK == 0):
            before, energy = energy, float(krylov.values()[:count].sum())
            if krylov.exhausted or energy - before < tolerance * energy or energy >= enough:
                return krylov.found(count)
    raise BadInputError(f"The {count} directions did not converge: ask for fewer.")


class KrylovSpace:
    """An orthonormal basis of the space spanned by v, H v, H H v, ...; at most ``most`` products.

    ``exhausted``: H leads nowhere new, so that all it does is known.
    """

    def __init__(self, products: HessianProducts, seed: int, most: int) -> None:
        random = torch.Generator().manual_seed(seed)
        start = torch.randn(products.size, generator=random)
        device = products.convolution.weight.device
        self.products, self.exhausted = products, False
        try:
            # Pages of the buffer are taken by the system only when they are written.
            self.rows = torch.empty(most + 1, products.size, device=device)
        except RuntimeError as error:
            raise BadInputError(
                f"So many directions of layer {products.convolution.layer} need up to "
                f"{(most + 1) * products.size * 4 / 1e9:.0f} GB of memory: ask for fewer."
            ) from error
        self.rows[0] = (start / start.norm()).to(device)
        self.inside = torch.zeros(most, most, dtype=torch.float64)
        self.made, self.beyond = 0, 0.0

    def grow(self) -> None:
        """One more product, and the part of it that is new as the next basis vector."""
        place = self.made
        image = self.products.times(self.rows[place].reshape(self.products.shape)).reshape(-1)
        size = float(image.norm())
        if place == 0 and not size > 0:
            layer = self.products.convolution.layer
            raise BadInputError(f"Layer {layer} changes nothing that the distance sees.")
        known = self.rows[: place + 1]
        inside = torch.zeros(place + 1, device=image.device)
        for _ in range(2):  # twice is enough to be orthogonal in single precision
            again = known @ image
            image = torch.addmv(image, known.T, again, alpha=-1)
            inside += again
        self.inside[: place + 1, place] = inside.double().cpu()
        self.made, self.beyond = place + 1, float(image.norm())
        self.exhausted = self.beyond <= 1e-6 * size or self.made == self.products.size
        if not self.exhausted:
            self.rows[self.made] = image / self.beyond

    def projected(self) -> Tensor:
        """H seen in the basis, ``[m, m]``, made symmetric against rounding."""
        upper = self.inside[: self.made, : self.made].triu()
        return upper + upper.triu(1).T

    def values(self) -> Tensor:
        """Eigenvalues within the basis, largest first."""
        values: Tensor = torch.linalg.eigvalsh(self.projected())
        return values.flip(0)

    def found(self, count: int) -> Spectrum:
        """The largest eigenvalues with their vectors and residuals."""
        values, inner = torch.linalg.eigh(self.projected())
        values, inner = values.flip(0)[:count], inner.flip(1)[:, :count]
        vectors = inner.T.float().to(self.rows) @ self.rows[: self.made]  # [count, size]
        # What H v has outside the basis comes from its last vector alone.
        residuals = self.beyond * inner[-1].abs() / values[0]
        shaped = vectors.reshape(-1, *self.products.shape)
        return Spectrum(values, shaped, residuals, self.products.count)
