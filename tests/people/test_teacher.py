"""The teacher of people: z alone decides, places fit the regions, pairs come from it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from latentfu import NotInstalledError
from latentfu_builtin.people.factors import PERSON_FACTOR_NAMES
from latentfu_builtin.people.region_names import REGIONS
from latentfu_builtin.people.teacher import PeopleTeacher
from latentfu_builtin.stylegan.training.pairs import render_pairs
from latentfu_builtin.stylegan.training.source import RegionTeacher, open_teacher
from torch import Tensor

pytestmark = pytest.mark.filterwarnings("ignore")

SIDE = 96


@pytest.fixture(scope="module")
def teacher() -> PeopleTeacher:
    found = open_teacher("people")
    assert isinstance(found, PeopleTeacher) and isinstance(found, RegionTeacher)
    try:
        found.render(torch.zeros(1, found.factor_count), SIDE, torch.Generator())
    except NotInstalledError as error:
        pytest.skip(str(error))
    return found


def _person(**numbers: float) -> Tensor:
    z = torch.zeros(1, len(PERSON_FACTOR_NAMES))
    for name, number in numbers.items():
        z[0, PERSON_FACTOR_NAMES.index(name)] = number
    return z


def test_a_little_of_z_is_a_little_of_the_picture(teacher: PeopleTeacher) -> None:
    z = torch.randn(1, teacher.factor_count, generator=torch.Generator().manual_seed(1))
    nudged = z + 1e-3 * torch.randn(z.shape, generator=torch.Generator().manual_seed(2))
    images, _ = teacher.render(torch.cat([z, nudged, z, -z]), SIDE, torch.Generator())
    first, near, again, other = images
    assert torch.equal(first, again)
    assert (first - near).abs().mean() < 0.05 * (first - other).abs().mean()


def test_landmarks_lie_on_what_they_name(teacher: PeopleTeacher) -> None:
    z = torch.cat([_person(earrings=3.0, hair_length=-2.0, eye_open=1.0), _person(earrings=-3.0)])
    _, landmarks, regions = teacher.render_regions(z, SIDE, torch.Generator())
    assert landmarks.shape == (2, 9, 2) and regions.shape == (2, SIDE, SIDE)

    def shows(place: Tensor, name: str) -> bool:
        x, y = (place * SIDE).round().int().tolist()
        around = regions[0, y - 4 : y + 5, x - 4 : x + 5]
        return bool((around == REGIONS.index(name)).any())

    left, right, nose, *corners = landmarks[0, :5]
    assert shows(left, "eyes") and shows(right, "eyes") and left[0] < right[0]
    assert shows(nose, "nose") and all(shows(corner, "mouth") for corner in corners)
    assert all(shows(place, "earrings") for place in landmarks[0, 5:7])
    assert all(shows(place, "eyes") for place in landmarks[0, 7:])
    assert (landmarks[1, 5:7] < 0).all() and (landmarks[1, 7:] > 0).all()


def test_pairs_of_people_are_what_the_teacher_draws(teacher: PeopleTeacher, tmp_path: Path) -> None:
    cache = render_pairs(
        teacher, tmp_path, count=4, resolution=SIDE, z_dim=100, seed=5, batch=2, regions=True
    )
    images, landmarks = teacher.render(cache.normals(slice(0, 4)), SIDE, torch.Generator())
    batch = cache.rows(slice(0, 4))
    assert batch.z is not None and batch.z.shape == (4, 100) and batch.landmarks is not None
    assert (batch.images - images).abs().max() < 1 / 127
    assert torch.equal(batch.landmarks, landmarks)
    assert len(np.unique(np.load(tmp_path / "regions.npy"))) > 5
