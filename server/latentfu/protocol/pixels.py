"""Pixel bodies: sixteen bytes that say what follows, then the pixels. Standard library only."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from latentfu.core.errors import BadInputError
from latentfu.core.limits import MAX_PIXELS, check_size

MAGIC = b"LFPX"
HEADER_BYTES = 16
MAX_BODY_BYTES = HEADER_BYTES + 4 * MAX_PIXELS
_HEADER = struct.Struct("<4sBBHII")


@dataclass(frozen=True)
class PixelHeader:
    """What a pixel body holds: ``width`` x ``height`` pixels of ``channels`` bytes each."""

    width: int
    height: int
    channels: int

    @property
    def pixel_bytes(self) -> int:
        """How many bytes follow the header."""
        return self.width * self.height * self.channels


def encode_header(header: PixelHeader) -> bytes:
    """The sixteen bytes in front of the pixels."""
    _check_header(header)
    return _HEADER.pack(MAGIC, 1, header.channels, 0, header.width, header.height)


def decode_header(start: bytes) -> PixelHeader:
    """Read and check the header; raises BadInputError or TooLargeError before any pixel is read."""
    if len(start) < HEADER_BYTES or start[:4] != MAGIC:
        raise BadInputError("This is not a picture: send a pixel body (LFPX) or a PNG file.")
    _, version, channels, zero, width, height = _HEADER.unpack(start[:HEADER_BYTES])
    if version != 1 or zero != 0:
        raise BadInputError(f"Pixel bodies of version {version} are not known here: send 1.")
    header = PixelHeader(width, height, channels)
    _check_header(header)
    return header


def _check_header(header: PixelHeader) -> None:
    """Refuse sizes and channel counts that no layer has."""
    if header.channels not in (1, 3, 4):
        raise BadInputError(f"A picture has 1, 3 or 4 channels, not {header.channels}.")
    check_size(header.width, header.height)


def check_length(header: PixelHeader, total_bytes: int) -> None:
    """Refuse a body that is shorter or longer than its header says."""
    expected = HEADER_BYTES + header.pixel_bytes
    if total_bytes != expected:
        raise BadInputError(
            f"The pixel body has {total_bytes} bytes where its header needs {expected}: "
            "send it whole."
        )


def pack_pixels(header: PixelHeader, pixels: bytes) -> bytes:
    """A whole pixel body."""
    body = encode_header(header) + pixels
    check_length(header, len(body))
    return body


def unpack_pixels(body: bytes) -> tuple[PixelHeader, memoryview]:
    """The header and a view of the pixels of a whole body."""
    header = decode_header(body)
    check_length(header, len(body))
    return header, memoryview(body)[HEADER_BYTES:]
