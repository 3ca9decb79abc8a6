"""The whole way, layer -> crop -> invert -> edit -> render -> paste -> layer, for one device."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace

from latentfu.core.crop import Crop
from latentfu.core.latent import Latent
from latentfu.core.layer import Layer, MaskPixels, check_mask
from latentfu.core.progress import Progress, Stopwatch, between, silent
from latentfu.hookspecs import InversionRequest
from latentfu.pipeline import crop as cropping
from latentfu.pipeline import render as rendering
from latentfu.pipeline.align import Cropper
from latentfu.pipeline.apply_controls import DEFAULT_EDIT_OPTIONS as AS_USUAL
from latentfu.pipeline.apply_controls import (
    EditOptions,
    Movers,
    apply,
    check_edits,
    check_psi,
    truncated,
)
from latentfu.pipeline.feathering import check_feather
from latentfu.pipeline.feature_warp import warp_features
from latentfu.pipeline.generator_pool import GeneratorPool, Tools
from latentfu.pipeline.geometry import Floats, scaled
from latentfu.pipeline.invert import (
    DEFAULT_EDIT_OPTIONS,
    Found,
    How,
    InversionCache,
    Options,
    check_content,
    invert,
    invert_many,
    key_for,
)
from latentfu.pipeline.lru_cache import Recent
from latentfu.pipeline.paste import paste
from latentfu.pipeline.placement import ANYWHERE, Placement
from latentfu.pipeline.preview import fitted, quick_picture, quick_side, stopping
from latentfu.pipeline.report import changed_outside, make_report
from latentfu.pipeline.thumbnail import shrink


@dataclass(frozen=True)
class Request:
    """What is asked of a layer, whatever is done with it. None is the default everywhere.

    ``mask``: uint8 ``[H, W]`` of the layer's size. ``feather``: in layer pixels. ``psi``: 1
    leaves the latent as it is, less pulls it towards the generator's mean. ``quality``: draft,
    good or best instead of an inverter. ``placing``: where in the layer.
    """

    layer: Layer
    _: KW_ONLY
    generator: str | None = None
    inverter: str | None = None
    aligner: str | None = None
    mask: MaskPixels | None = None
    feather: float = 12.0
    psi: float = 1.0
    quality: str | None = None
    placing: Placement = ANYWHERE


@dataclass(frozen=True)
class EditRequest(Request):
    """One edit: ``edits`` maps control names to strengths.

    ``ways``: targets instead of strengths, layers, and what is held.
    """

    edits: Mapping[str, float]
    ways: EditOptions = field(default=AS_USUAL, kw_only=True)


@dataclass(frozen=True)
class MixRequest(Request):
    """Style mixing: ``layers`` (first, last, both included) of ``source`` into ``layer``."""

    source: Layer
    layers: tuple[int, int]


@dataclass(frozen=True)
class Outcome:
    """The layer that came out, and the report of docs/http-api.md."""

    layer: Layer
    report: dict[str, object]


class Editor:
    """Does requests on one device, keeping networks, crops and inversions for the next one.

    For one thread at a time. Raises LatentFuError in one sentence for what can not be done;
    the request's layer is never changed.
    """

    def __init__(self, device: str = "cpu") -> None:
        self.studio = GeneratorPool(device)
        self._shelf = InversionCache()
        self._movers = Movers()
        self._cropper = Cropper()
        self._renders: Recent[Floats] = Recent(8)

    def edit(self, request: EditRequest, progress: Progress = silent) -> Outcome:
        """The layer with the controls moved."""
        work = self._start(request)
        check_edits(request.edits, request.ways, work.tools.controls)
        crop, found = self._find(request, work, between(progress, 0.0, 0.9))
        edited, inverted = self._edited(request, work.tools, found)
        work.watch.lap("render")
        return self._finish(request, work, _Shown(crop, found, edited, inverted), progress)

    def mix(self, request: MixRequest, progress: Progress = silent) -> Outcome:
        """The layer with styles of the source, inside the mask."""
        work = self._start(request)
        generator = work.tools.generator
        rendering.check_layers(generator, request.layers)
        crop, found = self._find(request, work, between(progress, 0.0, 0.45))
        other = replace(request, layer=request.source, mask=None, placing=ANYWHERE)
        _, source = self._find(other, work, between(progress, 0.45, 0.9))
        mask = None
        if request.mask is not None:
            mask = cropping.cut_mask(request.mask, crop.quad, generator.resolution)
        latent = found.inversion.latent
        a = warp_features(latent, truncated(latent, generator, request.psi), generator)
        mixed = rendering.mix(generator, a, source.inversion.latent, request.layers, mask)
        inverted = self._inverted(work.tools, found)
        work.watch.lap("render")
        outcome = self._finish(request, work, _Shown(crop, found, mixed, inverted), progress)
        return Outcome(outcome.layer, {**outcome.report, "source_inversion_key": source.key})

    def invert(self, request: EditRequest, progress: Progress = silent) -> Outcome:
        """The layer with its crop replaced by what the inversion shows; fills the cache."""
        work = self._start(request)
        crop, found = self._find(request, work, between(progress, 0.0, 0.9))
        shown = self._inverted(work.tools, found)
        work.watch.lap("render")
        return self._finish(request, work, _Shown(crop, found, shown, None), progress)

    def preview(
        self,
        request: EditRequest,
        side: int,
        progress: Progress = silent,
        *,
        quick: int = 0,
        check: Callable[[], None] = lambda: None,
    ) -> Layer:
        """The edited layer scaled down to a longest side of ``side``: one render when cached.

        ``quick``: 0 exactly, else by the generator's shorter way, so many times smaller (up to
        16), for while a slider moves. ``check`` is called between the layers of the network and
        may raise to stop.
        """
        work = self._start(request)
        check_edits(request.edits, request.ways, work.tools.controls)
        small = shrink(request.layer, request.mask, side)
        crop, found = self._find(request, work, progress)
        quad = scaled(crop.quad, *small.factors)
        with stopping(check):
            if quick:
                edited, inverted = self._quickly(request, work.tools, found, quad.side, quick)
            else:
                edited, inverted = self._edited(request, work.tools, found)
        feather = request.feather * small.factor
        return paste(small.layer, quad, edited, inverted, mask=small.mask, feather=feather)

    def is_inverted(self, request: EditRequest) -> bool:
        """Whether an edit of this layer would need no inversion."""
        tools = self.studio.tools(request)
        crop = self._crop(request, tools)
        key = key_for(crop, tools.generator, tools.inverter, tools.options)
        return self._shelf.get(key, tools.generator) is not None

    def inversion(
        self,
        request: EditRequest,
        options: Options | None = None,
        progress: Progress = silent,
        how: How = DEFAULT_EDIT_OPTIONS,
    ) -> tuple[Crop, Found]:
        """The crop and its inversion, by an inverter with ``options``."""
        return self._find(request, self._start(request), progress, replace(how, options=options))

    def inversion_key(self, request: EditRequest, options: Options | None = None) -> str:
        """The key under which the inversion is cached; refuses what can not be inverted."""
        tools = self._start(request).tools
        crop = self._crop(request, tools)
        check_content(crop)
        chosen = {**tools.options, **(options or {})}
        return key_for(crop, tools.generator, tools.inverter, chosen)

    def inversions(
        self,
        requests: Sequence[EditRequest],
        options: Options | None = None,
        progress: Progress = silent,
        how: How = DEFAULT_EDIT_OPTIONS,
    ) -> list[tuple[Crop, Found]]:
        """The same for several layers at once; the tools are those of the first request."""
        tools = self._start(requests[0]).tools
        how = replace(how, options=options)
        crops = [self._crop(request, tools) for request in requests]
        asked = [
            self._asked(request, crop, tools, progress, how)
            for request, crop in zip(requests, crops, strict=True)
        ]
        found = invert_many(asked, tools.inverter, shelf=self._shelf, again=how.again)
        return list(zip(crops, found, strict=True))

    def _start(self, request: Request) -> _Work:
        """Refuse what can be refused before anything costs time, then gather the tools."""
        if request.mask is not None:
            check_mask(request.mask, request.layer)
        check_feather(request.feather)
        check_psi(request.psi)
        watch = Stopwatch()
        tools = self.studio.tools(request)
        watch.lap("load")
        return _Work(tools, watch)

    def _crop(self, request: Request, tools: Tools) -> Crop:
        resolution = tools.generator.resolution
        placing, mask = request.placing, request.mask
        return self._cropper.crop(request.layer, tools.aligner, resolution, placing, mask)

    def _find(
        self,
        request: Request,
        work: _Work,
        progress: Progress,
        how: How = DEFAULT_EDIT_OPTIONS,
    ) -> tuple[Crop, Found]:
        progress(0.0, "Looking for the part to edit")
        crop = self._crop(request, work.tools)
        work.watch.lap("crop")
        asked = self._asked(request, crop, work.tools, progress, how)
        found = invert(asked, work.tools.inverter, shelf=self._shelf, again=how.again)
        work.watch.lap("invert")
        return crop, found

    def _asked(
        self,
        request: Request,
        crop: Crop,
        tools: Tools,
        progress: Progress,
        how: How,
    ) -> InversionRequest:
        mask = None
        if how.masked and request.mask is not None:
            mask = cropping.cut_mask(request.mask, crop.quad, tools.generator.resolution)
        options = {**tools.options, **(how.options or {})}
        return InversionRequest(crop, tools.generator, progress, options, how.preview, mask)

    def _inverted(self, tools: Tools, found: Found) -> Floats:
        latent = found.inversion.latent
        return self._renders.get_or_make(
            found.key, lambda: rendering.render(tools.generator, latent)
        )

    def _edited(self, request: EditRequest, tools: Tools, found: Found) -> tuple[Floats, Floats]:
        """The pictures of the edited latent and of the inversion."""
        latent = self._moved(request, tools, found)
        inverted = self._inverted(tools, found)
        unmoved = latent is found.inversion.latent
        return (inverted if unmoved else rendering.render(tools.generator, latent)), inverted

    def _quickly(
        self, request: EditRequest, tools: Tools, found: Found, side: float, times: int
    ) -> tuple[Floats, Floats]:
        """The same for about ``side`` pixels, from pictures that are ``times`` smaller."""
        resolution = tools.generator.resolution
        shown = min(math.ceil(side), resolution)
        small = quick_side(resolution, shown, times)
        if 2 * small > resolution:  # Then it is the whole picture, which will be asked for next.
            return self._edited(request, tools, found)
        before, whole = found.inversion.latent, self._inverted(tools, found)
        latent = self._moved(request, tools, found)
        if latent is before:
            return whole, whole
        base = self._renders.get_or_make(
            f"{found.key} at {small}", lambda: quick_picture(tools.generator, before, small)
        )
        return fitted(whole, base, quick_picture(tools.generator, latent, small), shown)

    def _moved(self, request: EditRequest, tools: Tools, found: Found) -> Latent:
        """The edited latent; the inversion's own where nothing is asked for."""
        return apply(
            found.inversion.latent,
            request.edits,
            tools.controls,
            tools.generator,
            movers=self._movers,
            psi=request.psi,
            ways=request.ways,
        )

    def _finish(
        self,
        request: Request,
        work: _Work,
        shown: _Shown,
        progress: Progress,
    ) -> Outcome:
        progress(0.95, "Pasting back")
        layer, quad, mask = request.layer, shown.crop.quad, request.mask
        out = paste(layer, quad, shown.edited, shown.inverted, mask=mask, feather=request.feather)
        work.watch.lap("paste")
        outside = changed_outside(layer, out, quad, mask)
        work.watch.lap("check")
        progress(1.0, "Done")
        report = make_report(work.tools, shown.crop, shown.found, work.watch.seconds, outside)
        return Outcome(out, report)


@dataclass(frozen=True)
class _Shown:
    """What is pasted: ``edited`` in place of ``inverted`` (None: as it is)."""

    crop: Crop
    found: Found
    edited: Floats
    inverted: Floats | None


@dataclass(frozen=True)
class _Work:
    """What a request is done with, and the time that its steps take."""

    tools: Tools
    watch: Stopwatch
