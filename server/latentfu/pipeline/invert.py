"""crop -> inversion: the latent of a crop, from the cache or from an inverter."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from latentfu.core.crop import Crop
from latentfu.core.errors import (
    BadInputError,
    LatentFuError,
    NotInstalledError,
    PluginFailedError,
)
from latentfu.core.generator import Generator
from latentfu.core.latent import Inversion
from latentfu.core.limits import QUALITIES
from latentfu.pipeline.cache import InversionCache, LRUCache
from latentfu.pipeline.method_options import Options, merge_options
from latentfu.pipeline.metrics import with_metrics
from latentfu.pipeline.plugin_calls import run_inverter
from latentfu.plugin_manager import get_registry
from latentfu.plugin_manager.running import call_plugin
from latentfu.plugin_objects import Encoder, InversionRequest, Inverter
from latentfu.storage.inversion_cache import inversion_key
from latentfu.storage.weight_offsets import round_as_stored

if TYPE_CHECKING:
    import torch

DEFAULT = "good"


def choose_inverters(
    inverters: Mapping[str, Inverter], generator: Generator, name: str | None, quality: str | None
) -> list[tuple[Inverter, Options]]:
    """The inverter ``name``, or those installed for ``quality``, and what they are called with.

    The best comes first; each of the others is for when those before it fail. Raises
    NotInstalledError when none can work for ``generator``, BadInputError when none ever could.
    """
    if generator.not_for_pictures:
        raise BadInputError(generator.not_for_pictures)
    if name is not None:
        return [_inverter_by_name(inverters, generator, name, quality)]
    fitting = [item for item in inverters.values() if not explain_misfit(item, generator)]
    if not fitting:
        raise NotInstalledError(
            f"No installed inverter works for the generator {generator.name}: install a plug-in "
            f"that brings one."
        )
    ranked: list[tuple[Inverter, Options]] = []
    for level in _quality_order(quality or DEFAULT):
        able = [item for item in fitting if level in item.levels]
        able.sort(key=lambda item: -item.levels[level].rank)
        known = [item.name for item, _ in ranked]
        ranked += [(item, item.levels[level].options) for item in able if item.name not in known]
    known = [item.name for item, _ in ranked]
    return ranked + [(item, {}) for item in fitting if item.name not in known]


def _inverter_by_name(
    inverters: Mapping[str, Inverter], generator: Generator, name: str, quality: str | None
) -> tuple[Inverter, Options]:
    """The inverter of that name, at that quality if one is asked for too."""
    if name not in inverters:
        known = ", ".join(inverters) or "none"
        raise NotInstalledError(f"There is no inverter {name!r}; installed: {known}.")
    inverter = inverters[name]
    if not set(inverter.spaces) & set(generator.spaces):
        raise NotInstalledError(explain_misfit(inverter, generator))
    if quality is None:
        return inverter, {}
    if quality not in inverter.levels:
        known = ", ".join(inverter.levels) or "none"
        raise BadInputError(
            f"The inverter {name} has no quality {quality} ({known}): name only one of the two."
        )
    return inverter, inverter.levels[quality].options


def explain_misfit(inverter: Inverter, generator: Generator) -> str:
    """Why ``inverter`` does not work for ``generator``, in a sentence; empty where it does."""
    if not set(inverter.spaces) & set(generator.spaces):
        return (
            f"The inverter {inverter.name} works in {', '.join(inverter.spaces)}, which the "
            f"generator {generator.name} does not take: choose another inverter."
        )
    fits = inverter.fits
    try:
        if fits is None or call_plugin(inverter, "was asked if it fits", lambda: fits(generator)):
            return ""
    except LatentFuError as error:
        return str(error)
    return (
        f"The inverter {inverter.name} says that it is not for the generator {generator.name}: "
        f"choose another inverter."
    )


def list_by_fit(
    inverters: Mapping[str, Inverter], generator: Generator
) -> list[tuple[Inverter, str]]:
    """All of them: those that fit in the order in which they are tried, then the others with why.

    Where the generator cannot invert pictures at all, that is why for all of them.
    """
    no_pictures = generator.not_for_pictures
    reasons = {
        item.name: no_pictures or explain_misfit(item, generator) for item in inverters.values()
    }
    able = {name: item for name, item in inverters.items() if not reasons[name]}
    chosen = choose_inverters(able, generator, None, None) if able else []
    others = [(item, reasons[name]) for name, item in inverters.items() if reasons[name]]
    return [*((item, "") for item, _ in chosen), *others]


def _quality_order(quality: str) -> list[str]:
    """``quality`` and the lower ones, then the higher: best, good, draft."""
    place = QUALITIES.index(quality)
    return [*reversed(QUALITIES[: place + 1]), *QUALITIES[place + 1 :]]


CropMask = npt.NDArray[np.float32]
"""float32 ``[R, R]`` in 0..1, as the crop shows it."""


@dataclass(frozen=True)
class CachedInversion:
    """An inversion with its cache key and whether it came from the cache.

    ``inverter``: whose it is. ``note``: why it is not the chosen one's, in a sentence; else empty.
    """

    inversion: Inversion
    key: str
    cached: bool
    inverter: str = ""
    note: str = ""


@dataclass(frozen=True)
class Method:
    """An inverter and what it is called with, over its defaults."""

    inverter: Inverter
    options: Options


class Inverting:
    """Finds latents by the first method that works; one that failed for a crop is not asked again.

    ``cache``: of all inversions.
    """

    def __init__(self, cache: InversionCache) -> None:
        self._cache = cache
        self._failed: LRUCache[str] = LRUCache(256)
        """What was wrong, by the key of the inversion."""

    def key(self, crop: Crop, generator: Generator, methods: Sequence[Method]) -> str:
        """Under which the crop's inversion is kept."""
        return self._able(crop, generator, methods)[0][1]

    def is_cached(self, crop: Crop, generator: Generator, methods: Sequence[Method]) -> bool:
        """Whether it is there already."""
        return self._cache.get(self.key(crop, generator, methods), generator) is not None

    def find(
        self,
        requests: Sequence[InversionRequest],
        methods: Sequence[Method],
        refresh: bool = False,
    ) -> list[CachedInversion]:
        """The latents of several crops with one generator; PluginFailedError where all fail."""
        first = requests[0]
        able = self._able(first.crop, first.generator, methods)
        note = "" if able[0][0] is methods[0] else self._note(first, methods)
        for place, (method, key) in enumerate(able):
            asked = [replace(request, options=method.options) for request in requests]
            try:
                found = _invert_crops(asked, method.inverter, cache=self._cache, refresh=refresh)
            except PluginFailedError as error:
                self._failed.put(key, str(error))
                if place == len(able) - 1:
                    raise
                note = note or str(error)
                continue
            said = f"{note} Used instead: {method.inverter.name}." if note else ""
            return [replace(one, inverter=method.inverter.name, note=said) for one in found]
        raise AssertionError("there is always a method")

    def _able(
        self, crop: Crop, generator: Generator, methods: Sequence[Method]
    ) -> list[tuple[Method, str]]:
        """The methods that have not failed for the crop, with its key; all if all have."""
        keyed = [(m, _make_key(crop, generator, m.inverter, m.options)) for m in methods]
        return [(m, key) for m, key in keyed if self._failed.get(key) is None] or keyed

    def _note(self, request: InversionRequest, methods: Sequence[Method]) -> str:
        first = methods[0]
        key = _make_key(request.crop, request.generator, first.inverter, first.options)
        return self._failed.get(key) or ""


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


def _make_key(
    crop: Crop,
    generator: Generator,
    inverter: Inverter,
    options: Options,
    mask: CropMask | None = None,
) -> str:
    """The cache key of this inversion: of the encoders too, since most methods begin at one."""
    chosen = dict(merge_options("inverter", inverter, options))
    encoders = get_registry().installed(Encoder).values()
    stamps = [f"{one.name} {one.stamp}" for one in encoders if one.generator_id == generator.id]
    if stamps:
        chosen["encoders"] = "; ".join(sorted(stamps))
    return inversion_key(crop, generator.id, inverter.name, chosen, mask)


def invert_crop(
    request: InversionRequest, inverter: Inverter, *, cache: InversionCache, refresh: bool = False
) -> CachedInversion:
    """The latent of ``request.crop``: cached, or found by ``inverter``, measured and cached.

    ``refresh``: what is cached is not taken. Nothing is cached when the work fails or is
    cancelled. Raises BadInputError for crops without a picture in them.
    """
    return _invert_crops([request], inverter, cache=cache, refresh=refresh)[0]


def _invert_crops(
    requests: Sequence[InversionRequest],
    inverter: Inverter,
    *,
    cache: InversionCache,
    refresh: bool = False,
) -> list[CachedInversion]:
    """The same for several crops with one generator and equal options, together if it can be."""
    generator = requests[0].generator
    chosen = merge_options("inverter", inverter, requests[0].options)
    requests = [replace(request, options=chosen) for request in requests]
    keys = [_make_key(each.crop, generator, inverter, chosen, each.mask) for each in requests]
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
    """What the inverter finds, checked and measured.

    Raises NotInstalledError where one that does not fit was asked by name, and failed.
    """
    try:
        found = run_inverter(inverter, requests)
    except PluginFailedError as error:
        reason = explain_misfit(inverter, requests[0].generator)
        if reason:
            raise NotInstalledError(reason) from error
        raise
    return [
        with_metrics(round_as_stored(inversion), request.crop, request.generator)
        for inversion, request in zip(found, requests, strict=True)
    ]


def check_content(crop: Crop) -> None:
    """Refuse crops without a picture in them (raises BadInputError)."""
    if not np.isfinite(crop.image).all():
        raise BadInputError("The picture holds values that are no numbers: export it again.")
    if float(crop.image.max() - crop.image.min()) < 0.02:
        raise BadInputError(
            "The part to edit is one flat color: choose a layer that shows a picture there."
        )
