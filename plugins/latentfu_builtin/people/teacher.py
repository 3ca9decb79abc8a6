"""The renderer of people as the trainers see it: normal numbers in, pictures and truth out."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from latentfu_builtin.people.camera import Framing
from latentfu_builtin.people.factors import (
    PERSON_FACTOR_NAMES,
    PERSON_FACTORS,
    list_people,
    make_person,
)
from latentfu_builtin.people.features import list_features
from latentfu_builtin.people.mesh import Array
from latentfu_builtin.people.renderer import PeopleRenderer
from latentfu_builtin.people.truth import PersonPicture

SEED = 0
"""Where strands, freckles and leaves are is the same for all: the picture follows z alone."""
_ASKED = 1000
"""So many people tell how a factor is spread."""
_NO_CHANGES: Mapping[str, float] = {}
FAR_OUTSIDE = -9.0
"""The place, in picture widths, of a small thing that is not there."""


class PeopleTeacher:
    """Draws people for plain normal numbers, one column per factor.

    The renderer is made with the first picture, for one size at a time. ``framing``: the face as an
    aligner cuts it from photographs, so that what is learned fits these; or head and shoulders.
    """

    factor_count = len(PERSON_FACTORS)
    landmark_count = 9
    factor_names = PERSON_FACTOR_NAMES

    def __init__(self, supersample: int = 2, framing: Framing = "face") -> None:
        self.supersample, self.framing = supersample, framing
        self._renderer: PeopleRenderer | None = None

    def render(
        self, normal: Tensor, resolution: int, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """normal [N, F] -> pictures [N, 3, R, R] in -1..1, landmarks [N, 9, 2] in 0..1.

        Eyes (that at the left of the picture first), nose, mouth corners, then what is small:
        the earrings and the key light's reflections in the eyes, far outside where missing.
        The renderer draws nothing at random, so the generator stays untouched.
        """
        return _gather(self._draw(normal, resolution), resolution)

    def render_regions(
        self, normal: Tensor, resolution: int, generator: torch.Generator
    ) -> tuple[Tensor, Tensor, Tensor]:
        """As `render`, and the regions [N, R, R], uint8 numbers of `region_names.REGIONS`."""
        pictures = self._draw(normal, resolution, with_truth=True)
        regions = np.stack([p.regions for p in pictures if p.regions is not None])
        return (*_gather(pictures, resolution), torch.from_numpy(regions))

    def describe(
        self, normal: Tensor, changes: Mapping[str, float] = _NO_CHANGES
    ) -> tuple[Tensor, list[str]]:
        """normal [N, F] -> what the pictures depend on [N, T], and the T names.

        ``changes``: factors of every person that are set to something else.
        """
        people = list_people(normal.numpy())
        for name, value in changes.items():
            people[:, PERSON_FACTOR_NAMES.index(name)] = value
        features = list_features(people)
        return torch.from_numpy(np.stack(list(features.values()), 1)).float(), list(features)

    def usual_ends(self, factor: str) -> tuple[float, float]:
        """One standard deviation of people under and over the middle; of an on-off factor a
        quarter of its range under and over where the thing appears."""
        place = PERSON_FACTOR_NAMES.index(factor)
        if PERSON_FACTORS[place].kind == "on-off":
            return -0.5, 0.5
        random = np.random.default_rng(0)
        normal = random.standard_normal((_ASKED, self.factor_count))
        low, high = np.percentile(list_people(normal)[:, place], [16, 84]).tolist()
        return low, high

    def _draw(
        self, normal: Tensor, resolution: int, *, with_truth: bool = False
    ) -> list[PersonPicture]:
        renderer = self._open_renderer(resolution)
        return [
            renderer.render(person, SEED, with_truth=with_truth)
            for person in map(make_person, normal.numpy())
        ]

    def _open_renderer(self, resolution: int) -> PeopleRenderer:
        if self._renderer is None or self._renderer.size != resolution:
            self._renderer = PeopleRenderer(resolution, self.supersample, self.framing)
        return self._renderer


def _gather(pictures: list[PersonPicture], resolution: int) -> tuple[Tensor, Tensor]:
    """Pictures [N, 3, R, R] in -1..1 and landmarks [N, 9, 2] in 0..1."""
    pixels = torch.from_numpy(np.stack([p.pixels for p in pictures]))  # [N, R, R, 3]
    places = np.stack([list_landmarks(p) for p in pictures]) / resolution
    landmarks = np.nan_to_num(places, nan=FAR_OUTSIDE).astype(np.float32)
    return pixels.permute(0, 3, 1, 2) / 127.5 - 1.0, torch.from_numpy(landmarks)


def list_landmarks(picture: PersonPicture) -> Array:
    """The trainer's landmarks [9, 2] of a picture, in pixels, NaN where there is none."""
    points = picture.landmarks
    eyes = [points[36:42].mean(0), points[42:48].mean(0)]
    return np.concatenate([eyes, points[[30, 48, 54]], picture.small])


def make_teacher(compiled: bool = False, framing: Framing = "face") -> PeopleTeacher:
    """The teacher that `latentfu train generator --renderer people` asks for.

    OpenGL has nothing to compile before the first picture: `compiled` changes nothing.
    """
    return PeopleTeacher(framing=framing)
