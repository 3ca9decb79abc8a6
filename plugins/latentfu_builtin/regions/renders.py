"""A folder of rendered people with their regions, from which the parser learns."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from latentfu import BadInputError, face_quad

Pixels = npt.NDArray[Any]
SHARD = 50
_FIRST_SEED = 500_000
_NAME = re.compile(r"shard(\d{4})\.npz")
_PLAIN_EVERY = 5
"""One of so many people is drawn from independent factors, for what real people seldom are."""


def render_shards(
    folder: Path, count: int, size: int, say: Callable[[float, str], None] = lambda *_: None
) -> None:
    """Render ``count`` people of ``size`` pixels into ``folder``, in files of 50.

    Files that are there are kept, so that it can be stopped and begun again.
    Raises NotInstalledError without anny, moderngl or a driver.
    """
    from latentfu_builtin.people.factors import (
        PERSON_FACTORS,
        factors_from_normal,
        sample_factors,
    )
    from latentfu_builtin.people.renderer import PeopleRenderer

    folder.mkdir(parents=True, exist_ok=True)
    renderer: PeopleRenderer | None = None
    shards = -(-count // SHARD)
    for shard in range(shards):
        path = folder / f"shard{shard:04d}.npz"
        if path.is_file():
            continue
        renderer = renderer or PeopleRenderer(size)
        pictures = []
        for place in range(SHARD):
            say((shard + place / SHARD) / shards, f"Rendering person {shard * SHARD + place + 1}")
            seed = _FIRST_SEED + shard * SHARD + place
            factors = sample_factors(seed)
            if place % _PLAIN_EVERY == 0:
                z = np.random.default_rng(seed).standard_normal(len(PERSON_FACTORS))
                factors = factors_from_normal(z)
            pictures.append(renderer.render(factors, seed, with_truth=True))
        beside = path.with_suffix(".part.npz")
        np.savez(
            beside,
            x=np.stack([picture.pixels for picture in pictures]),
            y=np.stack([np.asarray(picture.regions) for picture in pictures]),
            l=np.stack([picture.landmarks for picture in pictures]).astype(np.float32),
        )
        beside.replace(path)


class RenderedPeople:
    """The pictures of a folder that :func:`render_shards` fills, in memory.

    Raises:
        BadInputError: there are none.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._shards: dict[str, tuple[Pixels, Pixels, Pixels]] = {}
        self._order: list[str] = []
        self.refresh()
        if not self._order:
            raise BadInputError(f"There are no renders in {folder}.")

    @property
    def count(self) -> int:
        """How many pictures there are."""
        return SHARD * len(self._order)

    def refresh(self) -> None:
        """Take in what was rendered since, so that training can begin before the last render."""
        names = sorted(p.name for p in self._folder.iterdir() if _NAME.fullmatch(p.name))
        for name in names:
            if name in self._shards:
                continue
            with np.load(self._folder / name) as found:
                pixels, regions, points = found["x"], found["y"], found["l"]
            regions = regions.reshape(regions.shape[:3])
            self._shards[name] = pixels, regions, np.stack([_square(p) for p in points])
        self._order = names

    def get(self, row: int) -> tuple[Pixels, Pixels, Pixels]:
        """Pixels ``[R, R, 3]``, regions ``[R, R]`` and the face's square ``[4, 2]``."""
        pixels, regions, quads = self._shards[self._order[row // SHARD]]
        place = row % SHARD
        return pixels[place], regions[place], quads[place]


def _square(landmarks: Pixels) -> Pixels:
    """The square of the FFHQ data set from 68 landmarks ``[68, 2]``: corners ``[4, 2]``."""
    (ax, ay), (bx, by) = landmarks[36:42].mean(0), landmarks[42:48].mean(0)
    mx, my = landmarks[[48, 54]].mean(0)
    quad = face_quad(((float(ax), float(ay)), (float(bx), float(by))), (float(mx), float(my)))
    return np.array(quad.corners)
