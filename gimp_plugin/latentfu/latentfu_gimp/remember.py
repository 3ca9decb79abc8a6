"""Makes the state that a result layer carries."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

from gi.repository import Gimp

from . import state
from .arguments import (
    AS_LAYER,
    AUTO,
    LARGEST_STRENGTH,
    LAYER,
    Edits,
    format_edits,
    format_options,
    name_mix,
    name_transfer,
    read_regions,
    write_regions,
)
from .exemplars import keep_layers
from .jobs import Result, Work
from .layers import Target
from .masks import LOST, pack_mask, unpack_mask


def remembered(
    target: Target,
    work: Work,
    result: Result,
    source: Gimp.Layer | None = None,
    form: str = AS_LAYER,
) -> state.LayerEditState:
    """How ``result`` came about, to be edited again later; ``source``: the other layer of a
    mix or a transfer; ``form``: what the result became.
    """
    report = result.report
    return state.LayerEditState(
        generator=str(report.get("generator") or work.generator),
        generator_id=str(report.get("generator_id") or ""),
        inverter=str(report.get("inverter") or work.inverter),
        edits=_strengths(target, work, result, source),
        feather=work.feather,
        quad=report.get("quad") or [],
        inversion_key=str(report.get("inversion_key") or ""),
        source_sha256=target.picture.sha256,
        source_tattoo=target.layer.get_tattoo(),
        seconds=report.get("seconds") or {},
        mask=pack_mask(target.mask),
        mix=_taken(target, work, source) if work.kind == "mix" else {},
        transfer=_taken(target, work, source) if work.kind == "transfer" else {},
        regions=write_regions(work.extra.get("regions") or AUTO),
        form=form,
        method=work.inverter,
        options=work.options,
        face=int(work.extra.get("face") or 0),
        size=[target.picture.width, target.picture.height],
        latent=hashlib.sha256(result.latent).hexdigest() if result.latent else "",
    )


def redo_earlier(work: Work, earlier: state.LayerEditState) -> Work:
    """``work`` as the earlier edit of the same layer was, to see what was painted on it since."""
    mask = work.mask
    if earlier.mask != LOST:
        mask = unpack_mask(earlier.mask, work.layer.width, work.layer.height)
    return replace(
        work,
        mask=mask,
        edits=earlier.edits,
        feather=earlier.feather,
        apart=bool(earlier.limits_sha256),
        extra={**work.extra, "regions": read_regions(earlier.regions)},
    )


def keep_arguments(config: Gimp.ProcedureConfig, work: Work, form: str) -> None:
    """An edit into the procedure's arguments, so that repeating the filter repeats it."""
    put = config.set_property
    put("edits", format_edits(work.edits))
    put("generator", work.generator)
    put("inverter", work.inverter)
    put("options", format_options(work.options))
    put("feather", work.feather)
    put("regions", write_regions(work.extra.get("regions") or AUTO))
    put("as", form)


def _strengths(target: Target, work: Work, result: Result, source: Gimp.Layer | None) -> Edits:
    """What was moved by how much, as an edit takes it."""
    moves: dict[str, Any] = result.report.get("moves") or {}
    if work.kind != "transfer":
        return keep_layers(target.image, work.edits)
    limit = LARGEST_STRENGTH
    strengths = {name: float(move["strength"]) for name, move in moves.items()}
    edits: Edits = {name: min(max(one, -limit), limit) for name, one in strengths.items()}
    if source and source.get_image() == target.image:  # what took its picture takes it again
        taken = {name: f"{LAYER}{source.get_name()}" for name in work.along if name not in moves}
        edits.update(keep_layers(target.image, taken))
    return edits


def _taken(target: Target, work: Work, source: Gimp.Layer | None) -> dict[str, Any]:
    """Where a mix or a transfer took from, and what."""
    if work.source is None:
        return {}
    taken: dict[str, Any] = {"source_sha256": work.source.sha256}
    if source:
        same = source.get_image() == target.image
        taken["source_tattoo"] = source.get_tattoo() if same else 0
        taken["name"] = name_taken(source.get_name(), work)
    if work.mixed_regions:
        return {**taken, "regions": work.mixed_regions}
    if work.kind == "mix":
        return {**taken, "layers": list(work.layers)}
    return {**taken, "along": list(work.along), "scale": work.scale}


def name_taken(source: str, work: Work) -> str:
    """What the layer of a mix or a transfer is called, from the other layer's name."""
    if work.kind == "mix":
        return name_mix(source, work.layers, work.mixed_regions)
    return name_transfer(source, work.along)
