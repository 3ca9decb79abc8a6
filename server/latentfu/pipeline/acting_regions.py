"""Where an edit may show: the whole crop, or the regions in which its controls act.

The mask is the regions as they lie in the layer, with what the edit adds to them, so that longer
hair and an opened mouth show.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from latentfu.core.control import Control
from latentfu.core.crop import Crop
from latentfu.core.errors import BadInputError, NotInstalledError, PluginFailedError
from latentfu.core.latent import Quality
from latentfu.core.progress import Progress, silent
from latentfu.core.regions import RegionParser
from latentfu.pipeline.cache import ControlCache
from latentfu.pipeline.codes_edit import CodesEdit
from latentfu.pipeline.control_regions import find_control_regions
from latentfu.pipeline.crop import Floats
from latentfu.pipeline.generator_pool import ResolvedRequest
from latentfu.pipeline.invert import CachedInversion
from latentfu.pipeline.pixel_math import blur, smoothstep
from latentfu.pipeline.preview import resize_picture
from latentfu.pipeline.region_colors import allow_shifts, limit_shifts
from latentfu.pipeline.region_fit import fit_codes, list_surroundings, list_thin_things
from latentfu.pipeline.region_map import (
    RegionMap,
    RegionReader,
    fill_holes,
    read_known_changes,
    soften_region,
)
from latentfu.plugin_manager import get_registry
from latentfu.plugin_objects import GeneratorSpec
from latentfu.protocol.requests import ControlsRequest

_STRANGE_PART = 0.5
"""Above this part of its limit (``GeneratorSpec.out_of_domain_limit``) a picture is not of the
network's own kind, where the network does not say otherwise. For the drawn portraits, with a limit
of 0.25: 20 photographs lie at 0.14 to 0.78, portraits before a plain wall at 0.03."""
LARGEST_HOLE = 0.03
"""What the regions of a control surround and is smaller than this part of the crop belongs to
them: teeth in a mouth that a smile opens."""
_THING = 0.85
"""Probability from which a thing, such as the background, is surely one."""
STRONG_LEVELS = 12.0
"""A change of so many levels is a thing that comes, where one is expected."""
LEAST_SHARE = 2e-4
"""A region that fills less of the crop than this is not there."""


@dataclass(frozen=True)
class ActingRegions:
    """Where an edit may show.

    Attributes:
        names: The regions; empty for the whole crop.
        mask: float32 ``[S, S]`` in 0..1 over the crop; None for the whole crop.
        note: Why it is the whole crop although regions were wanted, as a sentence; else empty.
        limit: Gives the picture after an edit, from it and the one before, without the colors that
            the edit dragged along; None where they are not known.
        fit: Tells of the edit by the codes alone where the layer shows other regions than they
            draw; None where that is not known.
    """

    names: tuple[str, ...] = ()
    mask: Floats | None = None
    note: str = ""
    limit: Callable[[Floats, Floats], Floats] | None = None
    fit: Callable[[CodesEdit], CodesEdit] | None = None

    def limit_colors(
        self, edited: Floats, inverted: Floats | None, codes: CodesEdit | None
    ) -> tuple[Floats, CodesEdit | None]:
        """The edited picture, and that of the codes alone, without colors that came along."""
        if inverted is None:
            return edited, codes
        limit = self.limit
        if limit is not None:
            if codes is not None:
                codes = replace(codes, after=limit(codes.after, codes.before))
            edited = limit(edited, inverted)
        if self.fit is not None:
            codes = self.fit(codes or CodesEdit(inverted, edited))
        return edited, codes


WHOLE = ActingRegions()


def choose_parser(spec: GeneratorSpec, *, photograph: bool) -> RegionParser | None:
    """The first parser for the generator's domain.

    For a ``photograph`` in a network of something else (such as drawn portraits) the first of all:
    it says itself whether it knows the picture.
    """
    known = list(get_registry().installed(RegionParser).values())
    fitting = [parser for parser in known if spec.domain in parser.domains]
    return next(iter(fitting or (known if photograph else [])), None)


def require_parser(spec: GeneratorSpec) -> RegionParser:
    """The parser for any picture in the generator's domain; NotInstalledError for none."""
    parser = choose_parser(spec, photograph=True)
    if parser is None:
        raise NotInstalledError("No parser of regions is installed.")
    return parser


def _is_strange(quality: Quality, spec: GeneratorSpec) -> bool:
    """Whether the picture is of another kind than the network's own, such as a photograph."""
    least = spec.photograph_distance
    if least is None:
        least = _STRANGE_PART * spec.out_of_domain_limit
    return (quality.out_of_domain or 0.0) > least


class RegionChooser:
    """Finds the acting regions of edits on one device."""

    def __init__(self, device: str, effects: ControlCache) -> None:
        self.reader = RegionReader(device)
        self._effects = effects
        self._known: dict[tuple[str, str, str], tuple[Control, tuple[str, ...]]] = {}

    def choose(
        self,
        request: ControlsRequest,
        resolved: ResolvedRequest,
        crop: Crop,
        found: CachedInversion,
        *,
        pictures: tuple[Floats, Floats],
        progress: Progress = silent,
    ) -> ActingRegions:
        """Where an edit may show, from the request and ``pictures``, the edited and the inverted.

        Raises:
            NotInstalledError: a region that no parser knows, or there is no parser.
            BadInputError: named regions in a picture whose regions are not found surely, or that
                has none of them.
            PluginFailedError: named regions, and the parser fails. Where none are named, the edit
                shows everywhere and the note says why.
        """
        if np.array_equal(*pictures):
            return WHOLE
        try:
            chosen = self._choose(
                request, resolved, crop, found, pictures=pictures, progress=progress
            )
            fit = self._make_fit(resolved, crop, found, chosen, still=_is_still(request, resolved))
            return replace(chosen, fit=fit)
        except PluginFailedError as error:
            if request.regions != "auto":
                raise
            return replace(WHOLE, note=f"The edit shows everywhere: {error}")

    def choose_for_mix(
        self,
        resolved: ResolvedRequest,
        crop: Crop,
        found: CachedInversion,
        *,
        pictures: tuple[Floats, Floats],
    ) -> ActingRegions:
        """Where a mix of styles may show: in a photograph its subject, else everywhere.

        A network's own pictures have backgrounds that belong to the styles; another photograph's
        background in place of this one's is not meant.
        """
        strange = _is_strange(found.inversion.quality, resolved.spec)
        parser = choose_parser(resolved.spec, photograph=strange)
        if not strange or parser is None or np.array_equal(*pictures):
            return WHOLE
        try:
            own = self.reader.read(parser, crop.image, f"{found.key} layer")
            if own.surety < parser.least_surety:
                return replace(WHOLE, note=say_unsure(own.surety))
            names = _leave_surroundings(parser.regions, parser)
            maps = self._read_maps(parser, found, pictures)
        except PluginFailedError as error:
            return replace(WHOLE, note=f"The mix shows everywhere: {error}")
        united = _unite([own, *maps], names, parser, pictures, named=False, photograph=True)
        fit = self._make_fit(resolved, crop, found, united, still=False)
        return replace(united, fit=fit)

    def _choose(
        self,
        request: ControlsRequest,
        resolved: ResolvedRequest,
        crop: Crop,
        found: CachedInversion,
        *,
        pictures: tuple[Floats, Floats],
        progress: Progress,
    ) -> ActingRegions:
        """The same; a parser that fails raises PluginFailedError."""
        wanted = request.regions
        if wanted == "whole":
            return WHOLE
        named = wanted != "auto"
        strange = _is_strange(found.inversion.quality, resolved.spec)
        parser = choose_parser(resolved.spec, photograph=strange or named)
        if named and parser is None:
            raise NotInstalledError("No parser of regions is installed: use whole.")
        if parser is None or not (named or request.psi == 1.0):
            return WHOLE
        if named:
            check_regions(wanted, parser)
        own = self.reader.read(parser, crop.image, f"{found.key} layer")
        if own.surety < parser.least_surety:
            if named:
                raise BadInputError(say_unsure(own.surety))
            return replace(WHOLE, note=say_unsure(own.surety))
        names = tuple(wanted)
        if not named:
            names = self._find_names(request, resolved, parser, progress)
            if not names:
                return replace(WHOLE, note="Where these controls act could not be measured.")
            if strange:
                names = _leave_surroundings(names, parser)
        allowed = _allow_shifts(request, resolved, parser)
        maps = self._read_maps(parser, found, pictures)
        united = _unite([own, *maps], names, parser, pictures, named=named, photograph=strange)
        if united.mask is None or allowed is None:
            return united
        return replace(united, limit=lambda a, b: limit_shifts(a, b, maps, allowed))

    def _make_fit(
        self,
        resolved: ResolvedRequest,
        crop: Crop,
        found: CachedInversion,
        chosen: ActingRegions,
        *,
        still: bool,
    ) -> Callable[[CodesEdit], CodesEdit] | None:
        """``ActingRegions.fit`` for faces, and for pictures of another kind than the network's."""
        strange = _is_strange(found.inversion.quality, resolved.spec)
        parser = choose_parser(resolved.spec, photograph=strange)
        if parser is None:
            return None
        try:
            own = self.reader.read(parser, crop.image, f"{found.key} layer")
        except PluginFailedError:  # said where regions are asked for
            return None
        if own.surety < parser.least_surety:
            return None
        shown = crop.image, own
        acting = chosen.names if strange and chosen.mask is not None else None
        return lambda codes: fit_codes(
            replace(codes, still=still and strange),
            self.reader,
            parser,
            shown,
            photograph=strange,
            acting=acting,
        )

    def _read_maps(
        self, parser: RegionParser, found: CachedInversion, pictures: tuple[Floats, Floats]
    ) -> tuple[RegionMap, RegionMap]:
        """The regions of the inverted and of the edited picture."""
        edited, inverted = pictures
        before = self.reader.read(parser, inverted, f"{found.key} {inverted.shape[-1]}")
        return before, self.reader.read(parser, edited)

    def _find_names(
        self,
        request: ControlsRequest,
        resolved: ResolvedRequest,
        parser: RegionParser,
        progress: Progress,
    ) -> tuple[str, ...]:
        """The regions of all controls that move; empty as soon as one cannot be told."""
        moving = [name for name, strength in request.edits.items() if strength != 0]
        names = [*moving, *request.targets, *sorted(request.valued)]
        return self.find_together(names, resolved, parser, progress)

    def find_together(
        self,
        controls: Iterable[str],
        resolved: ResolvedRequest,
        parser: RegionParser,
        progress: Progress = silent,
    ) -> tuple[str, ...]:
        """Where controls of these names act, in the parser's order; empty where one is not told."""
        names: set[str] = set()
        for name in controls:
            found = self.find_for(resolved.controls[name], resolved, parser, progress)
            if not found:
                return ()
            names.update(found)
        return tuple(name for name in parser.regions if name in names)

    def find_for(
        self,
        control: Control,
        resolved: ResolvedRequest,
        parser: RegionParser,
        progress: Progress = silent,
    ) -> tuple[str, ...]:
        """Where one control acts; empty where it cannot be told."""
        key = (resolved.generator.id, control.name, parser.name)
        known = self._known.get(key)
        if known is None or known[0].facts != control.facts:
            regions = find_control_regions(
                control,
                resolved.generator,
                parser,
                reader=self.reader,
                effects=self._effects,
                progress=progress,
            )
            known = self._known[key] = (control, regions)
        return known[1]


def _is_still(request: ControlsRequest, resolved: ResolvedRequest) -> bool:
    """Whether all that is asked for moves nothing."""
    moving = [name for name, strength in request.edits.items() if strength != 0]
    names = (*moving, *request.targets, *request.valued)
    return all(resolved.controls[name].still for name in names)


def _allow_shifts(
    request: ControlsRequest, resolved: ResolvedRequest, parser: RegionParser
) -> dict[str, float] | None:
    """How far each region may change color; None where that is not known."""
    if request.targets or request.valued:
        return None
    moves = [(resolved.controls[name], strength) for name, strength in request.edits.items()]
    return allow_shifts(moves, read_known_changes(parser))


def _leave_surroundings(names: tuple[str, ...], parser: RegionParser) -> tuple[str, ...]:
    """Without what is around the subject, where the subject changes too.

    Around it a photograph goes on beyond the crop: other light there would show as a square.
    """
    around = list_surroundings(parser)
    return tuple(name for name in names if name not in around) or names


def check_regions(names: Iterable[str], parser: RegionParser) -> None:
    """Refuse regions that the parser does not know (raises NotInstalledError)."""
    for name in names:
        if name not in parser.regions:
            raise NotInstalledError(
                f"There is no region {name!r}; there are: {', '.join(parser.regions)}."
            )


def say_unsure(surety: float) -> str:
    """Why nothing is said about a picture's regions, and what to do."""
    return (
        f"The regions of this picture are not found surely ({surety:.2f}): edit the whole "
        f"picture (regions: whole), or what a mask or a selection holds."
    )


def _unite(
    maps: list[RegionMap],
    names: tuple[str, ...],
    parser: RegionParser,
    pictures: tuple[Floats, Floats],
    *,
    named: bool,
    photograph: bool,
) -> ActingRegions:
    """The regions in the first map, the layer's, with what the edit adds to them.

    The other maps are of the pictures before and after it, and count where both are sure.
    """
    sure = [each for each in maps if each.surety >= parser.least_surety]
    side = sure[0].parts.shape[-1]
    probability = sure[0].weigh(names)
    if len(sure) == len(maps):  # what the edit adds counts, not what the network drew elsewhere
        before, after = (resize_picture(each.weigh(names)[None], side)[0] for each in sure[1:])
        probability = np.maximum(probability, after - before)
    if (probability > 0.5).mean() < LEAST_SHARE:
        if named:
            raise BadInputError(f"There is no {' or '.join(names)} in this picture.")
        return replace(WHOLE, note="The regions of these controls are not in this picture.")
    if not named:
        probability = fill_holes(probability, LARGEST_HOLE)
    if _comes(names, maps[0], parser):
        probability = np.maximum(probability, _find_new_structure(pictures, probability))
    mask = soften_region(probability)
    bent = list_surroundings(parser) if photograph and len(sure) == len(maps) else ()
    others = [name for name in parser.things if name not in (*names, *bent)]
    if others:  # the mask must not fade into what surely is background before and after
        thing = np.minimum(sure[0].weigh(others), 1.0 - probability)
        mask = mask * (1.0 - smoothstep((thing - _THING) / (1.0 - _THING)))
    return ActingRegions(names, np.asarray(mask, np.float32))


def _comes(names: tuple[str, ...], own: RegionMap, parser: RegionParser) -> bool:
    """Whether one of the regions is a thing that the layer may not have yet, such as a hat.

    Of what is thin, such as glasses, a parser sees a part at best, or takes a wrinkle for one.
    """
    shares = own.measure_shares()
    thin = list_thin_things(parser)
    return any(
        name in thin or (name in parser.things and shares[name] < LEAST_SHARE) for name in names
    )


def _find_new_structure(pictures: tuple[Floats, Floats], probability: Floats) -> Floats:
    """1 where the pictures differ strongly, in one piece with the regions: ``[S, S]``.

    A network may draw a thing that comes so that the parser does not know it.
    """
    import cv2

    side = probability.shape[0]
    edited, inverted = (resize_picture(each, side) for each in pictures)
    change = blur(127.5 * np.abs(edited - inverted).max(axis=0), side / 128)
    strong = (change > STRONG_LEVELS).astype(np.uint8)
    count, labels = cv2.connectedComponents(strong)
    touched = np.unique(labels[(probability > 0.5) & (strong > 0)])
    return np.asarray(np.isin(labels, touched[touched > 0]) * (count > 1), np.float32)
