"""Finding deformations of a layer by a method of one's choice."""

from __future__ import annotations

from collections.abc import Callable

import latentfu
import torch
from latentfu import (
    BadInputError,
    Deformation,
    Generator,
    Progress,
    between,
    random_latents,
)
from torch import Tensor

from latentfu_builtin.deformations.convolution import ShiftedConvolution, find_singular_directions
from latentfu_builtin.deformations.hessian import (
    PictureDistance,
    find_spectrum,
)
from latentfu_builtin.deformations.measurement import (
    StrengthCalibration,
    measure_attribute_spread,
    measure_direction_span,
)
from latentfu_builtin.deformations.search import (
    DeformationSearch,
    build_products,
    choose_picture_distance,
)

_Method = Callable[[DeformationSearch, ShiftedConvolution, PictureDistance, Progress], Tensor]


def _search_svd(
    search: DeformationSearch,
    convolution: ShiftedConvolution,
    distance: PictureDistance,
    progress: Progress,
) -> Tensor:
    """The weights' singular directions."""
    return find_singular_directions(convolution, search.count)


def _search_hessian(
    search: DeformationSearch,
    convolution: ShiftedConvolution,
    distance: PictureDistance,
    progress: Progress,
) -> Tensor:
    """The eigenvectors along which pictures change most."""
    if search.engine is None:
        products = build_products(search, convolution, distance)
        return find_spectrum(products, search.count, progress, seed=search.seed).vectors
    from latentfu_builtin.deformations.divided_hessian import open_divided_products

    with open_divided_products(search, search.engine) as divided:
        return find_spectrum(divided, search.count, progress, seed=search.seed).vectors


_SEARCH_METHODS: dict[str, _Method] = {"svd": _search_svd, "hessian": _search_hessian}


def search_directions(search: DeformationSearch, progress: Progress) -> Tensor:
    """The unit directions ``[count, out, in, k, k]`` of a search."""
    if search.method not in _SEARCH_METHODS:
        raise BadInputError(
            f"There is no method {search.method!r}: choose one of {', '.join(_SEARCH_METHODS)}."
        )
    convolution = ShiftedConvolution(search.generator, search.layer)
    distance = choose_picture_distance(search.generator, search.distance)
    return _SEARCH_METHODS[search.method](search, convolution, distance, progress)


def discover_deformations(search: DeformationSearch, progress: Progress) -> list[Deformation]:
    """``count`` deformations, strongest first, each scaled so that strength 1 is clear to see.

    The effect on attributes is measured where a scorer of the generator's domain is installed.
    Raises BadInputError in one sentence for a layer, method, loss or count that cannot be.
    """
    found = search_directions(search, between(progress, 0.0, 0.6))
    return measure_deformations(search, found, between(progress, 0.6, 1.0), search.method)


def measure_deformations(
    search: DeformationSearch, found: Tensor, progress: Progress, name: str
) -> list[Deformation]:
    """The directions ``[count, out, in, k, k]`` scaled, with their effects, as NAME-LAYER-k."""
    convolution = ShiftedConvolution(search.generator, search.layer)
    fresh = random_latents(search.generator, search.samples, search.seed + 1_000_003, psi=0.8)
    bench = StrengthCalibration(
        convolution, fresh, choose_picture_distance(search.generator, search.distance)
    )
    scorers = latentfu.scorers().values()
    scorer = next((s for s in scorers if s.domain == search.generator.domain), None)
    spread = measure_attribute_spread(search.generator, scorer) if scorer else None
    side = convolution.seen_side
    span = measure_direction_span(search.generator, progress, side=side) if search.beyond else None
    made = []
    for place, direction in enumerate(found):
        progress(place / len(found), f"Trying {place + 1} of {len(found)}")
        shift = bench.calibrate(direction)
        made.append(
            Deformation(
                shift=shift.cpu().numpy(),
                parameter=convolution.parameter,
                layer=search.layer,
                name=f"{name}-{search.layer}-{place}",
                generator_id=search.generator.id,
                generator=search.generator.name,
                method=name,
                samples=search.samples,
                effect=bench.measure_effect(shift, scorer, spread)
                if scorer and spread is not None
                else {},
                beyond=round(span.measure_novelty(convolution, shift), 3) if span else -1.0,
            )
        )
    return made


def render_strengths(
    generator: Generator, deformation: Deformation, strengths: tuple[float, ...], seed: int
) -> Tensor:
    """One sample at each strength, as large as the layer shows: ``[len(strengths), 3, S, S]``."""
    convolution = ShiftedConvolution(generator, deformation.layer)
    latent = random_latents(generator, 1, seed, psi=0.7)
    shift = torch.from_numpy(deformation.shift)
    with torch.no_grad():
        return torch.cat([convolution.render_seen(latent, shift, s) for s in strengths])
