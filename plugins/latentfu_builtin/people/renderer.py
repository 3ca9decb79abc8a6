"""Draws people: geometry from factors, drawn by OpenGL without a window, with its truth."""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np
from latentfu import NotInstalledError, face_quad

from latentfu_builtin.people import hair as hairs
from latentfu_builtin.people.body import HeadModel, require_train_extra
from latentfu_builtin.people.camera import Shot, background_colors, take_shot, turn_head
from latentfu_builtin.people.factors import Factors, check_factors
from latentfu_builtin.people.mesh import Array, SmoothMesh
from latentfu_builtin.people.things import Thing, make_earrings, make_glasses, make_hat

REGIONS: tuple[str, ...] = (
    "background",
    "skin",
    "eyes",
    "brows",
    "nose",
    "mouth",
    "teeth",
    "hair",
    "ears",
    "neck",
    "clothes",
    "glasses",
    "hat",
    "earrings",
)
"""Names of the numbers in a picture's region map."""

_MESH = (("p", "n", "extra"), ("rest", "zoneA", "zoneB"))
_SHADOW_SIDE = 768


@dataclass(frozen=True)
class PersonPicture:
    """One picture and what is true in it.

    Attributes:
        pixels: uint8 ``[R, R, 3]``.
        regions: uint8 ``[R, R]``, numbers of ``REGIONS``; None unless asked for.
        depth: float32 ``[R, R]``, meters from the camera, 100 for the background; or None.
        landmarks: float ``[68, 2]``, x and y in pixels, in iBUG's order.
        quad: The square of the FFHQ data set round the face, corners ``[4, 2]`` in pixels.
    """

    pixels: Array
    regions: Array | None
    depth: Array | None
    landmarks: Array
    quad: Array


@dataclass
class _Scene:
    """All that one picture shows, in the room's coordinates."""

    skin: Array
    normals: Array
    extra: Array
    parts: list[tuple[SmoothMesh, Array, tuple[float, float, float], float, float]]
    strands: list[hairs.Strands]
    things: list[Thing]
    lenses: list[Thing]
    eyes: tuple[Array, Array, float]
    eye_mesh: Array


class PeopleRenderer:
    """Draws portraits of ``size`` pixels, each point as the mean of ``supersample``² samples.

    Keeps topology, programs and textures; not for use from several threads.

    Raises:
        NotInstalledError: when anny, moderngl or an EGL driver is missing.
    """

    def __init__(self, size: int = 256, supersample: int = 2) -> None:
        require_train_extra()
        self.size, self.supersample = size, supersample
        self._head = HeadModel()
        self._gl: Any = _open_context()
        self._make_programs()
        self._make_targets()

    def render(self, factors: Factors, seed: int = 0, *, with_truth: bool = False) -> PersonPicture:
        """Draws one person; the same factors and seed give the same pixels.

        ``seed`` is for what no factor says: where each strand, freckle and leaf is.
        Regions and depth are read back only ``with_truth``. Raises BadInputError for bad factors.
        """
        f = check_factors(factors)
        vertices = self._head.vertices(f)
        skin = self._head.skin(vertices)
        frame = hairs.measure_frame(skin, float(self._head.eye_balls(vertices)[0][2]))
        scene = self._build_scene(vertices, skin, frame, f, seed)
        shot = take_shot(frame, f)
        self._draw(scene, shot, f, seed, frame)
        pixels = self._read(0, 3, np.uint8)
        regions = depth = None
        if with_truth:
            truth = self._read(1, 2, np.float32)
            regions, depth = truth[..., 0].round().astype(np.uint8), truth[..., 1].copy()
        landmarks = self._project(scene.skin[self._head.landmark_points], shot)
        eyes = (landmarks[36:42].mean(0), landmarks[42:48].mean(0))
        mouth = landmarks[[48, 54]].mean(0)
        (ax, ay), (bx, by) = eyes
        square = face_quad(((ax, ay), (bx, by)), (float(mouth[0]), float(mouth[1])))
        return PersonPicture(pixels, regions, depth, landmarks, np.array(square.corners))

    def _build_scene(
        self, vertices: Array, skin: Array, frame: hairs.HeadFrame, f: Factors, seed: int
    ) -> _Scene:
        """Everything grown and dressed on the upright head, then turned with it."""
        head = self._head
        mesh, rest, zones = head.skin, head.rest, head.zones
        left, right, radius = head.eye_balls(vertices)
        body = hairs.BodySkin(mesh, skin, rest, zones)
        ground = hairs.grow_ground(rest, zones, f)
        strands = [
            hairs.grow_hair(body, ground, frame, f, seed),
            hairs.grow_brows(body, f, seed),
            hairs.grow_beard(body, f, seed),
        ]
        ears = [skin[(zones[:, 4] > 0.5) & (s * rest[:, 0] > 0)] for s in (1, -1)]
        hooks = np.array([e[e[:, 2].argmax()] * [1, 1, 1] + [0, 0.005, -0.010] for e in ears])
        lobes = np.array([e[e[:, 2].argmin()] for e in ears])
        frames, lenses = make_glasses(left, right, frame, hooks, f)
        things = frames + make_hat(frame, f) + make_earrings(lobes, f)

        def turn(x: Array) -> Array:
            return turn_head(x, frame, f)

        def turned(thing: Thing) -> Thing:
            tips = turn(thing.points + 1e-3 * thing.normals)
            points = turn(thing.points)
            values = {**thing.__dict__, "points": points, "normals": (tips - points) * 1e3}
            return Thing(**values)

        moved = turn(skin)
        normals = mesh.normals(moved)
        shave = np.zeros(len(skin), np.float32)
        for weight, name in zip(
            hairs.beard_weight(rest, zones, f), ("beard", "moustache"), strict=True
        ):
            shown = max(2.5 * f[name], max(f["stubble"], 0.0) ** 0.5, 0.0)
            shave = np.maximum(shave, weight * min(1.0, shown))
        cap = ground * min(1.0, 14 * (f["hair_length"] + 1) / 2)
        extra = np.stack(
            [mesh.occlusion(skin, mesh.normals(skin)), np.where(cap > 0.02, cap, -shave)], 1
        )
        parts = [
            (head.teeth, turn(head.teeth(vertices)), (0.86, 0.72, 0.60), 0.7, 6.0),
            (head.tongue, turn(head.tongue(vertices)), (0.33, 0.09, 0.08), 0.4, 5.0),
            (head.lashes, turn(head.lashes(vertices)), (0.012, 0.009, 0.008), 0.0, 2.0),
        ]
        grown = [
            hairs.Strands(turn(s.points), s.width, s.tone, s.openness, s.region)
            for s in strands
            if s is not None
        ]
        eyes = (turn(left), turn(right), radius)
        return _Scene(
            moved,
            normals,
            extra.astype(np.float32),
            parts,
            grown,
            [turned(t) for t in things],
            [turned(t) for t in lenses],
            eyes,
            turn(head.eyes(vertices)),
        )

    # --- OpenGL ---------------------------------------------------------------------------

    def _make_programs(self) -> None:
        def source(name: str) -> str:
            place = files("latentfu_builtin.people").joinpath("shaders", f"{name}.glsl")
            return place.read_text(encoding="utf-8")

        common, gl = source("common"), self._gl
        self._programs: dict[str, Any] = {
            name: gl.program(
                vertex_shader=source("hair_vert" if name == "hair" else "mesh_vert"),
                fragment_shader=common + source(f"{name}_frag"),
            )
            for name in ("skin", "eye", "matter", "lens", "hair")
        }
        for name in ("depth", "backdrop"):
            self._programs[name] = gl.program(
                vertex_shader=source(f"{name}_vert"), fragment_shader=source(f"{name}_frag")
            )
        self._programs["resolve"] = gl.program(
            vertex_shader=source("backdrop_vert"), fragment_shader=source("resolve_frag")
        )
        whole = gl.buffer(np.array([-1, -1, 3, -1, -1, 3], "f4").tobytes())
        self._full = {
            name: gl.vertex_array(self._programs[name], [(whole, "2f", "p")])
            for name in ("backdrop", "resolve")
        }
        head = self._head
        still = np.concatenate([head.rest, head.zones], 1).astype("f4")
        self._still = gl.buffer(still.tobytes())
        self._skin_index = gl.buffer(head.skin.triangles.astype("i4").tobytes())

    def _make_targets(self) -> None:
        import moderngl

        gl, side, large = self._gl, self.size, self.size * self.supersample
        self._large = [gl.texture((large, large), 4), gl.texture((large, large), 2, dtype="f4")]
        for texture in self._large:
            texture.filter = (moderngl.NEAREST, moderngl.NEAREST)
        self._canvas = gl.framebuffer(self._large, gl.depth_renderbuffer((large, large)))
        small = [gl.texture((side, side), 4), gl.texture((side, side), 2, dtype="f4")]
        self._small = gl.framebuffer(small)
        self._shadow_map = gl.depth_texture((_SHADOW_SIDE, _SHADOW_SIDE))
        self._shadow_map.compare_func = "<="
        self._shadow_map.filter = (moderngl.LINEAR, moderngl.LINEAR)
        self._shadow = gl.framebuffer(depth_attachment=self._shadow_map)

    def _read(self, attachment: int, channels: int, kind: Any) -> Array:
        code = "f1" if kind is np.uint8 else "f4"
        raw = self._small.read(components=channels, attachment=attachment, dtype=code)
        found = np.frombuffer(raw, kind).reshape(self.size, self.size, channels)
        return np.ascontiguousarray(found[::-1])

    def _project(self, points: Array, shot: Shot) -> Array:
        """Pixels ``[N, 2]`` of points in the room ``[N, 3]``."""
        clip = np.concatenate([points, np.ones((len(points), 1))], 1) @ shot.view.T
        place = clip[:, :2] / clip[:, 3:]
        return np.asarray((place * [1, -1] + 1) * self.size / 2)

    def _mesh_array(self, name: str, points: Array, index: Any, thing: dict[str, Array]) -> Any:
        """Buffers of a mesh for one program; what it does not say is zero."""
        gl, count = self._gl, len(points)
        extra = thing.get("extra", np.tile(np.array([1.0, 0.0], "f4"), (count, 1)))
        moving = np.concatenate([points, thing["normals"], extra], 1).astype("f4")
        buffer = gl.buffer(moving.tobytes())
        self._garbage.append(buffer)
        content = [_layout(self._programs[name], buffer, "3f 3f 2f", _MESH[0])]
        still = thing.get("still")
        if still is not None:
            content.append(_layout(self._programs[name], still, "3f 4f 4f", _MESH[1]))
        array = gl.vertex_array(self._programs[name], [c for c in content if c], index)
        shade = gl.vertex_array(self._programs["depth"], [(buffer, "3f 20x", "p")], index)
        self._garbage += [array, shade]
        return array, shade

    def _index(self, triangles: Array) -> Any:
        buffer = self._gl.buffer(triangles.astype("i4").tobytes())
        self._garbage.append(buffer)
        return buffer

    def _draw(
        self, scene: _Scene, shot: Shot, f: Factors, seed: int, frame: hairs.HeadFrame
    ) -> None:
        self._garbage: list[Any] = []
        try:
            jobs = self._list_jobs(scene, f, seed, frame)
            self._paint(jobs, shot, f, seed)
        finally:
            for thing in self._garbage:
                thing.release()

    def _list_jobs(
        self, scene: _Scene, f: Factors, seed: int, frame: hairs.HeadFrame
    ) -> list[tuple[str, Any, Any, dict[str, Any]]]:
        """Everything to draw: program, array, its shadow's array, uniforms."""
        color, head = hairs.hair_color(f), self._head
        still = {"still": self._still}
        jobs: list[tuple[str, Any, Any, dict[str, Any]]] = []
        look = _skin_look(f, color, seed)
        body = {"normals": scene.normals, "extra": scene.extra, **still}
        jobs.append(("skin", *self._mesh_array("skin", scene.skin, self._skin_index, body), look))
        off = scene.skin + scene.normals * 0.0065
        cloth = self._mesh_array("matter", off, self._skin_index, body)
        jobs.append(("matter", *cloth, _clothes_look(f)))
        normals = head.eyes.normals(scene.eye_mesh)
        ball = self._mesh_array(
            "eye", scene.eye_mesh, self._index(head.eyes.triangles), {"normals": normals}
        )
        jobs.append(("eye", ball[0], None, _eye_look(scene, f)))
        for mesh, points, base, gloss, region in scene.parts:
            about = {"normals": mesh.normals(points)}
            if region == 6.0 or mesh is head.tongue:
                about["extra"] = np.tile(np.array([0.85, 0.0], "f4"), (len(points), 1))
            look = _plain_look(base, gloss, region)
            if mesh is head.lashes:
                about["extra"], look["lash"] = self._lash_map(points, scene), 1.0
            arrays = self._mesh_array("matter", points, self._index(mesh.triangles), about)
            jobs.append(("matter", arrays[0], None if mesh is head.lashes else arrays[1], look))
        for thing in scene.things:
            about = {"normals": thing.normals}
            if thing.around is not None:
                about["extra"] = np.stack([np.ones_like(thing.around), thing.around], 1)
            arrays = self._mesh_array("matter", thing.points, self._index(thing.triangles), about)
            plain = _plain_look(thing.color, thing.gloss, thing.region)
            jobs.append(("matter", *arrays, {**plain, "ribs": thing.ribs, "weave": thing.weave}))
        for strands in scene.strands:
            jobs.append(("hair", *self._strand_arrays(strands), _hair_look(strands, color, f)))
        for lens in scene.lenses:
            about = {"normals": lens.normals}
            arrays = self._mesh_array("lens", lens.points, self._index(lens.triangles), about)
            jobs.append(("lens", arrays[0], None, {"tint": 0.0}))
        return jobs

    def _lash_map(self, points: Array, scene: _Scene) -> Array:
        """For each point of the lashes how far out it lies, 0..1, and its place across."""
        left, right, radius = scene.eyes
        far = np.minimum(*(np.linalg.norm(points - c, axis=1) for c in (left, right)))
        out = np.clip((far / radius - 1.06) / 0.35, 0, 1)
        return np.stack([out, self._head.lash_across], 1).astype(np.float32)

    def _strand_arrays(self, strands: hairs.Strands) -> tuple[Any, Any]:
        gl = self._gl
        ribbon, corners = hairs.ribbon_arrays(strands)
        buffer, index = gl.buffer(ribbon.tobytes()), gl.buffer(corners.tobytes())
        layout = [(buffer, "3f 3f 4f", "p", "n", "look")]
        array = gl.vertex_array(self._programs["hair"], layout, index)
        self._garbage += [buffer, index, array]
        shade = None
        if strands.region == 7.0 and strands.points.shape[1] > 6:  # the head's: a third is enough
            third = self._index(corners.reshape(len(strands.points), -1)[::2].reshape(-1))
            shade = gl.vertex_array(self._programs["depth"], [(buffer, "3f 28x", "p")], third)
            self._garbage.append(shade)
        return array, shade

    def _paint(
        self, jobs: list[tuple[str, Any, Any, dict[str, Any]]], shot: Shot, f: Factors, seed: int
    ) -> None:
        import moderngl

        gl = self._gl
        gl.enable(moderngl.DEPTH_TEST)
        gl.disable(moderngl.BLEND)
        self._shadow.use()
        self._shadow.clear(depth=1.0)
        _set(self._programs["depth"], {"shadow": shot.shadow})
        for _, _, shade, look in jobs:
            if shade is not None and look.get("region") not in (10.0, 11.0):
                shade.render()
        self._canvas.use()
        self._canvas.clear(depth=1.0)
        gl.disable(moderngl.DEPTH_TEST)
        _set(self._programs["backdrop"], _backdrop_look(shot, f, seed))
        self._full["backdrop"].render()
        gl.enable(moderngl.DEPTH_TEST)
        self._shadow_map.use(0)
        room = {"view": shot.view, "shadow": shot.shadow, "eye": shot.eye, **shot.lights}
        for name, array, _, look in jobs:
            if name == "lens":
                self._begin_lenses()
            _set(self._programs[name], {**room, "shadowMap": 0, **look})
            array.render()
        self._canvas.color_mask = ((True,) * 4, (True,) * 4)
        gl.disable(moderngl.BLEND)
        gl.disable(moderngl.DEPTH_TEST)
        self._small.use()
        self._large[0].use(0)
        self._large[1].use(1)
        _set(self._programs["resolve"], {"large": 0, "largeTruth": 1, "times": self.supersample})
        self._full["resolve"].render()

    def _begin_lenses(self) -> None:
        """Lenses are blended over the picture and leave the truth behind them as it is."""
        import moderngl

        self._gl.enable(moderngl.BLEND)
        self._gl.blend_func = moderngl.SRC_ALPHA, moderngl.ONE_MINUS_SRC_ALPHA
        self._canvas.color_mask = ((True,) * 4, (False,) * 4)


def _open_context() -> Any:
    try:
        import moderngl
    except ImportError as error:
        raise NotInstalledError(
            "Drawing people needs the packages anny and moderngl: pip install 'latentfu[train]'."
        ) from error
    create: Any = moderngl.create_standalone_context  # its hints name no backend
    try:
        return create(backend="egl")
    except Exception as error:  # moderngl raises plain exceptions
        raise NotInstalledError(
            "Drawing people needs OpenGL over EGL: install libegl1 and libgl1-mesa-dri."
        ) from error


def _layout(program: Any, buffer: Any, sizes: str, names: tuple[str, ...]) -> Any:
    """A buffer's description for a program that may not use all of it."""
    used = [name for name in names if name in program]
    if not used:
        return None
    words = [
        size if name in program else f"{4 * int(size[0])}x"
        for size, name in zip(sizes.split(), names, strict=True)
    ]
    return (buffer, " ".join(words), *used)


def _set(program: Any, values: dict[str, Any]) -> None:
    """Sets those uniforms that the program has."""
    for name, value in values.items():
        if name not in program:
            continue
        if isinstance(value, np.ndarray) and value.ndim == 2:
            program[name].write(value.T.astype("f4").tobytes())
        elif isinstance(value, np.ndarray):
            program[name].value = tuple(float(x) for x in value)
        else:
            program[name].value = value


def _skin_look(f: Factors, hair: Array, seed: int) -> dict[str, Any]:
    dark = (f["skin_tone"] + 1) / 2
    stops = np.array(
        [[0.53, 0.325, 0.245], [0.45, 0.25, 0.17], [0.38, 0.205, 0.125], [0.20, 0.098, 0.056]]
    )
    stops = np.concatenate([stops, [[0.075, 0.037, 0.024]]])
    base = np.array([np.interp(dark * 4, range(5), stops[:, k]) for k in range(3)])
    base = base * (1 + f["skin_warmth"] * np.array([0.0, 0.05, -0.12]))
    paint = np.array([0.36, 0.035, 0.045]) * (1 - 0.5 * dark)
    pink, brown = max(f["lipstick_hue"], 0), max(-f["lipstick_hue"], 0)
    paint = paint + pink * np.array([0.12, 0.03, 0.12]) - brown * np.array([0.16, -0.02, 0.0])
    old = float(np.clip((f["age"] - 35) / 50, 0, 1))
    return {
        "base": base,
        "hairColor": hair,
        "lipColor": np.clip(paint, 0.01, 1),
        "lipstick": 0.95 * min(1.0, 0.25 + max(f["lipstick"], 0.0)) * (f["lipstick"] > 0),
        "wrinkles": float(np.clip(old + 0.45 * f["wrinkles"], 0, 1.2)),
        "freckles": 0.45 + 0.55 * f["freckles"] if f["freckles"] > 0 else 0.0,
        "blush": float(np.clip(0.5 + 0.9 * f["blush"], 0, 1.4)),
        "stubble": 0.75,
        "melanin": dark,
        "seed": np.random.default_rng([seed, 5]).random(3),
    }


def _clothes_look(f: Factors) -> dict[str, Any]:
    light = (f["clothes_light"] + 1) / 2
    color = hairs.hue_color(f["clothes_hue"], 0.36 - 0.22 * light, 0.12 + 0.60 * light)
    depth = f["neckline"]
    return {
        "base": color,
        "gloss": 0.04,
        "region": 10.0,
        "weave": 1.0,
        "ribs": 0.0,
        "lash": 0.0,
        "origin": np.array([0.0, 0.09, 0.0]),
        "cut": np.array([-0.205 - 0.03 * depth, 0.09, float(np.clip(3 * depth, 0, 1)), -0.155]),
    }


def _plain_look(base: tuple[float, float, float], gloss: float, region: float) -> dict[str, Any]:
    return {
        "base": base,
        "gloss": gloss,
        "region": region,
        "weave": 0.0,
        "ribs": 0.0,
        "lash": 0.0,
        "cut": np.zeros(4),
        "origin": np.zeros(3),
    }


def _eye_look(scene: _Scene, f: Factors) -> dict[str, Any]:
    left, right, radius = scene.eyes
    color = (f["eye_color"] + 1) / 2
    stops = np.array([[0.045, 0.02, 0.009], [0.13, 0.065, 0.025], [0.15, 0.13, 0.05]])
    stops = np.concatenate([stops, [[0.12, 0.17, 0.12], [0.10, 0.19, 0.30]]])
    iris = np.array([np.interp(color * 4, range(5), stops[:, k]) for k in range(3)])
    across, up = 0.36 * f["gaze_x"], 0.26 * f["gaze_y"]
    turn = math.radians(40) * f["yaw"] * 0.45 - across  # eyes stay half with the camera
    # a head turned to +x looks along (sin, -cos)
    yaw = math.radians(40) * f["yaw"] * 0.7 - turn
    gaze = np.array([math.sin(yaw), -math.cos(yaw), up])
    return {
        "centerL": left,
        "centerR": right,
        "radius": radius,
        "iris": iris,
        "gazeL": gaze / np.linalg.norm(gaze),
        "gazeR": gaze / np.linalg.norm(gaze),
        "lidDrop": 0.0,
    }


def _hair_look(strands: hairs.Strands, color: Array, f: Factors) -> dict[str, Any]:
    on_face = strands.points.shape[1] < 6
    return {
        "base": color * (0.8 if on_face else 1.0),
        "region": strands.region,
        "shine": 0.35
        if on_face
        else (1.0 - 0.5 * max(f["hair_curl"], 0.0)) * (0.55 if f["hair_length"] < -0.15 else 0.85),
        "tipLight": 0.12,
    }


def _backdrop_look(shot: Shot, f: Factors, seed: int) -> dict[str, Any]:
    low, high = background_colors(f)
    kind = f["background_kind"]
    moved = np.array([-f["background_place"], -f["background_height"]])
    return {
        "low": low,
        "high": high,
        "scene": 0.0 if kind < -1 / 3 else 1.0 if kind < 1 / 3 else 2.0,
        "seed": np.random.default_rng([seed, 6]).random(3),
        "from": shot.from_side,
        "moved": moved,
    }
