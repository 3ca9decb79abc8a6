"""What is true in a picture of a person: regions, depth, landmarks, where small things are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from latentfu_builtin.people.camera import Shot
from latentfu_builtin.people.mesh import Array


@dataclass(frozen=True)
class PersonPicture:
    """One picture and what is true in it.

    Attributes:
        pixels: uint8 ``[R, R, 3]``.
        regions: uint8 ``[R, R]``, numbers of ``region_names.REGIONS``; None unless asked for.
        depth: float32 ``[R, R]``, meters from the camera, 100 for the background; or None.
        landmarks: float ``[68, 2]``, x and y in pixels, in iBUG's order.
        small: float ``[4, 2]``, x and y in pixels: the earrings at the person's left and right,
            then the key light's reflections in the left and right eye; NaN where there is none.
        quad: The square of the FFHQ data set round the face, corners ``[4, 2]`` in pixels.
    """

    pixels: Array
    regions: Array | None
    depth: Array | None
    landmarks: Array
    small: Array
    quad: Array


def project_points(points: Array, view: Array, size: int) -> Array:
    """Pixels ``[N, 2]`` (x, y) of points in the room ``[N, 3]`` on a picture of ``size``."""
    clip = np.concatenate([points, np.ones((len(points), 1))], 1) @ view.T
    place = clip[:, :2] / clip[:, 3:]
    return np.asarray((place * [1, -1] + 1) * size / 2)


def locate_small_things(eyes: tuple[Array, Array, float], earrings: Array, shot: Shot) -> Array:
    """Places in the room ``[4, 3]`` of the earrings and of the key light in both eyes."""
    left, right, radius = eyes
    lights = []
    for center in (left, right):
        toward = (shot.eye - center) / np.linalg.norm(shot.eye - center)
        half = toward + shot.lights["key"]
        # the cornea is a smaller ball in the front of the eye
        lights.append(center + radius * (0.45 * toward + 0.6 * half / np.linalg.norm(half)))
    return np.concatenate([earrings, lights])
