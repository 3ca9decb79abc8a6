"""Makes the state that a result layer carries."""

from __future__ import annotations

import hashlib

from . import state
from .jobs import Result, Work
from .layers import Target
from .masks import pack_mask


def remembered(target: Target, work: Work, result: Result) -> state.State:
    """How ``result`` came about, to be edited again later."""
    report = result.report
    mix = {}
    if work.source:
        mix = {"source_sha256": work.source.sha256, "layers": list(work.layers)}
    return state.State(
        generator=str(report.get("generator") or work.generator),
        generator_id=str(report.get("generator_id") or ""),
        inverter=str(report.get("inverter") or work.inverter),
        edits=work.edits,
        feather=work.feather,
        quad=report.get("quad") or [],
        inversion_key=str(report.get("inversion_key") or ""),
        source_sha256=target.picture.sha256,
        source_tattoo=target.layer.get_tattoo(),
        seconds=report.get("seconds") or {},
        mask=pack_mask(target.mask),
        mix=mix,
        method=work.inverter,
        face=int(work.extra.get("face") or 0),
        size=[target.picture.width, target.picture.height],
        latent=hashlib.sha256(result.latent).hexdigest() if result.latent else "",
    )
