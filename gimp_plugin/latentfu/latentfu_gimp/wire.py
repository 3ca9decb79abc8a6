"""Pixels and changes on the wire, a header and then the values (docs/reference/http-api.md)."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from functools import cached_property

from .errors import ServerGoneError
from .translate import _

_HEADER = struct.Struct("<4sBBHII")
_CHANGE_HEADER = struct.Struct("<4sBBHIIII")


@dataclass(frozen=True)
class Picture:
    """Pixels row by row, tightly packed: 1 (mask), 3 (RGB) or 4 (RGBA) bytes each, sRGB."""

    width: int
    height: int
    channels: int
    pixels: bytes

    def __post_init__(self) -> None:
        if len(self.pixels) != self.width * self.height * self.channels:
            raise ValueError(
                f"{len(self.pixels)} bytes are not {self.width} x {self.height} x {self.channels}."
            )

    @property
    def header(self) -> bytes:
        """What stands before the pixels on the wire."""
        return _HEADER.pack(b"LFPX", 1, self.channels, 0, self.width, self.height)

    def body(self) -> bytes:
        """The pixel body that goes over the wire."""
        return self.header + self.pixels

    @cached_property
    def sha256(self) -> str:
        """The name of the pixel body on the server."""
        total = hashlib.sha256(self.header)
        total.update(self.pixels)
        return total.hexdigest()


def read_picture(body: bytes) -> Picture:
    """The picture in a pixel body; raises ServerGoneError when it is none."""
    if len(body) >= _HEADER.size:
        magic, version, channels, _zero, width, height = _HEADER.unpack_from(body)
        size = width * height * channels
        if magic == b"LFPX" and version == 1 and len(body) == _HEADER.size + size:
            return Picture(width, height, channels, body[_HEADER.size :])
    raise ServerGoneError(
        _("The Latent-Fu server answered with a broken picture: stop it and try again.")
    )


@dataclass(frozen=True)
class Change:
    """What is added to a layer from ``x``, ``y`` on: 3 times 16 bits a pixel, little endian.

    32768 is no change, ``steps`` more or less one level of 8 bits.
    """

    x: int
    y: int
    width: int
    height: int
    steps: int
    values: bytes

    @property
    def is_nothing(self) -> bool:
        """Whether no pixel changes."""
        return self.values == NO_CHANGE * (self.width * self.height * 3)


NO_CHANGE = struct.pack("<H", 32768)


def read_change(body: bytes) -> Change:
    """The change in a change body; raises ServerGoneError when it is none."""
    if len(body) >= _CHANGE_HEADER.size:
        magic, version, channels, steps, x, y, width, height = _CHANGE_HEADER.unpack_from(body)
        size = 2 * width * height * channels
        if (magic, version, channels) == (b"LFCH", 1, 3) and len(
            body
        ) == _CHANGE_HEADER.size + size:
            return Change(x, y, width, height, steps, body[_CHANGE_HEADER.size :])
    raise ServerGoneError(
        _("The Latent-Fu server answered with a broken picture: stop it and try again.")
    )
