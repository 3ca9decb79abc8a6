"""Draws people: geometry from factors, drawn by OpenGL without a window, with its truth."""

from __future__ import annotations

import numpy as np
from latentfu import face_quad

from latentfu_builtin.people.body import HeadModel
from latentfu_builtin.people.camera import Framing, Shot, crop_shot, take_shot, turn_head
from latentfu_builtin.people.drawing import SceneDrawer
from latentfu_builtin.people.factors import (
    PERSON_FACTORS,
    Factors,
    check_factors,
    default_factors,
)
from latentfu_builtin.people.head_frame import HeadFrame
from latentfu_builtin.people.mesh import Array
from latentfu_builtin.people.scene import build_scene
from latentfu_builtin.people.truth import PersonPicture, locate_small_things, project_points

_EXPRESSION = [factor for factor in PERSON_FACTORS if factor.group == "expression"]


class PeopleRenderer:
    """Draws portraits of ``size`` pixels, each point as the mean of ``supersample``² samples.

    ``framing``: head and shoulders as the camera sees them, or the face as an aligner cuts it.

    Keeps topology, programs and textures; not for use from several threads.

    Raises:
        NotInstalledError: when anny, moderngl or an EGL driver is missing.
    """

    def __init__(self, size: int = 256, supersample: int = 2, framing: Framing = "wide") -> None:
        self.size, self.supersample, self.framing = size, supersample, framing
        self._head = HeadModel()
        self._drawer = SceneDrawer(self._head, size, supersample)

    def render(self, factors: Factors, seed: int = 0, *, with_truth: bool = False) -> PersonPicture:
        """Draws one person; the same factors and seed give the same pixels.

        ``seed`` is for what no factor says: where each strand, freckle and leaf is.
        Regions and depth are read back only ``with_truth``. Raises BadInputError for bad factors.
        """
        f = check_factors(factors)
        scene = build_scene(self._head, f, seed)
        points = scene.skin[self._head.landmark_points]
        shot = take_shot(scene.frame, f)
        if self.framing == "face":
            shot = crop_shot(shot, self._square_calm_face(scene.frame, shot, f))
        pixels, regions, depth = self._drawer.draw(scene, shot, f, seed, with_truth=with_truth)
        landmarks = project_points(points, shot.view, self.size)
        things = locate_small_things(scene.eyes, scene.earrings, shot)
        small = project_points(things, shot.view, self.size)
        return PersonPicture(pixels, regions, depth, landmarks, small, _square_face(landmarks))

    def _square_calm_face(self, frame: HeadFrame, shot: Shot, f: Factors) -> Array:
        """The square round the same face at rest, ``[4, 2]`` in 0..1 of what the shot shows.

        A smile or a shut eye moves landmarks, and would move the whole picture with it.
        """
        rest = default_factors()
        calm = {**f, **{each.name: rest[each.name] for each in _EXPRESSION}}
        head = self._head
        points = head.skin(head.vertices(calm))[head.landmark_points]
        return _square_face(project_points(turn_head(points, frame, f), shot.view, 1))


def _square_face(landmarks: Array) -> Array:
    """Corners ``[4, 2]`` of the FFHQ data set's square round 68 landmarks."""
    (ax, ay), (bx, by) = landmarks[36:42].mean(0), landmarks[42:48].mean(0)
    x, y = landmarks[[48, 54]].mean(0)
    square = face_quad(((float(ax), float(ay)), (float(bx), float(by))), (float(x), float(y)))
    return np.array(square.corners)
