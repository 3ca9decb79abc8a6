"""What a finished job says about itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from latentfu.core.crop import Crop, Quad
from latentfu.core.layer import Layer, MaskPixels
from latentfu.pipeline.generator_pool import Tools
from latentfu.pipeline.geometry import Box, box_of
from latentfu.pipeline.invert import Found
from latentfu.pipeline.metrics import is_outside, warning


def make_report(
    tools: Tools, crop: Crop, found: Found, seconds: dict[str, float], changed_outside: int
) -> dict[str, object]:
    """The report of docs/http-api.md."""
    quality = found.inversion.quality
    return {
        "psnr": quality.psnr,
        "perceptual": quality.perceptual,
        "perceptual_name": quality.perceptual_name,
        "identity": quality.identity,
        "beyond": quality.out_of_domain,
        "outside": is_outside(quality, tools.spec),
        "warning": warning(quality, tools.spec),
        "quad": [[float(x), float(y)] for x, y in crop.quad.corners],
        "aligner": crop.aligner,
        "inverter": tools.inverter.name,
        "generator": tools.spec.name,
        "generator_id": tools.generator.id,
        "inversion_cached": found.cached,
        "inversion_key": found.key,
        "inversion_seconds": round(quality.seconds, 4),
        "inversion_parts": {name: round(value, 4) for name, value in quality.parts.items()},
        "seconds": {name: round(value, 4) for name, value in seconds.items()},
        "changed_outside_mask": changed_outside,
    }


def changed_outside(before: Layer, after: Layer, quad: Quad, mask: MaskPixels | None) -> int:
    """How many pixels differ although they lie outside the mask or the crop."""
    box = box_of(quad, before.width, before.height)
    x0, y0, x1, y1 = box
    count = 0
    for rows, columns in around(box, before):
        count += int(differing(before.pixels[rows, columns], after.pixels[rows, columns]).sum())
    if x1 <= x0 or y1 <= y0:
        return count
    allowed = inside(quad, box)
    if mask is not None:
        allowed &= mask[y0:y1, x0:x1] > 0
    changed = differing(before.pixels[y0:y1, x0:x1], after.pixels[y0:y1, x0:x1])
    return count + int((changed & ~allowed).sum())


def around(box: Box, layer: Layer) -> list[tuple[slice, slice]]:
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


def differing(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """``[H, W, C]`` twice -> where any channel differs."""
    return np.asarray((a != b).any(axis=2))


def inside(quad: Quad, box: Box) -> npt.NDArray[np.bool_]:
    """Which pixel centres of the box lie inside the quad (a convex polygon)."""
    x0, y0, x1, y1 = box
    x = np.arange(x0, x1) + 0.5
    y = (np.arange(y0, y1) + 0.5)[:, None]
    within = np.ones((y1 - y0, x1 - x0), dtype=bool)
    points = quad.corners
    for (ax, ay), (bx, by) in zip(points, points[1:] + points[:1], strict=True):
        within &= (bx - ax) * (y - ay) - (by - ay) * (x - ax) >= 0
    return within
