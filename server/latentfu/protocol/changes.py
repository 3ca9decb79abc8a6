"""Change bodies: what is added to a layer, in 16 bits, for pictures of more than 8."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

MAGIC = b"LFCH"
STEPS = 128
"""Steps for one level of 8 bits: the whole range of sRGB, up and down, fits 16 bits."""
NOTHING = 32768
"""What stands for no change."""
_HEADER = struct.Struct("<4sBBHIIII")


@dataclass(frozen=True)
class ChangeHeader:
    """``width`` x ``height`` changes of ``channels`` colors from ``x``, ``y`` of the layer on."""

    x: int
    y: int
    width: int
    height: int
    channels: int


def pack_change(header: ChangeHeader, values: npt.NDArray[np.float32]) -> bytes:
    """A change body of ``values [h, w, 1 or 3]`` in levels of 8 bits."""
    place = (header.x, header.y, header.width, header.height)
    steps = np.clip(np.rint(values * STEPS) + NOTHING, 0, 65535).astype("<u2")
    values_bytes: bytes = steps.tobytes()
    return _HEADER.pack(MAGIC, 1, header.channels, STEPS, *place) + values_bytes


def unpack_change(body: bytes) -> tuple[ChangeHeader, npt.NDArray[np.float32]]:
    """The header and the values, float32 ``[h, w, C]`` in levels of 8 bits."""
    magic, version, channels, steps, x, y, width, height = _HEADER.unpack_from(body)
    if magic != MAGIC or version != 1:
        raise ValueError("not a change body")
    found = np.frombuffer(body, "<u2", offset=_HEADER.size).reshape(height, width, channels)
    values = (found.astype(np.float32) - NOTHING) / steps
    return ChangeHeader(x, y, width, height, channels), values
