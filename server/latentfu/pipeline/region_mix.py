"""Regions of a second picture in a layer: its hair, its mouth; pixels that are there, not drawn.

    worn  = hair, a hat, glasses: cut out by their own edges and put on; what they leave bare is
            skin in the layer's colors, or goes on as what is around the head
    parts = eyes, a nose, a mouth: put in with the layer's light, so that no seam shows

A network's style mixing gives the hair of its own people; a photograph's locks it cannot show.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from latentfu.core.errors import BadInputError
from latentfu.core.regions import RegionParser
from latentfu.pipeline.acting_regions import LARGEST_HOLE, LEAST_SHARE
from latentfu.pipeline.crop import Floats
from latentfu.pipeline.guided_filter import filter_guided
from latentfu.pipeline.pixel_math import blur, make_disk, smoothstep
from latentfu.pipeline.pull_push import fill_smoothly
from latentfu.pipeline.region_fit import list_surroundings
from latentfu.pipeline.region_map import fill_holes
from latentfu.pipeline.seen_face import SeenFace, find_center, fit_sideways, move_face, turn_alike

_MATTE = 0.02
"""The radius, in sides, in which the edge of what is cut out is looked for."""
_MATTE_SIDE = 384
_LOCKS, _LOCKS_SIDE = 0.05, 768
"""Single locks are looked for so far around, in sides, at so many pixels a side."""
_LEFT, _TAKEN = 0.12, 0.88
"""A share below which a pixel is not cut out, and above which it is wholly."""
_PURE = 0.95
"""From this share on a pixel has the color of what is cut out alone."""
_ROUND = 0.015
"""What goes is taken away so far around it, in sides: its edge is soft."""
_SURE = 0.85
_SMOOTH = 0.03
"""Sigma, in sides, of what counts as light on skin."""
_PORES, _MOST_PORES = 0.01, 10.0
"""Finer than so many sides, and of so many levels at most, is texture of skin; the rest is gloss
and shade of another light."""
_GROWN = 0.02
"""Parts are put in with so much around them, in sides."""
_SKIN = ("skin", "neck")
_GAP = 0.025
"""Half the width, in sides, of a gap between hair and a cheek that is closed."""
_LEAST_KNOWN = 1e-3
_SHARPER = 24.0
"""Of several things around the head that could go on behind it, the likeliest counts most."""


@dataclass(frozen=True)
class RegionKinds:
    """The regions of a parser by how they are mixed.

    Attributes:
        around: What is around the subject.
        worn: What lies on it: its textures and things.
        thin: Those of them without a texture, such as glasses: too thin to be cut out well.
        body: The rest.
        head: What turns as one, for where a head is.
        face: The head without what is worn, and without ears.
    """

    around: tuple[str, ...]
    worn: tuple[str, ...]
    thin: tuple[str, ...]
    body: tuple[str, ...]
    head: tuple[str, ...]
    face: tuple[str, ...]

    @staticmethod
    def of(parser: RegionParser) -> RegionKinds:
        """Those of a parser."""
        around = list_surroundings(parser)
        loose = {*parser.textures, *parser.things}
        body = tuple(name for name in parser.regions if name not in (*around, *loose))
        head = tuple(parser.turning) or body
        worn = tuple(name for name in parser.regions if name in loose and name not in around)
        return RegionKinds(
            around=around,
            worn=worn,
            thin=tuple(name for name in worn if name not in parser.textures),
            body=body,
            head=head,
            face=tuple(name for name in head if name in body and name != "ears"),
        )


def check_mixable(names: Sequence[str], parser: RegionParser) -> None:
    """Refuse what cannot be cut out of a picture (raises BadInputError)."""
    kinds = RegionKinds.of(parser)
    whole = [name for name in (*kinds.worn, *kinds.body) if name not in kinds.thin]
    for name in names:
        if name in kinds.around or name in kinds.thin:
            why = "goes on beyond the face" if name in kinds.around else "is too thin to be cut out"
            raise BadInputError(f"What is {name} {why}: take {', '.join(whole)}.")


def check_there(face: SeenFace, names: Sequence[str], which: str) -> None:
    """Refuse a picture that has none of the regions (raises BadInputError)."""
    if (face.regions.weigh(names) > 0.5).mean() < LEAST_SHARE:
        raise BadInputError(f"There is no {' or '.join(names)} in {which}.")


@dataclass(frozen=True)
class RegionMix:
    """A square of a layer with something put over it: ``kept * layer + added``.

    Attributes:
        kept: How much of the layer's own pixel stays, ``[S, S, 1]`` in 0..1.
        added: What comes to it, ``[S, S, 3]`` in levels.
    """

    kept: Floats
    added: Floats

    def put_over(self, share: Floats, color: Floats) -> RegionMix:
        """With ``color [S, S, 3]`` over it, as much as ``share [S, S]`` says."""
        part = share[:, :, None]
        return RegionMix((1.0 - part) * self.kept, (1.0 - part) * self.added + part * color)

    def show(self, own: SeenFace) -> Floats:
        """The square, ``[S, S, 3]`` in levels."""
        return np.asarray(self.kept * own.picture + self.added, np.float32)


def mix_regions(
    own: SeenFace, other: SeenFace, names: Sequence[str], kinds: RegionKinds
) -> RegionMix:
    """The layer's square with regions of the other's.

    Args:
        own: the layer.
        other: the second picture, at the same side.
        names: the regions taken.
        kinds: those of the parser.

    Returns:
        The square; where nothing is mixed the layer is kept exactly.
    """
    other = fit_sideways(turn_alike(other, own, kinds.face), own, kinds.face)
    mix = RegionMix(np.ones_like(own.picture[:, :, :1]), np.zeros_like(own.picture))
    parts = [name for name in names if name not in kinds.worn]
    if parts:
        mix = _put_in(mix, own, other, parts)
    worn = [name for name in kinds.worn if name in names]
    if worn:
        mix = _put_on(mix, own, other, worn, kinds)
    return mix


def _put_in(mix: RegionMix, own: SeenFace, other: SeenFace, names: Sequence[str]) -> RegionMix:
    """``mix`` with parts such as the mouth of ``other``, in the layer's light."""
    import cv2

    own_middle, middle = (find_center(each.regions.weigh(names)) for each in (own, other))
    other = move_face(other, own_middle[0] - middle[0], own_middle[1] - middle[1])
    whole = [fill_holes(each.weigh(names), LARGEST_HOLE) for each in (own, other)]  # teeth, too
    share = np.maximum(*whole) * other.inside
    near = _grow(smoothstep((share - 0.2) / 0.4), _GROWN)
    inside = np.clip(blur(near, _GROWN / 2 * own.side), 0.0, 1.0)
    inside = np.where(inside < 0.01, np.float32(0.0), inside) * own.inside
    alike = np.einsum("kyx,kyx->yx", own.regions.parts, other.regions.parts)[:, :, None]
    alike = cv2.resize(alike, (own.side, own.side), interpolation=cv2.INTER_LINEAR)
    known = (1.0 - np.clip(2.0 * inside, 0.0, 1.0)) * smoothstep(alike)
    light = fill_smoothly(mix.show(own) - other.picture, known)
    return mix.put_over(inside, other.picture + light)


def _put_on(
    mix: RegionMix, own: SeenFace, other: SeenFace, names: Sequence[str], kinds: RegionKinds
) -> RegionMix:
    """``mix`` with what is worn, such as the hair of ``other``, in place of its own."""
    share, color = _cut_out(other, other.find_whole(names, kinds.head))
    in_front = [name for name in kinds.worn if name not in names and name != "hair"]
    share = share * (1.0 - own.weigh(in_front)) * own.inside
    hidden = other.weigh(name for name in in_front if name not in kinds.thin)
    gone = _find_gone(own, names, kinds) * own.inside
    gone = gone * (1.0 - smoothstep(2.0 * hidden))  # hair under the other's hat was never seen
    bare = _lay_bare(mix.show(own), own, other, (gone, share), kinds)
    share = np.clip(share + _find_gaps(own, share, gone, kinds), 0.0, 1.0)
    return mix.put_over(gone, bare).put_over(share, color)


def _cut_out(face: SeenFace, found: Floats) -> tuple[Floats, Floats]:
    """How much of each pixel is of what was ``found [S, S]``, and the color of that alone.

    The guided filter gives the share by the picture's own edges (He et al. 2013).
    """
    radius = max(2.0, _MATTE * face.side)
    share = filter_guided(face.picture, found[:, :, None], radius, _MATTE_SIDE)[:, :, 0]
    share = smoothstep((share - _LEFT) / (_TAKEN - _LEFT))
    pure = fill_smoothly(face.picture, (share > _PURE).astype(np.float32))
    mixed = smoothstep((_PURE - share) / 0.3)[:, :, None]
    return share, np.asarray(face.picture + mixed * (pure - face.picture), np.float32)


def _find_gone(own: SeenFace, names: Sequence[str], kinds: RegionKinds) -> Floats:
    """Where the layer's own goes, with its soft edge but without the parts of the face."""
    share = own.find_whole(names, kinds.head)
    locks = filter_guided(own.picture, share[:, :, None], _LOCKS * own.side, _LOCKS_SIDE)
    parts = own.weigh(name for name in kinds.body)
    share = np.maximum(share, np.clip(2.0 * locks[:, :, 0] - 0.2, 0.0, 1.0) * (parts < 0.3))
    grown = blur(_grow(smoothstep((share - 0.05) / 0.4), _ROUND), 0.4 * _ROUND * own.side)
    parts = own.weigh(name for name in kinds.body if name != "skin")
    edge = np.clip(grown, 0.0, 1.0) * (1.0 - smoothstep((parts - 0.5) / 0.4))
    return np.asarray(np.maximum(edge, smoothstep((share - 0.15) / 0.3)), np.float32)


def _find_gaps(own: SeenFace, share: Floats, gone: Floats, kinds: RegionKinds) -> Floats:
    """Narrow gaps between what is put on and the layer's head, where hair goes on behind it."""
    import cv2

    head = own.weigh(name for name in kinds.head if name != "hair")
    both = np.maximum(share, np.maximum(head, own.weigh(kinds.body)) * (1.0 - gone))
    closed = cv2.morphologyEx(both, cv2.MORPH_CLOSE, make_disk(_GAP, own.side))
    beside = _grow(share, _GAP)
    return np.asarray(np.clip(closed - both, 0.0, 1.0) * beside * own.inside, np.float32)


def _lay_bare(
    picture: Floats,
    own: SeenFace,
    other: SeenFace,
    shares: tuple[Floats, Floats],
    kinds: RegionKinds,
) -> Floats:
    """What shows where hair went: ``[S, S, 3]``.

    Args:
        picture: the layer's.
        own: its regions.
        other: the second picture, which shows how far the head goes there.
        shares: where the layer's own goes, and where the other's is put on.
        kinds: the regions by how they are mixed.
    """
    gone, put = shares
    known = (gone < 0.05).astype(np.float32) * own.inside
    behind = _continue_around(picture, own, known, kinds)
    # Beneath what is put on, the head goes on as far as at its edge: no wall shows through locks.
    head = other.weigh(name for name in kinds.head if name != "hair")
    head = fill_smoothly(head[:, :, None], (put < 0.05).astype(np.float32))[:, :, 0]
    head = smoothstep((head - 0.3) / 0.4)[:, :, None]
    return behind + head * (_color_skin(picture, own, other, known, kinds) - behind)


def _continue_around(picture: Floats, own: SeenFace, known: Floats, kinds: RegionKinds) -> Floats:
    """What is around the layer's head, each thing gone on to where the head's hair was.

    Args:
        picture: the layer's, ``[S, S, 3]``.
        own: its regions.
        known: ``[S, S]``, 1 where the picture stays.
        kinds: the regions by how they are mixed.
    """
    names = [*kinds.around, *(name for name in kinds.body if name not in kinds.head)]
    shares = np.stack([own.weigh([name]) for name in names], axis=-1)  # [S, S, A]
    sure = shares.sum(axis=-1) > _SURE
    likely = np.clip(fill_smoothly(shares, known * sure), 1e-3, 1.0) ** _SHARPER
    likely /= likely.sum(axis=-1, keepdims=True)
    out, told = np.zeros_like(picture), np.zeros_like(picture[:, :, :1])
    for row in range(len(names)):
        where = _shrink((shares[:, :, row] > _SURE).astype(np.float32), 0.01) * known
        if where.mean() > _LEAST_KNOWN:
            out += likely[:, :, row : row + 1] * _mirror_into(picture, where)
            told += likely[:, :, row : row + 1]
    return np.asarray(out / np.maximum(told, 1e-3), np.float32)


def _mirror_into(picture: Floats, known: Floats) -> Floats:
    """``picture [S, S, 3]`` gone on beyond ``known [S, S]``: light smoothly, structure mirrored."""
    import cv2

    sigma = _SMOOTH * known.shape[0]
    light = blur(fill_smoothly(picture, known), sigma)
    structure = (picture - light) * known[:, :, None]
    unknown = (known < 0.5).astype(np.uint8)
    away = cv2.distanceTransform(unknown, cv2.DIST_L2, 5)
    away = blur(np.asarray(away, np.float32), sigma)  # a ragged border would mirror into streaks
    down, across = np.gradient(away)
    length = np.sqrt(across**2 + down**2) + 1e-3
    y, x = np.mgrid[: known.shape[0], : known.shape[1]].astype(np.float32)
    beyond = [each - 2.0 * away * slope / length for each, slope in ((x, across), (y, down))]
    mirrored = cv2.remap(
        structure, beyond[0], beyond[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    return np.asarray(light + mirrored, np.float32)


def _color_skin(
    picture: Floats, own: SeenFace, other: SeenFace, known: Floats, kinds: RegionKinds
) -> Floats:
    """The other's skin in the layer's color and light: ``[S, S, 3]``."""
    skin = tuple(name for name in kinds.body if name in _SKIN) or kinds.body
    shown = _shrink((other.weigh(skin) > _SURE).astype(np.float32), 0.006)
    texture = fill_smoothly(other.picture, shown)
    here = _shrink((own.weigh(skin) > _SURE).astype(np.float32), 0.006) * known
    light = blur(fill_smoothly(picture, here), _SMOOTH * own.side)
    pores = texture - blur(texture, _PORES * own.side)
    return np.asarray(light + np.clip(pores, -_MOST_PORES, _MOST_PORES), np.float32)


def _grow(shape: Floats, radius: float) -> Floats:
    """``shape [S, S]`` made larger by ``radius`` sides."""
    import cv2

    return np.asarray(cv2.dilate(shape, make_disk(radius, shape.shape[0])), np.float32)


def _shrink(shape: Floats, radius: float) -> Floats:
    """``shape [S, S]`` made smaller by ``radius`` sides."""
    import cv2

    return np.asarray(cv2.erode(shape, make_disk(radius, shape.shape[0])), np.float32)
