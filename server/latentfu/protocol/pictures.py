"""The pictures that a request refers to: where they are found, and as bodies on the wire."""

from __future__ import annotations

import secrets
from typing import Protocol

import numpy as np

from latentfu.core.errors import BadInputError
from latentfu.core.layer import Layer, MaskPixels
from latentfu.protocol.pixels import PixelHeader, pack_pixels, unpack_pixels


class PictureSource(Protocol):
    """Where the pictures of a request are found by their references."""

    def read(self, reference: str) -> Layer:
        """The picture of that reference; a mask is one with a single channel."""


class PictureStore:
    """Pictures in memory, for requests that are made and done in the same process."""

    def __init__(self) -> None:
        self._layers: dict[str, Layer] = {}

    def add(self, layer: Layer) -> str:
        """Keep ``layer``; gives the reference that a request names it by."""
        reference = secrets.token_hex(32)
        self._layers[reference] = layer
        return reference

    def add_mask(self, mask: MaskPixels | None) -> str | None:
        """Keep a mask, uint8 ``[H, W]``; no reference for none. Raises BadInputError."""
        if mask is None:
            return None
        if mask.dtype != np.uint8 or mask.ndim != 2:
            raise BadInputError(
                f"The mask is {list(mask.shape)} {mask.dtype}; it must be uint8 [H, W] like the "
                "layer."
            )
        return self.add(Layer(mask[:, :, None]))

    def read(self, reference: str) -> Layer:
        """The picture of that reference; raises BadInputError where it was never added."""
        if reference not in self._layers:
            raise BadInputError("A picture of this request is not here: add it first.")
        return self._layers[reference]


def resolve_mask(pictures: PictureSource, reference: str | None) -> MaskPixels | None:
    """The mask of a request as uint8 ``[H, W]``; raises BadInputError for more channels."""
    if reference is None:
        return None
    pixels = pictures.read(reference).pixels
    if pixels.shape[2] != 1:
        raise BadInputError(f"A mask has one channel, not {pixels.shape[2]}.")
    mask: MaskPixels = pixels[:, :, 0]
    return mask


def layer_body(layer: Layer) -> bytes:
    """The pixel body of a layer."""
    header = PixelHeader(layer.width, layer.height, int(layer.pixels.shape[2]))
    return pack_pixels(header, np.ascontiguousarray(layer.pixels).tobytes())


def mask_body(mask: MaskPixels) -> bytes:
    """The pixel body of a mask, uint8 ``[H, W]``."""
    height, width = mask.shape
    return pack_pixels(PixelHeader(width, height, 1), np.ascontiguousarray(mask).tobytes())


def body_layer(body: bytes) -> Layer:
    """The layer in a pixel body; raises BadInputError."""
    header, pixels = unpack_pixels(body)
    shape = (header.height, header.width, header.channels)
    return Layer(np.frombuffer(pixels, np.uint8).reshape(shape))
