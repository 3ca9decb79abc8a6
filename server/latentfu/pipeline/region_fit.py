"""How a layer lies to what an edit's codes draw: its regions, its outline, what comes to it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from latentfu.core.regions import RegionParser
from latentfu.pipeline.codes_edit import CodesEdit, HeadOutlines, RegionFit, SubjectOutline
from latentfu.pipeline.crop import Floats
from latentfu.pipeline.pixel_math import blur, find_largest, make_disk, smoothstep, to_levels
from latentfu.pipeline.preview import resize_picture
from latentfu.pipeline.region_map import RegionMap, RegionReader
from latentfu.pipeline.region_mismatch import (
    carry_colors,
    find_mismatch,
    find_staying,
    recolor_regions,
)

_CAME, _SURELY_CAME = 0.25, 0.6
"""A change of probability below which no part of the subject comes or goes, and above it does."""
_THIN = 0.04
"""A change of the outline that is thinner, in crop sides, moves it."""
_EDGE = 0.02
"""So near to it, in crop sides, an outline in the codes' pictures is one."""
_SEEN = 6.0
"""Levels below which nothing changed, whatever the parser says; from twice as many on it did."""
_BESIDE = 0.12
"""So near to what comes, in crop sides, what the layer lacks of it comes too."""
_AROUND = 0.02
"""So far around it, in crop sides, the outline may move too."""


def fit_codes(
    codes: CodesEdit,
    reader: RegionReader,
    parser: RegionParser,
    shown: tuple[Floats, RegionMap],
    *,
    photograph: bool,
    acting: Collection[str] | None,
) -> CodesEdit:
    """An edit by the codes, with where they draw other regions than the layer shows.

    Args:
        codes: the edit.
        reader: reads pictures of the codes.
        parser: what it reads them with.
        shown: the layer's crop ``[3, R, R]`` and its regions.
        photograph: whether the layer is of another kind than the network's pictures, which may
            turn a head further than a photograph carries.
        acting: the regions in which a photograph's edit acts; None for everywhere.

    Returns:
        ``codes`` as they are where the regions of their pictures are not sure.

    Raises:
        PluginFailedError: the parser fails.
    """
    before, after = (reader.read(parser, each) for each in (codes.before, codes.after))
    if min(before.surety, after.surety) < parser.least_surety:
        return codes
    layer, own = shown
    mismatch = find_mismatch(own, before)
    more = carry_colors((codes.before, codes.after), (before, after), own, mismatch)
    comes = np.zeros_like(mismatch)
    if not codes.still:
        change = find_largest(to_levels(codes.after) - to_levels(codes.before))
        seen = resize_picture(change[None], comes.shape[-1])[0]
        comes = find_coming(own, before, after, parser) * smoothstep(seen / _SEEN - 1.0)
    fit = RegionFit(
        mismatch=mismatch,
        stays=find_staying(before, after, parser.textures),
        comes=comes,
        carried=codes.before + resize_picture(more, codes.before.shape[-1]),
        uncovered=recolor_regions(codes.after, after, layer, own),
        lines=acting is not None and not set(acting).isdisjoint(list_thin_things(parser)),
        outlines=read_outlines(parser, own, before, after) if photograph else None,
        outline=None
        if acting is None
        else find_outline(own, (before, after), list_surroundings(parser), acting, comes),
    )
    return replace(codes, regions=fit)


def read_outlines(
    parser: RegionParser, own: RegionMap, before: RegionMap, after: RegionMap
) -> HeadOutlines | None:
    """The outlines by the regions of a layer and of two pictures; None for other subjects."""
    if not parser.turning or "nose" not in parser.turning:
        return None
    loose = {*parser.textures, *parser.things}
    face = tuple(name for name in parser.turning if name not in loose and name != "ears")
    level = tuple(name for name in ("eyes", "mouth", "teeth") if name in face)
    around = list_surroundings(parser)
    return HeadOutlines(
        own=own.weigh(name for name in parser.regions if name not in around),
        own_face=own.weigh(face),
        before=before.weigh(parser.turning),
        after=after.weigh(parser.turning),
        face=after.weigh(face),
        nose=after.weigh(("nose",)),
        level=after.weigh(level),
    )


def list_surroundings(parser: RegionParser) -> tuple[str, ...]:
    """The regions around the subject: things that it does not wear, such as the background."""
    return tuple(name for name in parser.things if name not in parser.turning)


def list_thin_things(parser: RegionParser) -> tuple[str, ...]:
    """The regions that are worn and have no texture, such as glasses: lines, not surfaces."""
    around = list_surroundings(parser)
    return tuple(n for n in parser.things if n not in around and n not in parser.textures)


def find_outline_change(before: RegionMap, after: RegionMap, around: tuple[str, ...]) -> Floats:
    """How surely a part of the subject comes or goes, ``[S, S]`` in 0..1, with what is near it."""
    import cv2

    change = np.abs(after.weigh(around) - before.weigh(around))
    side = change.shape[0]
    came = open_thin(smoothstep((change - _CAME) / (_SURELY_CAME - _CAME)))
    grown = np.asarray(cv2.dilate(came, make_disk(_AROUND, side)), np.float32)
    return np.asarray(np.clip(blur(grown, _AROUND / 2 * side), 0.0, 1.0), np.float32)


def find_outline(
    own: RegionMap,
    maps: tuple[RegionMap, RegionMap],
    around: tuple[str, ...],
    names: Collection[str],
    comes: Floats,
) -> SubjectOutline:
    """The outline of a layer's subject under an edit.

    Args:
        own: the layer's regions.
        maps: of the codes' pictures before and after the edit.
        around: the regions around the subject.
        names: where the edit acts.
        comes: as :func:`find_coming` gives it.
    """
    import cv2

    change = find_outline_change(*maps, around)
    kernel = make_disk(_EDGE, change.shape[0])
    ends = [cv2.morphologyEx(each.weigh(around), cv2.MORPH_GRADIENT, kernel) for each in maps]
    change = np.maximum(change, comes)
    kept = own.weigh(name for name in around if name not in names) * (1.0 - change)
    drawn = np.clip(1.5 * np.asarray(np.maximum(*ends), np.float32), 0.0, 1.0)
    return SubjectOutline(own.weigh(around), np.asarray(kept, np.float32), drawn, change)


def find_coming(
    own: RegionMap, before: RegionMap, after: RegionMap, parser: RegionParser
) -> Floats:
    """How surely something is put on there, such as a hat or longer hair: ``[S, S]`` in 0..1.

    What is thinner than a moved outline has moved. Where the codes had it already, and the layer
    has not, it comes too if more of it comes beside: longer hair hangs from the hair that is there.
    """
    import cv2

    around = list_surroundings(parser)
    worn = [name for name in parser.things if name not in around]
    textures = [name for name in parser.textures if name not in around and name not in worn]
    came = np.zeros_like(own.parts[0])
    kernel = make_disk(_BESIDE, came.shape[0])
    for names in (worn, textures):
        new = after.weigh(names) - before.weigh(names)
        new = open_thin(smoothstep((new - _CAME) / (_SURELY_CAME - _CAME)))
        beside = blur(np.asarray(cv2.dilate(new, kernel), np.float32), _AROUND * new.shape[0])
        missing = np.minimum(after.weigh(names), before.weigh(names)) * own.weigh(around)
        came = np.maximum(came, np.maximum(new, missing * np.clip(beside, 0.0, 1.0)))
    return np.asarray(came, np.float32)


def open_thin(shape: Floats) -> Floats:
    """``shape [S, S]`` without what is thinner than a moved outline."""
    import cv2

    kernel = make_disk(_THIN / 2, shape.shape[0])
    return np.asarray(cv2.morphologyEx(shape, cv2.MORPH_OPEN, kernel), np.float32)
