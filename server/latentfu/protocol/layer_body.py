"""Layers to pixel bodies and back, for clients that have numpy."""

from __future__ import annotations

import numpy as np

from latentfu.core.layer import Layer, MaskPixels
from latentfu.protocol.pixels import PixelHeader, pack, unpack


def layer_body(layer: Layer) -> bytes:
    """The pixel body of a layer."""
    header = PixelHeader(layer.width, layer.height, int(layer.pixels.shape[2]))
    return pack(header, np.ascontiguousarray(layer.pixels).tobytes())


def mask_body(mask: MaskPixels) -> bytes:
    """The pixel body of a mask, uint8 ``[H, W]``."""
    height, width = mask.shape
    return pack(PixelHeader(width, height, 1), np.ascontiguousarray(mask).tobytes())


def body_layer(body: bytes) -> Layer:
    """The layer in a pixel body; raises BadInputError."""
    header, pixels = unpack(body)
    shape = (header.height, header.width, header.channels)
    return Layer(np.frombuffer(pixels, np.uint8).reshape(shape))
