"""What a finished job says about itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from latentfu.core.crop import Crop, Quad
from latentfu.core.layer import Layer, MaskPixels
from latentfu.pipeline.crop import Box, box_around
from latentfu.pipeline.generator_pool import ResolvedRequest
from latentfu.pipeline.invert import CachedInversion
from latentfu.pipeline.metrics import describe_outside, is_outside
from latentfu.protocol.replies import ReportReply


def build_report(
    resolved: ResolvedRequest,
    crop: Crop,
    found: CachedInversion,
    seconds: Mapping[str, float],
    changed_outside: int,
) -> ReportReply:
    """What the finished job says about itself."""
    quality = found.inversion.quality
    return ReportReply(
        psnr=float(quality.psnr),
        perceptual=float(quality.perceptual),
        perceptual_name=quality.perceptual_name,
        identity=quality.identity,
        beyond=quality.out_of_domain,
        outside=is_outside(quality, resolved.spec),
        warning=describe_outside(quality, resolved.spec),
        quad=[(float(x), float(y)) for x, y in crop.quad.corners],
        aligner=crop.aligner,
        inverter=resolved.inverter.name,
        generator=resolved.spec.name,
        generator_id=resolved.generator.id,
        inversion_cached=found.cached,
        inversion_key=found.key,
        inversion_seconds=round(float(quality.seconds), 4),
        inversion_parts={name: round(float(value), 4) for name, value in quality.parts.items()},
        seconds={name: round(value, 4) for name, value in seconds.items()},
        changed_outside_mask=changed_outside,
    )


def count_changed_outside(before: Layer, after: Layer, quad: Quad, mask: MaskPixels | None) -> int:
    """How many pixels differ although they lie outside the mask or the crop."""
    box = box_around(quad, before.width, before.height)
    x0, y0, x1, y1 = box
    count = 0
    for rows, columns in _split_around(box, before):
        count += int(
            _find_differing(before.pixels[rows, columns], after.pixels[rows, columns]).sum()
        )
    if x1 <= x0 or y1 <= y0:
        return count
    allowed = _mask_inside(quad, box)
    if mask is not None:
        allowed &= mask[y0:y1, x0:x1] > 0
    changed = _find_differing(before.pixels[y0:y1, x0:x1], after.pixels[y0:y1, x0:x1])
    return count + int((changed & ~allowed).sum())


def _split_around(box: Box, layer: Layer) -> list[tuple[slice, slice]]:
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


def _mask_inside(quad: Quad, box: Box) -> npt.NDArray[np.bool_]:
    """Which pixel centers of the box lie inside the quad (a convex polygon)."""
    x0, y0, x1, y1 = box
    x = np.arange(x0, x1) + 0.5
    y = (np.arange(y0, y1) + 0.5)[:, None]
    within = np.ones((y1 - y0, x1 - x0), dtype=bool)
    points = quad.corners
    for (ax, ay), (bx, by) in zip(points, points[1:] + points[:1], strict=True):
        within &= (bx - ax) * (y - ay) - (by - ay) * (x - ax) >= 0
    return within
