"""Where the codes draw another region than the layer shows, and what an edit means there.

A code near the network's own people has their hair, not the photograph's: where the layer shows
background the codes may draw hair, and the other way round. What the codes change at such a place
was not meant for it. The layer's region there takes the color that the same region takes nearby,
and its own pixels stay.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from latentfu.core.regions import RegionParser
from latentfu.pipeline.crop import Floats
from latentfu.pipeline.motion import CodesEdit, HeadOutlines, RegionFit, SubjectOutline
from latentfu.pipeline.pixel_math import blur, find_largest, smoothstep, to_levels
from latentfu.pipeline.preview import resize_picture
from latentfu.pipeline.region_colors import average_region
from latentfu.pipeline.region_map import RegionMap, RegionReader

_LARGE = 0.04
"""Regions of less than this part of the crop, such as lips, lie within others: they may move."""
_LEAST = 1e-3
"""A region of less than this part of a crop has no color to take."""
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
_SOFT = 0.012
"""Sigma of the border of a mismatch, in crop sides."""


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
    joined = tuple(name for name in parser.regions if name not in ("background", "clothes"))
    return HeadOutlines(
        own=own.weigh(joined),
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


def find_outline_change(before: RegionMap, after: RegionMap, around: tuple[str, ...]) -> Floats:
    """How surely a part of the subject comes or goes, ``[S, S]`` in 0..1, with what is near it."""
    import cv2

    change = np.abs(after.weigh(around) - before.weigh(around))
    side = change.shape[0]
    came = open_thin(smoothstep((change - _CAME) / (_SURELY_CAME - _CAME)))
    reach = 2 * max(1, round(_AROUND * side)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    grown = np.asarray(cv2.dilate(came, kernel), np.float32)
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
    reach = 2 * max(1, round(_EDGE * change.shape[0])) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    ends = [cv2.morphologyEx(each.weigh(around), cv2.MORPH_GRADIENT, kernel) for each in maps]
    change = np.maximum(change, comes)
    kept = own.weigh(name for name in around if name not in names) * (1.0 - change)
    drawn = np.clip(1.5 * np.asarray(np.maximum(*ends), np.float32), 0.0, 1.0)
    return SubjectOutline(own.weigh(around), np.asarray(kept, np.float32), drawn, change)


def find_mismatch(own: RegionMap, drawn: RegionMap) -> Floats:
    """How surely the layer shows another large region than the codes: ``[S, S]`` in 0..1."""
    shares = np.maximum(own.parts.mean((1, 2)), drawn.parts.mean((1, 2)))
    large = shares >= _LARGE
    first, second = own.parts[large], drawn.parts[large]  # [L, S, S]
    apart = first.sum(0) * second.sum(0) - (first * second).sum(0)
    return np.clip(blur(apart, _SOFT * apart.shape[-1]), 0.0, 1.0)


def find_staying(before: RegionMap, after: RegionMap, names: tuple[str, ...]) -> Floats:
    """How surely a place is of the same one of these regions in both: ``[S, S]`` in 0..1."""
    rows = [before.names.index(name) for name in names]
    return np.asarray((before.parts[rows] * after.parts[rows]).sum(0), np.float32)


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
    for names in (worn, textures):
        new = after.weigh(names) - before.weigh(names)
        new = open_thin(smoothstep((new - _CAME) / (_SURELY_CAME - _CAME)))
        reach = 2 * max(1, round(_BESIDE * new.shape[0])) + 1
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
        beside = blur(np.asarray(cv2.dilate(new, kernel), np.float32), _AROUND * new.shape[0])
        missing = np.minimum(after.weigh(names), before.weigh(names)) * own.weigh(around)
        came = np.maximum(came, np.maximum(new, missing * np.clip(beside, 0.0, 1.0)))
    return np.asarray(came, np.float32)


def open_thin(shape: Floats) -> Floats:
    """``shape [S, S]`` without what is thinner than a moved outline."""
    import cv2

    thin = 2 * max(1, round(_THIN / 2 * shape.shape[0])) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (thin, thin))
    return np.asarray(cv2.morphologyEx(shape, cv2.MORPH_OPEN, kernel), np.float32)


def carry_colors(
    pictures: tuple[Floats, Floats],
    maps: tuple[RegionMap, RegionMap],
    own: RegionMap,
    mismatch: Floats,
) -> Floats:
    """What an edit changes beside what the codes show, ``[3, S, S]`` (-1..1), where they mismatch.

    Args:
        pictures: of the codes, before and after the edit, ``[3, R, R]``.
        maps: their regions.
        own: the layer's.
        mismatch: as :func:`find_mismatch` gives it.
    """
    side = mismatch.shape[-1]
    before, after = (resize_picture(each, side) for each in pictures)
    meant = np.zeros_like(before)
    for row in range(len(own.parts)):
        ends = average_region(before, maps[0].parts[row]), average_region(after, maps[1].parts[row])
        meant += own.parts[row] * (ends[1] - ends[0])
    return np.asarray(mismatch * (meant - (after - before)), np.float32)


def recolor_regions(picture: Floats, parts: RegionMap, layer: Floats, own: RegionMap) -> Floats:
    """What the codes draw, each region in the color that the layer has for it: ``[3, R, R]``.

    For places that a turned head uncovers: the codes' own hair would not match the layer's.

    Args:
        picture: of the codes, ``[3, R, R]`` in -1..1.
        parts: its regions.
        layer: the layer's crop, ``[3, R, R]``.
        own: its regions.
    """
    side = parts.parts.shape[-1]
    drawn, seen = (resize_picture(each, side) for each in (picture, layer))
    shift = np.zeros_like(drawn)
    for row in range(len(own.parts)):
        if own.parts[row].mean() < _LEAST or parts.parts[row].mean() < _LEAST:
            continue
        ends = average_region(drawn, parts.parts[row]), average_region(seen, own.parts[row])
        shift += parts.parts[row] * (ends[1] - ends[0])
    return np.asarray(picture + resize_picture(shift, picture.shape[-1]), np.float32)
