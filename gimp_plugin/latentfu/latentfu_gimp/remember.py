"""Makes the state that a result layer carries."""

from __future__ import annotations

import hashlib
from typing import Any

from gi.repository import Gimp

from . import state
from .arguments import AS_LAYER, AUTO, name_mix, write_regions
from .jobs import Result, Work
from .layers import Target
from .masks import pack_mask


def remembered(
    target: Target,
    work: Work,
    result: Result,
    source: Gimp.Layer | None = None,
    form: str = AS_LAYER,
) -> state.LayerEditState:
    """How ``result`` came about, to be edited again later; ``source``: the other layer of a mix;
    ``form``: what the result became.
    """
    report = result.report
    mix: dict[str, Any] = {}
    if work.source:
        mix = {"source_sha256": work.source.sha256, "layers": list(work.layers)}
    if source and work.source:
        same = source.get_image() == target.image
        mix["source_tattoo"] = source.get_tattoo() if same else 0
        mix["name"] = name_mix(source.get_name(), work.layers)
    return state.LayerEditState(
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
        regions=write_regions(work.extra.get("regions") or AUTO),
        form=form,
        method=work.inverter,
        face=int(work.extra.get("face") or 0),
        size=[target.picture.width, target.picture.height],
        latent=hashlib.sha256(result.latent).hexdigest() if result.latent else "",
    )
