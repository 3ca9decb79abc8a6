"""Crop: the square a generator understands, with the way back into the layer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Point = tuple[float, float]
"""(x, y) in layer pixels."""


@dataclass(frozen=True)
class Quad:
    """Where a crop lies in the layer: four corners ``(x, y)`` in layer pixels.

    Order: top left, top right, bottom right, bottom left *of the crop*. Corners may lie outside
    the layer (the crop is padded there) and the square may be rotated. Pixel centers are at
    half-integers: the layer spans 0..W and 0..H.
    """

    corners: tuple[
        tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]
    ]
    score: float = 1.0

    @staticmethod
    def square(x0: float, y0: float, side: float, score: float = 1.0) -> Quad:
        """An upright square.

        Args:
            x0: its left edge, in layer pixels.
            y0: its top edge, in layer pixels.
            side: in layer pixels.
            score: how sure the aligner is; more is surer.

        Returns:
            Its four corners.

        >>> Quad.square(10, 20, 100).center
        (60.0, 70.0)
        """
        x1, y1 = x0 + side, y0 + side
        return Quad(((x0, y0), (x1, y0), (x1, y1), (x0, y1)), score)

    @property
    def side(self) -> float:
        """Mean side length in layer pixels."""
        points = np.asarray(self.corners)
        return float(np.linalg.norm(points - np.roll(points, -1, axis=0), axis=1).mean())

    @property
    def center(self) -> tuple[float, float]:
        """(x, y) of its middle in layer pixels."""
        x, y = np.asarray(self.corners).mean(axis=0)
        return float(x), float(y)


Gains = tuple[float, float, float]
"""What red, green and blue are multiplied by, as they stand in a file (not linear in light)."""
EVEN_LIGHT: Gains = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Crop:
    """The square cut out of a layer for a generator.

    ``image``: float32 ``[3, R, R]`` in -1..1, R the generator's resolution.
    ``quad``: where it came from. ``aligner``: the name of the method that found it. ``gains``: by
    what the layer's colors were multiplied to be lit as networks show pictures.
    """

    image: npt.NDArray[np.float32]
    quad: Quad
    aligner: str
    gains: Gains = EVEN_LIGHT
