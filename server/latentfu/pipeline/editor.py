"""The whole way, layer -> crop -> invert -> edit -> render -> paste -> layer, for one device."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from latentfu.core.control import check_strengths
from latentfu.core.crop import Crop
from latentfu.core.errors import BadInputError, PluginFailedError
from latentfu.core.layer import Layer, check_mask
from latentfu.core.process_memory import give_back_freed
from latentfu.core.progress import Progress, Stopwatch, between, cancel_scope, silent
from latentfu.core.value_effect import ControlValue, Exemplar
from latentfu.pipeline.acting_regions import RegionChooser, require_parser
from latentfu.pipeline.align import Cropper, Placement, pick_number, pick_quad
from latentfu.pipeline.apply_controls import (
    check_control_names,
    check_kept_layers,
    check_other_networks,
    truncate,
)
from latentfu.pipeline.cache import ControlCache, InversionCache
from latentfu.pipeline.control_values import check_valued_controls, resolve_values
from latentfu.pipeline.crop import cut_mask, scale_quad
from latentfu.pipeline.feature_warp import warp_features
from latentfu.pipeline.find_regions import RegionFinder
from latentfu.pipeline.generator_pool import GeneratorPool, ResolvedRequest
from latentfu.pipeline.invert import (
    DEFAULT_INVERT_OPTIONS,
    CachedInversion,
    Inverting,
    InvertOptions,
    check_content,
    list_by_fit,
)
from latentfu.pipeline.light import put_back_light
from latentfu.pipeline.make_directions import DirectionMaking
from latentfu.pipeline.paste import place_change
from latentfu.pipeline.paste_back import EditWork, Outcome, ShownEdit, paste_back
from latentfu.pipeline.preview import make_thumbnail
from latentfu.pipeline.region_mixer import PlacedLayer, RegionMixer
from latentfu.pipeline.render import check_mix_layers, render_mix, show_mix
from latentfu.pipeline.render_edit import EditRenderer, make_edit_options
from latentfu.pipeline.report import tell_corners
from latentfu.pipeline.transfer import (
    TransferPlan,
    list_moved,
    make_exemplar_request,
    plan_transfer,
)
from latentfu.plugin_manager import get_registry
from latentfu.plugin_objects import InversionRequest, Inverter
from latentfu.protocol.pictures import PictureSource, resolve_mask
from latentfu.protocol.replies import FacesReply, InverterReply, dump_named
from latentfu.protocol.requests import (
    ControlsRequest,
    EditorRequest,
    EditRequest,
    InvertRequest,
    LayerRequest,
    MixRequest,
    PreviewRequest,
    RegionsRequest,
    TransferRequest,
)


class Editor:
    """Does requests on one device, keeping networks, crops and inversions for the next one.

    Every method takes a request and the pictures that it refers to. For one thread at a time.
    Raises LatentFuError in one sentence for what cannot be done; the request's layer is never
    changed.
    """

    def __init__(self, device: str = "cpu") -> None:
        self.generators = GeneratorPool(device)
        self.making = DirectionMaking(self.generators)
        self._inversions = InversionCache()
        self._inverting = Inverting(self._inversions)
        self._controls = ControlCache()
        self._cropper = Cropper()
        self._renderer = EditRenderer(self._controls)
        self.regions = RegionChooser(device, self._controls)

    def release_memory(self) -> None:
        """Let go of networks and of what was made with them; they are loaded again when used."""
        import torch

        self.generators.release()
        self._controls.clear()
        self._renderer.clear()
        gc.collect()
        give_back_freed()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def run(
        self, request: EditorRequest, pictures: PictureSource, progress: Progress = silent
    ) -> Outcome:
        """What the kind of the request says: :meth:`edit`, :meth:`mix` and so on."""
        match request:
            case EditRequest():
                return self.edit(request, pictures, progress)
            case MixRequest():
                return self.mix(request, pictures, progress)
            case TransferRequest():
                return self.transfer(request, pictures, progress)
            case InvertRequest():
                return self.invert(request, pictures, progress)
            case RegionsRequest():
                return self.find_regions(request, pictures, progress)

    def edit(
        self, request: EditRequest, pictures: PictureSource, progress: Progress = silent
    ) -> Outcome:
        """The layer with the controls moved."""
        work = self._start(request, pictures)
        _check_controls(request, work.resolved)
        crop, found = self._find(work, between(progress, 0.0, 0.9))
        values = self._find_values(request, work, crop, pictures)
        edited, inverted, codes = self._renderer.render(request, work.resolved, found, values)
        work.watch.lap("render")
        shown = edited, inverted
        acting = self.regions.choose(
            request, work.resolved, crop, found, pictures=shown, progress=progress
        )
        work.watch.lap("regions")
        return paste_back(work, ShownEdit(crop, found, edited, inverted, codes, acting), progress)

    def mix(
        self, request: MixRequest, pictures: PictureSource, progress: Progress = silent
    ) -> Outcome:
        """The layer with styles or regions of the source, inside the mask."""
        if request.layers is None:
            return self._mix_regions(request, pictures, progress)
        work = self._start(request, pictures)
        generator = work.resolved.generator
        check_mix_layers(generator, request.layers)
        crop, found = self._find(work, between(progress, 0.0, 0.45))
        _, source = self._find_other(work, request.source, pictures, between(progress, 0.45, 0.9))
        mask = None
        if work.mask is not None:
            mask = cut_mask(work.mask, crop.quad, generator.resolution)
        latent = found.inversion.latent
        a = warp_features(latent, truncate(latent, generator, request.psi), generator)
        mixed = render_mix(generator, a, source.inversion.latent, request.layers, mask)
        inverted = self._renderer.render_inversion(work.resolved.generator, found)
        work.watch.lap("render")
        shown = ShownEdit(crop, found, mixed, inverted)
        acting = self.regions.choose_for_mix(work.resolved, crop, found, pictures=(mixed, inverted))
        if acting.mask is not None:
            codes = show_mix(generator, a, source.inversion.latent, request.layers)
            shown = replace(shown, codes=codes, acting=acting)
        work.watch.lap("regions")
        outcome = paste_back(work, shown, progress)
        report = outcome.report.model_copy(update={"source_inversion_key": source.key})
        return replace(outcome, report=report)

    def _mix_regions(
        self, request: MixRequest, pictures: PictureSource, progress: Progress
    ) -> Outcome:
        """The layer with regions of the source; loads no generator."""
        layer, mask = pictures.read(request.layer), resolve_mask(pictures, request.mask)
        if mask is not None:
            check_mask(mask, layer)
        own = PlacedLayer(layer, _make_placement(request), mask)
        mixer = RegionMixer(self.regions.reader, self._cropper)
        spec = self.generators.find_spec(request.generator)
        return mixer.mix(request, own, pictures.read(request.source), spec, progress)

    def transfer(
        self, request: TransferRequest, pictures: PictureSource, progress: Progress = silent
    ) -> Outcome:
        """The layer moved to where the source stands, along directions or by mappings."""
        work = self._start(request, pictures)
        moved = list_moved(request, work.resolved.controls)
        if not moved.directions:
            plain = TransferPlan({}, {}, {}).make_request(request, moved.shown)
            return self.edit(plain, pictures, progress)
        _, found = self._find(work, between(progress, 0.0, 0.45))
        exemplar = self._start(make_exemplar_request(request), pictures, work.resolved)
        _, source = self._find(exemplar, between(progress, 0.45, 0.9))
        latents = found.inversion.latent, source.inversion.latent
        plan = plan_transfer(request, latents, work.resolved, self._controls, moved.directions)
        edit = plan.make_request(request, moved.shown)
        outcome = self.edit(edit, pictures, between(progress, 0.9, 1.0))
        facts = {"source_inversion_key": source.key, "moves": plan.moves}
        return replace(outcome, report=outcome.report.model_copy(update=facts))

    def invert(
        self, request: LayerRequest, pictures: PictureSource, progress: Progress = silent
    ) -> Outcome:
        """The layer with its crop replaced by what the inversion shows; fills the cache."""
        work = self._start(request, pictures)
        crop, found = self._find(work, between(progress, 0.0, 0.9))
        shown = self._renderer.render_inversion(work.resolved.generator, found)
        work.watch.lap("render")
        return paste_back(work, ShownEdit(crop, found, shown, None), progress)

    def find_regions(
        self, request: RegionsRequest, pictures: PictureSource, progress: Progress = silent
    ) -> Outcome:
        """A mask of regions of the layer, or a colored map of all.

        Loads the generator only where it is asked for where controls act.
        """
        progress(0.0, "Looking for regions")
        layer, mask = pictures.read(request.layer), resolve_mask(pictures, request.mask)
        spec = self.generators.find_spec(request.generator)
        acting = self._find_acting(request, progress) if request.controls else ()
        place = _make_placement(request)
        finder = RegionFinder(self.regions.reader, self._cropper)
        return Outcome(*finder.find(layer, request, spec, place, mask, acting=acting))

    def _find_acting(self, request: RegionsRequest, progress: Progress) -> tuple[str, ...]:
        """The regions in which the request's controls act; BadInputError where it is not told."""
        resolved = self.generators.resolve(request)
        check_strengths(dict.fromkeys(request.controls, 0.0), resolved.controls)
        parser = require_parser(resolved.spec)
        found = self.regions.find_together(request.controls, resolved, parser, progress)
        if not found:
            names = ", ".join(request.controls)
            raise BadInputError(f"Where {names} acts could not be measured: name its regions.")
        return found

    def preview(
        self,
        request: PreviewRequest,
        pictures: PictureSource,
        progress: Progress = silent,
        *,
        check: Callable[[], None] = lambda: None,
    ) -> Layer:
        """The edited layer scaled down to the request's ``side``: one render when cached.

        ``check`` is called between the layers of the network and may raise to stop.
        """
        work = self._start(request, pictures)
        _check_controls(request, work.resolved)
        small = make_thumbnail(work.layer, work.mask, request.side)
        crop, found = self._find(work, progress)
        quad = scale_quad(crop.quad, *small.factors)
        values = self._find_values(request, work, crop, pictures)
        with cancel_scope(check):
            if request.quick:
                edited, inverted, codes = self._renderer.render_quick(
                    request, work.resolved, found, quad.side, values
                )
            else:
                edited, inverted, codes = self._renderer.render(
                    request, work.resolved, found, values
                )
            shown = edited, inverted
            acting = self.regions.choose(request, work.resolved, crop, found, pictures=shown)
            edited, codes = acting.limit_colors(edited, inverted, codes)
            edited, before, codes = put_back_light(crop, edited, inverted, codes)
            feather = request.feather * small.factor
            placed = place_change(
                small.layer,
                quad,
                edited,
                before,
                mask=small.mask,
                feather=feather,
                codes=codes,
                region=acting.mask,
            )
            return placed.add_to(small.layer)

    def is_inverted(self, request: LayerRequest, pictures: PictureSource) -> bool:
        """Whether an edit of this layer would need no inversion."""
        if request.latent is not None:
            return True
        work = self._start(request, pictures)
        resolved = work.resolved
        return self._inverting.is_cached(self._crop(work), resolved.generator, resolved.methods)

    def find_faces(self, request: LayerRequest, pictures: PictureSource) -> FacesReply:
        """Where the faces are, and which of them is meant; needs no network."""
        layer, mask = pictures.read(request.layer), resolve_mask(pictures, request.mask)
        if mask is not None:
            check_mask(mask, layer)
        aligner = self.generators.find_aligner(request)
        quads = self._cropper.find(layer, aligner, mask)
        placement = _make_placement(request)
        pick_quad(quads, placement, mask, aligner)
        return FacesReply(
            faces=[tell_corners(quad) for quad in quads],
            chosen=pick_number(quads, placement, mask),
            aligner=aligner.name,
        )

    def list_inverters(self, generator: str) -> list[dict[str, Any]]:
        """The installed inverters for a network, which is opened: the default first, misfits last.

        Each is an :class:`InverterReply` as JSON. Raises NotInstalledError for no such network.
        """
        opened = self.generators.open(self.generators.find_spec(generator))
        found = list_by_fit(get_registry().installed(Inverter), opened)
        rows = dump_named(InverterReply, {item.name: item for item, _ in found})
        return [{**row, "misfit": why} for row, (_, why) in zip(rows, found, strict=True)]

    def find_inversion(
        self,
        request: LayerRequest,
        pictures: PictureSource,
        progress: Progress = silent,
        options: InvertOptions = DEFAULT_INVERT_OPTIONS,
    ) -> tuple[Crop, CachedInversion]:
        """The crop and its inversion."""
        return self._find(self._start(request, pictures), progress, options)

    def find_inversions(
        self,
        requests: Sequence[LayerRequest],
        pictures: PictureSource,
        progress: Progress = silent,
        options: InvertOptions = DEFAULT_INVERT_OPTIONS,
    ) -> list[tuple[Crop, CachedInversion]]:
        """The same for several layers at once; names and options are those of the first."""
        first = self._start(requests[0], pictures)
        rest = [self._start(request, pictures, first.resolved) for request in requests[1:]]
        works = [first, *rest]
        crops = [self._crop(work) for work in works]
        asked = [
            _ask_inverter(work, crop, progress, options)
            for work, crop in zip(works, crops, strict=True)
        ]
        found = self._inverting.find(asked, first.resolved.methods, options.refresh)
        return list(zip(crops, found, strict=True))

    def make_inversion_key(self, request: LayerRequest, pictures: PictureSource) -> str:
        """The key under which the inversion is cached; refuses what cannot be inverted."""
        work = self._start(request, pictures)
        crop = self._crop(work)
        check_content(crop)
        return self._inverting.key(crop, work.resolved.generator, work.resolved.methods)

    def _start(
        self,
        request: LayerRequest,
        pictures: PictureSource,
        resolved: ResolvedRequest | None = None,
    ) -> EditWork:
        """Refuse what can be refused before anything costs time, then open what is named."""
        layer = pictures.read(request.layer)
        mask = resolve_mask(pictures, request.mask)
        if mask is not None:
            check_mask(mask, layer)
        watch = Stopwatch()
        resolved = resolved or self.generators.resolve(request)
        watch.lap("load")
        return EditWork(request, layer, mask, _make_placement(request), resolved, watch)

    def _crop(self, work: EditWork) -> Crop:
        resolution, aligners = work.resolved.generator.resolution, work.resolved.aligners
        for aligner in aligners:
            try:
                return self._cropper.crop(
                    work.layer, aligner, resolution, work.placement, work.mask
                )
            except PluginFailedError:
                if aligner is aligners[-1]:
                    raise
        raise AssertionError("there is always an aligner")

    def _find(
        self, work: EditWork, progress: Progress, options: InvertOptions = DEFAULT_INVERT_OPTIONS
    ) -> tuple[Crop, CachedInversion]:
        progress(0.0, "Looking for the part to edit")
        crop = self._crop(work)
        work.watch.lap("crop")
        if work.request.latent is not None:
            name = work.request.latent
            brought = self._inversions.get_brought(name, work.resolved.generator)
            return crop, CachedInversion(brought, name, True)
        asked = _ask_inverter(work, crop, progress, options)
        (found,) = self._inverting.find([asked], work.resolved.methods, options.refresh)
        work.watch.lap("invert")
        return crop, found

    def _find_other(
        self, work: EditWork, reference: str, pictures: PictureSource, progress: Progress = silent
    ) -> tuple[Crop, CachedInversion]:
        """The crop of another picture and its inversion, by the names of the same request."""
        layer = pictures.read(reference)
        return self._find(replace(work, layer=layer, mask=None, placement=Placement()), progress)

    def _find_values(
        self, request: ControlsRequest, work: EditWork, crop: Crop, pictures: PictureSource
    ) -> dict[str, ControlValue]:
        """What controls that are no sliders are set to; pictures are inverted."""

        def find_exemplar(reference: str) -> Exemplar:
            import torch

            other, found = self._find_other(work, reference, pictures)
            return Exemplar(torch.from_numpy(other.image)[None], found.inversion.latent)

        return resolve_values(request, work.resolved.controls, crop.quad, find_exemplar)


def _check_controls(request: ControlsRequest, resolved: ResolvedRequest) -> None:
    """Refuse controls, values and layers before anything costs time."""
    options = make_edit_options(request)
    check_other_networks({**request.edits, **options.targets}, resolved.controls, resolved.spec)
    check_control_names(request.edits, options, resolved.controls)
    check_valued_controls(request, resolved.controls)
    check_kept_layers(options, resolved.generator)


def _make_placement(request: LayerRequest) -> Placement:
    """Where in its layer a request works."""
    return Placement(request.face, request.corners, request.eyes, request.mouth)


def _ask_inverter(
    work: EditWork, crop: Crop, progress: Progress, options: InvertOptions
) -> InversionRequest:
    """What the inverter is asked for."""
    mask, generator = None, work.resolved.generator
    if options.masked and work.mask is not None:
        mask = cut_mask(work.mask, crop.quad, generator.resolution)
    return InversionRequest(crop, generator, progress, {}, options.preview, mask)
