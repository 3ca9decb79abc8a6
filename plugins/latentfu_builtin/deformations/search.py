"""What is looked for in a layer, by which distance, and the products that find it."""

from __future__ import annotations

from dataclasses import dataclass

import latentfu
from latentfu import BadInputError, Engine, Generator, random_latents

from latentfu_builtin.deformations.convolution import ShiftedConvolution
from latentfu_builtin.deformations.hessian import WORTH_TRACING, HessianProducts, PictureDistance


@dataclass(frozen=True)
class DeformationSearch:
    """What to look for, and on how many samples.

    ``method``: a key of METHODS. ``distance``: the name of an installed loss; "" is the
    generator's own domain's, or pixels. ``beyond``: also measure how much no direction gives.
    ``engine``: whose workers make the products with the Hessian (None: this process, with all its
    threads); ``given``: the name or file by which the generator was opened.
    """

    generator: Generator
    layer: int
    method: str = "hessian"
    count: int = 32
    samples: int = 16
    seed: int = 0
    distance: str = ""
    side: int | None = 64
    beyond: bool = False
    engine: Engine | None = None
    given: str | None = None


def choose_picture_distance(generator: Generator, name: str) -> PictureDistance:
    """The installed loss ``name`` (default: of the generator's domain, else pixels)."""
    losses = latentfu.losses()
    if not name:
        fitting = [loss.name for loss in losses.values() if generator.domain in loss.domains]
        name = fitting[0] if fitting else "pixels"
    if name not in losses:
        raise BadInputError(f"There is no loss {name!r}; installed: {', '.join(losses)}.")
    distance: PictureDistance = losses[name].build(generator)
    return distance


def build_products(
    search: DeformationSearch, convolution: ShiftedConvolution, distance: PictureDistance
) -> HessianProducts:
    """The products of a search, over its samples."""
    latents = random_latents(search.generator, search.samples, search.seed)
    traced = search.count >= WORTH_TRACING
    return HessianProducts(convolution, latents, distance, search.side, traced=traced)
