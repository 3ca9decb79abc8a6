"""The end of every edit: what was drawn goes back into the layer, and the work is reported."""

from __future__ import annotations

from dataclasses import dataclass

from latentfu.core.crop import Crop
from latentfu.core.layer import Layer, MaskPixels
from latentfu.core.progress import Progress, Stopwatch
from latentfu.pipeline.acting_regions import WHOLE, ActingRegions
from latentfu.pipeline.align import Placement
from latentfu.pipeline.codes_edit import CodesEdit
from latentfu.pipeline.crop import Floats
from latentfu.pipeline.generator_pool import ResolvedRequest
from latentfu.pipeline.invert import CachedInversion
from latentfu.pipeline.light import put_back_light
from latentfu.pipeline.paste import PlacedChange, draw_limits, place_change
from latentfu.pipeline.report import build_report, count_changed
from latentfu.protocol.replies import RegionMixReply, RegionsReply, ReportReply
from latentfu.protocol.requests import LayerRequest


@dataclass(frozen=True)
class Outcome:
    """The layer that came out, and what the work says about itself."""

    layer: Layer
    report: ReportReply | RegionsReply | RegionMixReply
    change: PlacedChange | None = None


@dataclass(frozen=True)
class EditWork:
    """A request with its pictures, the objects behind its names, and the time of its steps."""

    request: LayerRequest
    layer: Layer
    mask: MaskPixels | None
    placement: Placement
    resolved: ResolvedRequest
    watch: Stopwatch


@dataclass(frozen=True)
class ShownEdit:
    """What is pasted: ``edited`` in place of ``inverted`` (None: as it is).

    ``codes``: the same edit by the codes alone. ``acting``: where it shows.
    """

    crop: Crop
    found: CachedInversion
    edited: Floats
    inverted: Floats | None
    codes: CodesEdit | None = None
    acting: ActingRegions = WHOLE


def paste_back(work: EditWork, shown: ShownEdit, progress: Progress) -> Outcome:
    """The layer with what is shown in it, and the report; outside the mask nothing changes.

    Where the request asks for another part of it (:class:`LayerRequest`), that in place of it.
    """
    progress(0.95, "Pasting back")
    layer, quad, part = work.layer, shown.crop.quad, work.request.part
    feather, free = work.request.feather, part == "free"
    mask, region = (None, None) if free else (work.mask, shown.acting.mask)
    edited, codes = shown.acting.limit_colors(shown.edited, shown.inverted, shown.codes)
    edited, inverted, codes = put_back_light(shown.crop, edited, shown.inverted, codes)
    placed = place_change(
        layer,
        quad,
        edited,
        inverted,
        mask=mask,
        feather=feather,
        codes=codes,
        region=region,
    )
    out = placed.add_to(layer)
    work.watch.lap("paste")
    changed = count_changed(layer, out, quad, mask, work.request)
    work.watch.lap("check")
    progress(1.0, "Done")
    seconds, acting = work.watch.seconds, shown.acting
    report = build_report(
        work.resolved, shown.crop, shown.found, seconds, changed=changed, acting=acting
    )
    if part == "mask":
        limits = draw_limits(layer, quad, mask=mask, feather=feather, region=region)
        return Outcome(limits, report)
    return Outcome(out, report, placed)
