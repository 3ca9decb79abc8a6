"""Draws scenes by OpenGL without a window: programs, buffers, passes."""

from __future__ import annotations

from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
from latentfu import NotInstalledError

from latentfu_builtin.people import looks
from latentfu_builtin.people.body import HeadModel
from latentfu_builtin.people.camera import Shot
from latentfu_builtin.people.factors import Factors
from latentfu_builtin.people.mesh import Array
from latentfu_builtin.people.scene import MouthPart, PersonScene
from latentfu_builtin.people.strands import Strands, hair_color, ribbon_arrays
from latentfu_builtin.people.things import Thing

_MESH = (("p", "n", "extra"), ("rest", "zoneA", "zoneB"))
_SHADOW_SIDE = 768


class _Job(NamedTuple):
    """One thing to draw: its program, its arrays for color and shadow, its uniforms."""

    program: str
    array: Any
    shade: Any
    look: dict[str, Any]


class SceneDrawer:
    """Draws the scenes of one head model at one size; not for use from several threads."""

    def __init__(self, head: HeadModel, size: int, supersample: int) -> None:
        self.size, self.supersample = size, supersample
        self._head = head
        self._gl: Any = _open_context()
        self._make_programs()
        self._make_targets()

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
        depth = gl.depth_renderbuffer((large, large))
        self._near = gl.framebuffer(depth_attachment=depth)
        small = [gl.texture((side, side), 4), gl.texture((side, side), 2, dtype="f4")]
        # one pair to draw with the truth, one without: writing it costs as much as the picture
        self._canvases = [gl.framebuffer(self._large[:n], depth) for n in (1, 2)]
        self._smalls = [gl.framebuffer(small[:n]) for n in (1, 2)]
        self._shadow_map = gl.depth_texture((_SHADOW_SIDE, _SHADOW_SIDE))
        self._shadow_map.compare_func = "<="
        self._shadow_map.filter = (moderngl.LINEAR, moderngl.LINEAR)
        self._shadow = gl.framebuffer(depth_attachment=self._shadow_map)

    def _read(self, attachment: int, channels: int, kind: Any) -> Array:
        code = "f1" if kind is np.uint8 else "f4"
        raw = self._smalls[self._with_truth].read(
            components=channels, attachment=attachment, dtype=code
        )
        found = np.frombuffer(raw, kind).reshape(self.size, self.size, channels)
        return np.ascontiguousarray(found[::-1])

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

    def draw(
        self, scene: PersonScene, shot: Shot, f: Factors, seed: int, *, with_truth: bool
    ) -> tuple[Array, Array | None, Array | None]:
        """Pixels uint8 ``[R, R, 3]``; with the truth also regions and depth ``[R, R]``."""
        self._garbage: list[Any] = []
        with self._gl:  # another renderer may have drawn in between
            try:
                self._paint(self._list_jobs(scene, f, seed), shot, f, seed, with_truth)
            finally:
                for thing in self._garbage:
                    thing.release()
            pixels = self._read(0, 3, np.uint8)
            if not with_truth:
                return pixels, None, None
            truth = self._read(1, 2, np.float32)
            return pixels, truth[..., 0].round().astype(np.uint8), truth[..., 1].copy()

    def _list_jobs(self, scene: PersonScene, f: Factors, seed: int) -> list[_Job]:
        """Everything to draw, in its order."""
        color = hair_color(f)
        jobs = self._skin_jobs(scene, f, color, seed)
        normals = self._head.eyes.normals(scene.eye_mesh)
        index = self._index(self._head.eyes.triangles)
        ball = self._mesh_array("eye", scene.eye_mesh, index, {"normals": normals})
        jobs.append(_Job("eye", ball[0], None, looks.describe_eye(scene.eyes, f)))
        jobs += [self._part_job(part) for part in scene.parts]
        jobs += [self._thing_job(thing) for thing in scene.things]
        for strands in scene.strands:
            look = looks.describe_hair(strands, color, f)
            solid, veil, shade = self._strand_arrays(strands)
            if solid is not None:
                jobs.append(_Job("hair", solid, shade, look))
            jobs.append(_Job("hair", veil, None, {**look, "soft": 1.0}))
        for lens in scene.lenses:
            about = {"normals": lens.normals}
            arrays = self._mesh_array("lens", lens.points, self._index(lens.triangles), about)
            jobs.append(_Job("lens", arrays[0], None, looks.describe_lens(f)))
        return jobs

    def _skin_jobs(self, scene: PersonScene, f: Factors, color: Array, seed: int) -> list[_Job]:
        """The skin, and the clothes, which are skin a little further out."""
        head = self._head
        body = {"normals": scene.normals, "extra": scene.extra, "still": self._still}
        skin, shade = self._mesh_array("skin", scene.skin, self._skin_index, body)
        look = looks.describe_clothes(f)
        # the neckline dips from its height, or the collar's, by 8 cm at most
        top = max(look["cut"][0] + 0.08, look["cut"][3]) + 0.012
        low = head.rest[head.skin.triangles, 2].min(1) < top
        index = self._index(head.skin.triangles[low])
        thick = 0.0065 + look["rolled"] * 0.0055 * np.clip((head.rest[:, 2] + 0.20) / 0.02, 0, 1)
        off = scene.skin + scene.normals * thick[:, None]
        cloth, drape = self._mesh_array("matter", off, index, body)
        return [
            _Job("skin", skin, shade, looks.describe_skin(f, color, scene.eyes, seed)),
            _Job("matter", cloth, drape, look),
        ]

    def _part_job(self, part: MouthPart) -> _Job:
        about = {"normals": part.mesh.normals(part.points), "extra": part.marks}
        look = looks.describe_plain(part.color, part.gloss, part.region)
        look["lash"], look["tooth"] = float(part.name == "lashes"), float(part.name == "teeth")
        index = self._index(part.mesh.triangles)
        array, shade = self._mesh_array("matter", part.points, index, about)
        return _Job("matter", array, None if part.name == "lashes" else shade, look)

    def _thing_job(self, thing: Thing) -> _Job:
        about = {"normals": thing.normals}
        if thing.around is not None:
            about["extra"] = np.stack([np.ones_like(thing.around), thing.around], 1)
        index = self._index(thing.triangles)
        array, shade = self._mesh_array("matter", thing.points, index, about)
        look = looks.describe_plain(thing.color, thing.gloss, thing.region)
        return _Job("matter", array, shade, {**look, "ribs": thing.ribs, "weave": thing.weave})

    def _strand_arrays(self, strands: Strands) -> tuple[Any, Any, Any]:
        """A ribbon for each strand: arrays to draw solid, as a veil, and into the shadow map."""
        gl = self._gl
        ribbon, corners = ribbon_arrays(strands)
        buffer = gl.buffer(ribbon.tobytes())
        self._garbage.append(buffer)
        each = corners.reshape(len(strands.points), -1)

        def array(program: str, some: Array) -> Any:
            whole = (buffer, "3f 3f 4f", "p", "n", "look")
            layout = (buffer, "3f 28x", "p") if program == "depth" else whole
            made = gl.vertex_array(self._programs[program], [layout], self._index(some))
            self._garbage.append(made)
            return made

        if strands.region != 7.0:  # brows are all veil over their own shadow
            return None, array("hair", each), None
        if strands.points.shape[1] < 6:  # a beard
            return array("hair", each[::4]), array("hair", each), None
        return array("hair", each), array("hair", each[::3]), array("depth", each[::2])

    def _paint(self, jobs: list[_Job], shot: Shot, f: Factors, seed: int, with_truth: bool) -> None:
        import moderngl

        gl = self._gl
        self._with_truth = with_truth
        canvas = self._canvases[with_truth]
        gl.enable(moderngl.DEPTH_TEST)
        gl.disable(moderngl.BLEND)
        self._paint_depths(jobs, shot)
        canvas.use()
        gl.depth_func = "<="
        self._shadow_map.use(0)
        pixel = 2 * shot.spread / (self.size * self.supersample)
        at = {"view": shot.view, "shadow": shot.shadow, "eye": shot.eye}
        room = {**at, **shot.lights, "pixel": pixel}
        clear = [job for job in jobs if job.program == "lens" or job.look.get("soft", 0.0) > 0]
        solid = [job for job in jobs if job.program != "lens" and not job.look.get("soft", 0.0)]
        # hair first: the skin that it covers is never lit
        for job in sorted(solid, key=lambda job: job.program != "hair"):
            _set(self._programs[job.program], {**room, "shadowMap": 0, **job.look})
            job.array.render()
        _set(self._programs["backdrop"], looks.describe_backdrop(shot, f, seed))
        self._full["backdrop"].render()
        self._paint_clear(clear, room, canvas, with_truth)
        gl.depth_func = "<"
        gl.disable(moderngl.DEPTH_TEST)
        self._smalls[with_truth].use()
        self._large[0].use(0)
        self._large[1].use(1)
        look = {"large": 0, "largeTruth": 1, "times": self.supersample, "seed": float(seed % 97)}
        _set(self._programs["resolve"], {**look, "frame": np.eye(3)})
        self._full["resolve"].render()

    def _paint_depths(self, jobs: list[_Job], shot: Shot) -> None:
        """The shadow map, and how far the nearest skin lies from the camera.

        With the second no skin is lit that other skin hides.
        """
        self._shadow.use()
        self._shadow.clear(depth=1.0)
        _set(self._programs["depth"], {"shadow": shot.shadow})
        for job in jobs:
            cut = job.look.get("cut")  # clothes are cut out in the shader, which shadows know not
            whole = cut is None or not cut.any()
            if job.shade is not None and job.look.get("region") != 11.0 and whole:
                job.shade.render()
        self._near.use()
        self._near.clear(depth=1.0)
        _set(self._programs["depth"], {"shadow": shot.view})
        for job in jobs:
            if job.program == "skin":
                job.shade.render()

    def _paint_clear(
        self, jobs: list[_Job], room: dict[str, Any], canvas: Any, with_truth: bool
    ) -> None:
        """Lenses and fine hair are blended over the picture; the truth behind them stays."""
        import moderngl

        self._gl.enable(moderngl.BLEND)
        self._gl.blend_func = moderngl.SRC_ALPHA, moderngl.ONE_MINUS_SRC_ALPHA
        if with_truth:
            canvas.color_mask = ((True,) * 4, (False,) * 4)
        canvas.depth_mask = False
        for job in jobs:
            _set(self._programs[job.program], {**room, "shadowMap": 0, **job.look})
            job.array.render()
        canvas.depth_mask = True
        if with_truth:
            canvas.color_mask = ((True,) * 4, (True,) * 4)
        self._gl.disable(moderngl.BLEND)


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
