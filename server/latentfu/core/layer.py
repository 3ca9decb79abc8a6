"""Layer: the pixels as the editor has them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from latentfu.core.errors import BadInputError
from latentfu.core.limits import MAX_PIXELS, MAX_SIDE, check_size

__all__ = ["MAX_PIXELS", "MAX_SIDE", "Layer", "MaskPixels", "Pixels", "check_mask", "check_size"]

Pixels = npt.NDArray[np.uint8]
MaskPixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Layer:
    """RGBA (or RGB, or gray) pixels of one layer in sRGB.

    ``pixels``: uint8 ``[H, W, C]`` with C of 1 (gray), 3 (RGB) or 4 (RGB and straight alpha).
    Raises BadInputError for other arrays, TooLargeError above 16384 pixels a side or 120
    megapixels.

    >>> Layer(np.zeros((480, 640, 3), np.uint8)).width
    640
    """

    pixels: Pixels

    def __post_init__(self) -> None:
        shape = self.pixels.shape
        if self.pixels.dtype != np.uint8 or len(shape) != 3 or shape[2] not in (1, 3, 4):
            raise BadInputError(
                f"A layer must be uint8 [H, W, 1, 3 or 4], not {self.pixels.dtype} {list(shape)}."
            )
        check_size(shape[1], shape[0])

    @property
    def height(self) -> int:
        """Rows of pixels."""
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        """Columns of pixels."""
        return int(self.pixels.shape[1])

    @property
    def has_alpha(self) -> bool:
        """Whether there is a fourth channel."""
        return bool(self.pixels.shape[2] == 4)

    def rgb(self) -> Pixels:
        """The colors alone: gray is repeated, alpha is left off (not multiplied in).

        Returns:
            uint8 ``[H, W, 3]``.
        """
        if self.pixels.shape[2] == 1:
            return np.repeat(self.pixels, 3, axis=2)
        return self.pixels[:, :, :3]

    def digest(self) -> str:
        """The layer's name in every cache.

        Returns:
            sha256 (hex) over size, channel count and pixels.
        """
        header = f"{self.width}x{self.height}x{self.pixels.shape[2]}:".encode()
        return hashlib.sha256(header + np.ascontiguousarray(self.pixels).tobytes()).hexdigest()


def check_mask(mask: MaskPixels, layer: Layer) -> None:
    """Refuse a mask that does not fit the layer or selects nothing.

    Args:
        mask: uint8 ``[H, W]`` of the layer's own size, 0 outside .. 255 inside.
        layer: what it selects from.

    Raises:
        BadInputError: another type or size, or 0 everywhere.
    """
    if mask.dtype != np.uint8 or mask.shape != (layer.height, layer.width):
        raise BadInputError(
            f"The mask is {list(mask.shape)} {mask.dtype}; it must be uint8 "
            f"[{layer.height}, {layer.width}] like the layer."
        )
    if not mask.any():
        raise BadInputError("The selection is empty here: select something inside the layer.")
