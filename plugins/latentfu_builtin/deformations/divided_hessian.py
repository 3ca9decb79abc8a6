"""Products with the Hessian, each batch of samples by whichever worker is free."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from latentfu import (
    BatchTask,
    Engine,
    GeneratorRecipe,
    WorkerCrew,
    WorkerPlace,
    describe_generator,
    measure_worker,
    run_batches,
    silent,
)
from torch import Tensor

from latentfu_builtin.deformations.convolution import ShiftedConvolution
from latentfu_builtin.deformations.hessian import HessianProducts
from latentfu_builtin.deformations.search import (
    DeformationSearch,
    build_products,
    choose_picture_distance,
)

_Numbers = npt.NDArray[np.float32]
_Piece = tuple[int, _Numbers]
"""Which batch of samples, and the vector."""
_PRODUCTS = 16
"""Of one search at least: workers are worth setting up, though a product has few batches."""


class DividedProducts(HessianProducts):
    """The same products, added up in the order of the batches, whoever is ready first."""

    def hire_for(self, crew: WorkerCrew) -> None:
        """Let these workers make what follows."""
        self._crew = crew

    def times(self, vector: Tensor) -> Tensor:
        """H ``vector``, both ``[out, in, k, k]``."""
        sent = vector.float().cpu().numpy()
        total = torch.zeros_like(vector)
        batches = [[(place, sent)] for place in range(self.batches)]
        for _, piece in run_batches(self._crew, batches, "items", silent):
            total += torch.from_numpy(piece).to(total)
        self.count += 1
        return total / len(self.latents)


@contextmanager
def open_divided_products(search: DeformationSearch, engine: Engine) -> Iterator[HessianProducts]:
    """A context that gives the products of a search, made by the workers of an engine."""
    convolution = ShiftedConvolution(search.generator, search.layer)
    distance = choose_picture_distance(search.generator, search.distance)
    here = build_products(search, convolution, distance)
    divided = DividedProducts(convolution, here.latents, distance, search.side)
    recipe = describe_generator(search.generator, search.given)
    task = BatchTask(
        partial(_open_products, recipe, _describe_search(search)), _multiply, recipe.files, here
    )
    device = engine.choose_device(str(search.generator.device))
    resources = measure_worker(search.generator, 1, device)
    with engine.hire(task, resources, here.batches * _PRODUCTS) as crew:
        divided.hire_for(crew)
        yield divided


def _describe_search(search: DeformationSearch) -> dict[str, object]:
    """What of a search makes its products, without what a worker opens itself."""
    names = ("layer", "count", "samples", "seed", "distance", "side")
    return {name: getattr(search, name) for name in names}


def _open_products(
    recipe: GeneratorRecipe, words: dict[str, object], place: WorkerPlace
) -> HessianProducts:
    """The products as they are here, in a worker."""
    search = DeformationSearch(recipe.open(place), **words)  # type: ignore[arg-type]
    convolution = ShiftedConvolution(search.generator, search.layer)
    return build_products(
        search, convolution, choose_picture_distance(search.generator, search.distance)
    )


def _multiply(products: HessianProducts, pieces: Sequence[_Piece]) -> _Numbers:
    """One batch's part of a product."""
    ((place, vector),) = pieces
    here = torch.from_numpy(vector).to(products.convolution.weight)
    found: _Numbers = products.pieces(place).times(here).float().cpu().numpy()
    return found
