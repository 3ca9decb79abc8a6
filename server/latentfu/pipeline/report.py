"""What a finished job says about itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from latentfu.core.crop import Crop, Quad
from latentfu.core.layer import Layer, MaskPixels
from latentfu.pipeline.acting_regions import WHOLE, ActingRegions
from latentfu.pipeline.crop import PixelBox, box_around
from latentfu.pipeline.generator_pool import ResolvedRequest
from latentfu.pipeline.invert import CachedInversion
from latentfu.pipeline.metrics import describe_outside, find_remedy, is_outside, rate_fit
from latentfu.protocol.replies import ReportReply
from latentfu.protocol.requests import ControlsRequest, InvertRequest, LayerRequest


@dataclass(frozen=True)
class ChangedPixels:
    """How many pixels differ, how many of them lie outside the mask or the crop.

    ``unchanged``: why none differs, as a sentence; empty if some do.
    """

    count: int
    outside: int
    unchanged: str = ""


def build_report(
    resolved: ResolvedRequest,
    crop: Crop,
    found: CachedInversion,
    seconds: Mapping[str, float],
    *,
    changed: ChangedPixels,
    acting: ActingRegions = WHOLE,
) -> ReportReply:
    """What the finished job says about itself."""
    quality = found.inversion.quality
    remedy = find_remedy(quality, resolved.spec, crop)
    return ReportReply(
        psnr=float(quality.psnr),
        perceptual=float(quality.perceptual),
        perceptual_name=quality.perceptual_name,
        identity=quality.identity,
        beyond=quality.out_of_domain,
        outside=is_outside(quality, resolved.spec),
        warning=" ".join(filter(None, (found.note, describe_outside(quality, resolved.spec)))),
        fit=rate_fit(quality, resolved.spec),
        advice=remedy.advice,
        remedy=remedy.kind,
        remedy_network=remedy.network,
        changed=changed.count,
        unchanged=changed.unchanged,
        quad=tell_corners(crop.quad),
        network_layers=resolved.generator.num_ws,
        aligner=crop.aligner,
        inverter=found.inverter,
        generator=resolved.spec.name,
        generator_id=resolved.generator.id,
        inversion_cached=found.cached,
        inversion_key=found.key,
        inversion_seconds=round(float(quality.seconds), 4),
        inversion_parts={name: round(float(value), 4) for name, value in quality.parts.items()},
        seconds={name: round(value, 4) for name, value in seconds.items()},
        changed_outside_mask=changed.outside,
        regions=list(acting.names),
        regions_note=acting.note,
    )


def tell_corners(quad: Quad) -> list[tuple[float, float]]:
    """The corners as a reply says them."""
    return [(float(x), float(y)) for x, y in quad.corners]


def count_changed(
    before: Layer, after: Layer, quad: Quad, mask: MaskPixels | None, request: LayerRequest
) -> ChangedPixels:
    """How many pixels of the layer differ, and how many of them should not."""
    box = box_around(quad, before.width, before.height)
    x0, y0, x1, y1 = box
    outside = 0
    for rows, columns in _split_around(box, before):
        outside += int(
            _find_differing(before.pixels[rows, columns], after.pixels[rows, columns]).sum()
        )
    if x1 <= x0 or y1 <= y0:
        return _tell_changed(outside, outside, request, within=False)
    allowed = _mask_inside(quad, box)
    if mask is not None:
        allowed &= mask[y0:y1, x0:x1] > 0
    changed = _find_differing(before.pixels[y0:y1, x0:x1], after.pixels[y0:y1, x0:x1])
    count = outside + int(changed.sum())
    outside += int((changed & ~allowed).sum())
    return _tell_changed(count, outside, request, within=bool(allowed.any()))


def _tell_changed(count: int, outside: int, request: LayerRequest, within: bool) -> ChangedPixels:
    """The counts with a sentence; ``within``: whether any pixel was allowed to change."""
    if count or (within and isinstance(request, InvertRequest)):  # a perfect inversion is no news
        return ChangedPixels(count, outside)
    if not within:
        why = "the mask or selection lies outside the square that is edited"
    elif isinstance(request, ControlsRequest) and _asks_nothing(request):
        why = "every strength is 0"
    else:
        why = "the change is smaller than one level of color, so ask for more of it"
    return ChangedPixels(0, 0, f"No pixel changed: {why}.")


def _asks_nothing(request: ControlsRequest) -> bool:
    """Whether a request moves no control and pulls nothing to the mean."""
    return request.psi == 1.0 and not request.targets and not any(request.edits.values())


def _split_around(box: PixelBox, layer: Layer) -> list[tuple[slice, slice]]:
    """The four rectangles of the layer that surround the box, or all of it for an empty box."""
    x0, y0, x1, y1 = box
    everything = slice(0, layer.width)
    if x1 <= x0 or y1 <= y0:
        return [(slice(0, layer.height), everything)]
    return [
        (slice(0, y0), everything),
        (slice(y1, layer.height), everything),
        (slice(y0, y1), slice(0, x0)),
        (slice(y0, y1), slice(x1, layer.width)),
    ]


def _find_differing(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """``[H, W, C]`` twice -> where any channel differs."""
    return np.asarray((a != b).any(axis=2))


def _mask_inside(quad: Quad, box: PixelBox) -> npt.NDArray[np.bool_]:
    """Which pixel centers of the box lie inside the quad (a convex polygon)."""
    x0, y0, x1, y1 = box
    x = np.arange(x0, x1) + 0.5
    y = (np.arange(y0, y1) + 0.5)[:, None]
    within = np.ones((y1 - y0, x1 - x0), dtype=bool)
    points = quad.corners
    for (ax, ay), (bx, by) in zip(points, points[1:] + points[:1], strict=True):
        within &= (bx - ax) * (y - ay) - (by - ay) * (x - ax) >= 0
    return within
