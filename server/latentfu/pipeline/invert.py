"""crop -> inversion: the latent of a crop, from the cache or from an inverter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from latentfu.core.crop import Crop
from latentfu.core.errors import BadInputError
from latentfu.core.generator import Generator
from latentfu.core.inversion import Inversion
from latentfu.hookspecs import InversionRequest, Inverter
from latentfu.pipeline.cache import InversionCache
from latentfu.pipeline.choose_inverter import Options
from latentfu.pipeline.metrics import with_metrics
from latentfu.storage.inversion_cache import inversion_key
from latentfu.storage.weight_offsets import round_as_stored

if TYPE_CHECKING:
    import torch

CropMask = npt.NDArray[np.float32]
"""float32 ``[R, R]`` in 0..1, as the crop shows it."""


@dataclass(frozen=True)
class CachedInversion:
    """An inversion with its cache key and whether it came from the cache."""

    inversion: Inversion
    key: str
    cached: bool


@dataclass(frozen=True)
class InvertOptions:
    """What a program can say about an inversion beside the request.

    ``masked``: only what is inside the request's mask counts. ``refresh``: what is cached is not
    taken. ``preview``: gets pictures ``[1, 3, R, R]`` while it is worked on.
    """

    masked: bool = False
    refresh: bool = False
    preview: Callable[[torch.Tensor], None] | None = None


DEFAULT_INVERT_OPTIONS = InvertOptions()


def _merge_options(inverter: Inverter, options: Options) -> dict[str, float | int | str | bool]:
    """The inverter's defaults overridden by ``options``; an unknown name is refused."""
    unknown = sorted(set(options) - set(inverter.options))
    if unknown:
        known = ", ".join(sorted(inverter.options)) or "none"
        raise BadInputError(
            f"The inverter {inverter.name} has no option {unknown[0]!r}; it has: {known}."
        )
    return {**inverter.options, **options}


def make_key(
    crop: Crop,
    generator: Generator,
    inverter: Inverter,
    options: Options,
    mask: CropMask | None = None,
) -> str:
    """The cache key of this inversion."""
    chosen = _merge_options(inverter, options)
    return inversion_key(crop, generator.id, inverter.name, chosen, mask)


def invert_crop(
    request: InversionRequest, inverter: Inverter, *, cache: InversionCache, refresh: bool = False
) -> CachedInversion:
    """The latent of ``request.crop``: cached, or found by ``inverter``, measured and cached.

    ``refresh``: what is cached is not taken. Nothing is cached when the work fails or is
    cancelled. Raises BadInputError for crops without a picture in them.
    """
    return invert_crops([request], inverter, cache=cache, refresh=refresh)[0]


def invert_crops(
    requests: Sequence[InversionRequest],
    inverter: Inverter,
    *,
    cache: InversionCache,
    refresh: bool = False,
) -> list[CachedInversion]:
    """The same for several crops with one generator and equal options, together if it can be."""
    generator = requests[0].generator
    chosen = _merge_options(inverter, requests[0].options)
    requests = [replace(request, options=chosen) for request in requests]
    keys = [make_key(each.crop, generator, inverter, chosen, each.mask) for each in requests]
    cached = [None if refresh else cache.get(key, generator) for key in keys]
    missing = [row for row, one in enumerate(cached) if one is None]
    for row in missing:
        check_content(requests[row].crop)
    made = dict(
        zip(missing, _run_inverter(inverter, [requests[row] for row in missing]), strict=True)
    )
    for row, inversion in made.items():
        cache.put(keys[row], inversion)
    return [
        CachedInversion(cached[row] or made[row], key, cached[row] is not None)
        for row, key in enumerate(keys)
    ]


def _run_inverter(inverter: Inverter, requests: Sequence[InversionRequest]) -> list[Inversion]:
    """What the inverter finds, checked and measured."""
    if inverter.invert_many is not None and len(requests) > 1:
        found = inverter.invert_many(requests)
    else:
        found = [inverter.invert(request) for request in requests]
    for inversion, request in zip(found, requests, strict=True):
        inversion.latent.check_generator(request.generator.id)
        _check_numbers(inversion, inverter)
    return [
        with_metrics(round_as_stored(inversion), request.crop, request.generator)
        for inversion, request in zip(found, requests, strict=True)
    ]


def _check_numbers(inversion: Inversion, inverter: Inverter) -> None:
    """Refuse a latent that holds no numbers (raises BadInputError)."""
    if not bool(inversion.latent.codes.isfinite().all()):
        raise BadInputError(
            f"The inverter {inverter.name} found no latent for this picture (the search gave no "
            f"numbers): choose another inverter."
        )


def check_content(crop: Crop) -> None:
    """Refuse crops without a picture in them (raises BadInputError)."""
    if not np.isfinite(crop.image).all():
        raise BadInputError("The picture holds values that are no numbers: export it again.")
    if float(crop.image.max() - crop.image.min()) < 0.02:
        raise BadInputError(
            "The part to edit is one flat color: choose a layer that shows a picture there."
        )
