"""Rendered people with their regions, from which the parser learns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from latentfu import BadInputError, face_quad

Pixels = npt.NDArray[Any]
_ARRAYS = ("images", "regions", "landmarks")


class RenderedPeople:
    """A folder that ``latentfu train pairs --renderer people --regions`` fills or has filled.

    Raises:
        BadInputError: there are no pairs in it, or none with regions.
    """

    def __init__(self, folder: Path) -> None:
        self._index = folder / "index.json"
        missing = [name for name in _ARRAYS if not (folder / f"{name}.npy").is_file()]
        if missing or not self._index.is_file():
            raise BadInputError(
                f"There are no renders with regions in {folder}: make them with"
                " `latentfu train pairs --renderer people --regions`."
            )
        self._images, self._regions, self._landmarks = (
            np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in _ARRAYS
        )
        self.count = 0
        """How many pictures there are; `refresh` looks again."""
        self.refresh()

    def refresh(self) -> None:
        """Take in what was rendered since, so that training can begin before the last render."""
        self.count = int(json.loads(self._index.read_text(encoding="utf-8"))["count"])

    def get(self, row: int) -> tuple[Pixels, Pixels, Pixels]:
        """Pixels ``[R, R, 3]``, regions ``[R, R]`` and the face's square ``[4, 2]``."""
        pixels, regions = np.array(self._images[row]), np.array(self._regions[row])
        return pixels, regions, _square(self._landmarks[row] * pixels.shape[0])


def _square(landmarks: Pixels) -> Pixels:
    """The square of the FFHQ data set from eyes, nose and mouth corners: corners ``[4, 2]``."""
    (ax, ay), (bx, by) = landmarks[0], landmarks[1]
    mx, my = landmarks[3:5].mean(0)
    quad = face_quad(((float(ax), float(ay)), (float(bx), float(by))), (float(mx), float(my)))
    return np.array(quad.corners)
