"""A mix of regions from request to report: hair, mouth and the like of a second picture."""

from __future__ import annotations

from dataclasses import dataclass

from latentfu.core.errors import BadInputError
from latentfu.core.layer import Layer, MaskPixels
from latentfu.core.progress import Progress, Stopwatch
from latentfu.core.regions import RegionParser
from latentfu.pipeline.acting_regions import check_regions, require_parser
from latentfu.pipeline.align import Cropper, Placement
from latentfu.pipeline.find_regions import choose_aligner
from latentfu.pipeline.moved_detail import LARGEST_UPSAMPLED
from latentfu.pipeline.paste import draw_limits, place_mix
from latentfu.pipeline.paste_back import Outcome
from latentfu.pipeline.region_map import RegionReader
from latentfu.pipeline.region_mix import RegionKinds, check_mixable, check_there, mix_regions
from latentfu.pipeline.report import count_changed, tell_corners
from latentfu.pipeline.seen_face import PARSED_SIDE, WIDER, SeenFace, see_face
from latentfu.plugin_objects import Aligner, GeneratorSpec
from latentfu.protocol.replies import RegionMixReply
from latentfu.protocol.requests import MixRequest

_SMALLEST = 64


@dataclass(frozen=True)
class PlacedLayer:
    """A layer, which face of it is meant, and what may change."""

    layer: Layer
    placement: Placement
    mask: MaskPixels | None = None


class RegionMixer:
    """Puts regions of one layer into another; needs no network but a parser of regions."""

    def __init__(self, reader: RegionReader, cropper: Cropper) -> None:
        self._reader, self._cropper = reader, cropper

    def mix(
        self,
        request: MixRequest,
        own: PlacedLayer,
        source: Layer,
        spec: GeneratorSpec,
        progress: Progress,
    ) -> Outcome:
        """The layer with the request's regions of ``source``, and what was done.

        Raises:
            NotInstalledError: no parser is installed, or none knows a region of that name.
            BadInputError: no face is found, its regions are not sure, one of the pictures has none
                of them, or they go on beyond the face.
        """
        watch = Stopwatch()
        parser = require_parser(spec)
        check_regions(request.regions, parser)
        check_mixable(request.regions, parser)
        aligner = choose_aligner(request, parser, spec)
        progress(0.0, "Looking for the faces")
        faces = self._see(own, source, aligner, parser)
        check_there(faces[1], request.regions, "the second picture")
        watch.lap("crop")
        progress(0.4, "Mixing regions")
        mixed = mix_regions(*faces, request.regions, RegionKinds.of(parser))
        watch.lap("mix")
        progress(0.9, "Pasting back")
        quad, free = faces[0].quad, request.part == "free"
        mask = None if free else own.mask
        placed = place_mix(own.layer, quad, mixed, mask=mask, feather=request.feather)
        out = placed.add_to(own.layer)
        watch.lap("paste")
        changed = count_changed(own.layer, out, quad, mask, request)
        report = RegionMixReply(
            parser=parser.name,
            surety=round(min(face.regions.surety for face in faces), 4),
            regions=request.regions,
            quad=tell_corners(quad),
            aligner=aligner.name,
            changed=changed.count,
            unchanged=changed.unchanged,
            changed_outside_mask=changed.outside,
            seconds={name: round(value, 4) for name, value in watch.seconds.items()},
        )
        progress(1.0, "Done")
        if request.part == "mask":
            limits = draw_limits(own.layer, quad, mask=mask, feather=request.feather)
            return Outcome(limits, report)
        return Outcome(out, report, placed)

    def _see(
        self, own: PlacedLayer, source: Layer, aligner: Aligner, parser: RegionParser
    ) -> tuple[SeenFace, SeenFace]:
        """The face of each, at one side; BadInputError where its regions are not sure."""
        side, found = 0, []
        for which, one in (("this", own), ("the second", PlacedLayer(source, Placement()))):
            crop = self._cropper.crop(one.layer, aligner, PARSED_SIDE, one.placement, one.mask)
            surety = self._reader.read(parser, crop.image).surety
            if surety < parser.least_surety:
                raise BadInputError(_say_unsure(surety, which))
            wanted = round(WIDER * crop.quad.side)
            side = side or min(max(wanted, _SMALLEST), LARGEST_UPSAMPLED)
            found.append(see_face(one.layer, crop.quad, side, parser, self._reader))
        return found[0], found[1]


def _say_unsure(surety: float, which: str) -> str:
    """Why regions of a picture are not mixed, and what to do."""
    return (
        f"The regions of {which} picture are not found surely ({surety:.2f}): take one that shows "
        f"the face larger and upright."
    )
