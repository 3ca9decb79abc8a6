"""Draws people: geometry from factors, drawn by OpenGL without a window, with its truth."""

from __future__ import annotations

import numpy as np
from latentfu import face_quad

from latentfu_builtin.people.body import HeadModel
from latentfu_builtin.people.camera import take_shot
from latentfu_builtin.people.drawing import SceneDrawer
from latentfu_builtin.people.factors import Factors, check_factors
from latentfu_builtin.people.mesh import Array
from latentfu_builtin.people.scene import build_scene
from latentfu_builtin.people.truth import PersonPicture, locate_small_things, project_points


class PeopleRenderer:
    """Draws portraits of ``size`` pixels, each point as the mean of ``supersample``² samples.

    Keeps topology, programs and textures; not for use from several threads.

    Raises:
        NotInstalledError: when anny, moderngl or an EGL driver is missing.
    """

    def __init__(self, size: int = 256, supersample: int = 2) -> None:
        self.size, self.supersample = size, supersample
        self._head = HeadModel()
        self._drawer = SceneDrawer(self._head, size, supersample)

    def render(self, factors: Factors, seed: int = 0, *, with_truth: bool = False) -> PersonPicture:
        """Draws one person; the same factors and seed give the same pixels.

        ``seed`` is for what no factor says: where each strand, freckle and leaf is.
        Regions and depth are read back only ``with_truth``. Raises BadInputError for bad factors.
        """
        f = check_factors(factors)
        scene = build_scene(self._head, f, seed)
        shot = take_shot(scene.frame, f)
        pixels, regions, depth = self._drawer.draw(scene, shot, f, seed, with_truth=with_truth)
        points = scene.skin[self._head.landmark_points]
        landmarks = project_points(points, shot.view, self.size)
        things = locate_small_things(scene.eyes, scene.earrings, shot)
        small = project_points(things, shot.view, self.size)
        return PersonPicture(pixels, regions, depth, landmarks, small, _square_face(landmarks))


def _square_face(landmarks: Array) -> Array:
    """Corners ``[4, 2]`` of the FFHQ data set's square round 68 landmarks."""
    (ax, ay), (bx, by) = landmarks[36:42].mean(0), landmarks[42:48].mean(0)
    x, y = landmarks[[48, 54]].mean(0)
    square = face_quad(((float(ax), float(ay)), (float(bx), float(by))), (float(x), float(y)))
    return np.array(square.corners)
