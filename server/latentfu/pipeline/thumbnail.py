"""A layer and its mask scaled down, for previews."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from latentfu.core.errors import BadInputError
from latentfu.core.layer import Layer, MaskPixels


@dataclass(frozen=True)
class Small:
    """A layer scaled by ``factors`` (x, y), at most 1, with its mask."""

    layer: Layer
    mask: MaskPixels | None
    factors: tuple[float, float]

    @property
    def factor(self) -> float:
        """Mean scale: what a width in layer pixels is multiplied by."""
        return sum(self.factors) / 2


def shrink(layer: Layer, mask: MaskPixels | None, side: int) -> Small:
    """``layer`` with a longest side of ``side``; a smaller layer is left as it is."""
    if not 32 <= side <= 1024:
        raise BadInputError(f"A preview's side is 32 to 1024 pixels, not {side}.")
    factor = side / max(layer.width, layer.height)
    if factor >= 1.0:
        return Small(layer, mask, (1.0, 1.0))
    width, height = max(1, round(layer.width * factor)), max(1, round(layer.height * factor))
    small_mask = None if mask is None else averaged(mask[:, :, None], width, height)[:, :, 0]
    return Small(
        Layer(averaged_colours(layer, width, height)),
        small_mask,
        (width / layer.width, height / layer.height),
    )


def averaged_colours(layer: Layer, width: int, height: int) -> npt.NDArray[np.uint8]:
    """The layer's pixels scaled down; colours count as much as they are opaque."""
    if not layer.has_alpha or layer.pixels[:, :, 3].min() == 255:
        return averaged(layer.pixels, width, height)
    import cv2

    alpha = layer.pixels[:, :, 3:].astype(np.float32)
    weighted = np.concatenate([layer.pixels[:, :, :3] * alpha, alpha], axis=2)
    small = cv2.resize(weighted, (width, height), interpolation=cv2.INTER_AREA)
    colours = small[:, :, :3] / np.maximum(small[:, :, 3:], 1e-3)
    both = np.concatenate([colours, small[:, :, 3:]], axis=2)
    return np.asarray(np.clip(np.rint(both), 0, 255), dtype=np.uint8)


def averaged(pixels: npt.NDArray[np.uint8], width: int, height: int) -> npt.NDArray[np.uint8]:
    """uint8 ``[H, W, C]`` scaled down by averaging."""
    import cv2

    small = cv2.resize(np.ascontiguousarray(pixels), (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small.reshape(height, width, pixels.shape[2]), dtype=np.uint8)
