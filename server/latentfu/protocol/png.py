"""PNG files in and out, with every limit checked before a pixel is decoded."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from pathlib import Path
from typing import IO, TYPE_CHECKING

from latentfu.core.errors import BadInputError
from latentfu.core.limits import check_size
from latentfu.protocol.pixels import PixelHeader

if TYPE_CHECKING:
    from PIL import Image

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_IHDR_END = 33
_PORTION = 1 << 20
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # of a pixel, by color type
_ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2)]
_ADAM7.append((0, 1, 1, 2))  # first column and row, steps across and down
_DAMAGED = "This PNG file is damaged or cut off: save it again."
_MODES = {1: "L", 3: "RGB", 4: "RGBA"}


def check_png_start(start: bytes) -> tuple[int, int]:
    """Width and height from the first 33 bytes; raises BadInputError or TooLargeError."""
    if len(start) < _IHDR_END or start[:8] != SIGNATURE or start[12:16] != b"IHDR":
        raise BadInputError("This is not a PNG file: its beginning is damaged.")
    width, height, depth = struct.unpack(">IIB", start[16:25])
    check_size(width, height)
    if depth == 16:
        raise BadInputError("This PNG has 16 bits per channel: save it with 8.")
    return width, height


def check_png_whole(path: Path) -> None:
    """Walk through a PNG file to its end without decoding it, in a few MB of memory.

    Whatever the file claims, its pixel data must unpack to exactly what its one header says:
    decoders believe a second header, and data that unpack to more.

    Raises:
        BadInputError: it is damaged, cut off, or an animation.
        TooLargeError: its picture is too large.
    """
    try:
        with path.open("rb") as file:
            width, height = check_png_start(file.read(_IHDR_END))
            file.seek(16)
            _, _, depth, color, _, _, interlaced = struct.unpack(">IIBBBBB", file.read(13))
            size = _unpacked_size(width, height, depth * _SAMPLES[color], bool(interlaced))
            _walk_chunks(file, _SizeCheck(size))
    except (struct.error, KeyError, ValueError, zlib.error) as error:
        raise BadInputError(_DAMAGED) from error


class _SizeCheck:
    """Unpacks pixel data in portions, keeping none; ValueError where there are too many."""

    def __init__(self, size: int) -> None:
        self._left, self._unpacker = size, zlib.decompressobj()

    def take(self, data: bytes) -> None:
        while data:
            self._left -= len(self._unpacker.decompress(data, _PORTION))
            if self._left < 0:
                raise ValueError("more pixels than the header says")
            data = self._unpacker.unconsumed_tail

    def finish(self) -> None:
        if self._left or not self._unpacker.eof:
            raise ValueError("fewer pixels than the header says")


def _walk_chunks(file: IO[bytes], pixels: _SizeCheck) -> None:
    """Every chunk from IHDR to IEND, its checksum, the order that decoders rely on."""
    file.seek(len(SIGNATURE))
    kind, header = b"", True
    while kind != b"IEND":
        length, kind = struct.unpack(">I4s", file.read(8))
        if kind == b"acTL":
            raise BadInputError("This PNG is an animation: send a single picture.")
        if (kind == b"IHDR") != header:
            raise ValueError("another header")
        header, checked = False, zlib.crc32(kind)
        while length:
            data = file.read(min(length, _PORTION))
            if not data:
                raise ValueError("cut off")
            checked = zlib.crc32(data, checked)
            length -= len(data)
            if kind == b"IDAT":
                pixels.take(data)
        if struct.unpack(">I", file.read(4))[0] != checked:
            raise ValueError("a wrong checksum")
    pixels.finish()


def _unpacked_size(width: int, height: int, bits: int, interlaced: bool) -> int:
    """Bytes of all rows, each with its filter's number, in the passes of Adam7 or in one."""
    passes = _ADAM7 if interlaced else [(0, 0, 1, 1)]
    size = 0
    for x, y, across, down in passes:
        columns, rows = -(-(width - x) // across), -(-(height - y) // down)
        if columns > 0 and rows > 0:
            size += rows * (1 + (columns * bits + 7) // 8)
    return size


def read_png(path: Path) -> tuple[PixelHeader, bytes]:
    """Decode a PNG file to gray, RGB or RGBA with 8 bits per channel."""
    from PIL import Image

    check_png_whole(path)
    try:
        with warnings.catch_warnings():
            # Our own limit was checked above; Pillow's is lower and only warns.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path, formats=["PNG"]) as image:
                if getattr(image, "n_frames", 1) != 1:
                    raise BadInputError("This PNG is an animation: send a single picture.")
                image.load()
                plain = _plain(image)
                header = PixelHeader(plain.width, plain.height, len(plain.getbands()))
                return header, plain.tobytes()
    except (OSError, ValueError, SyntaxError, struct.error, Image.DecompressionBombError) as error:
        raise BadInputError(_DAMAGED) from error


def write_png(header: PixelHeader, pixels: bytes) -> bytes:
    """The picture as the bytes of a PNG file."""
    from PIL import Image

    mode = _MODES[header.channels]
    image = Image.frombuffer(mode, (header.width, header.height), pixels, "raw", mode, 0, 1)
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=1)
    return out.getvalue()


def _plain(image: Image.Image) -> Image.Image:
    if image.mode in ("L", "RGB", "RGBA") and "transparency" not in image.info:
        return image
    if image.mode in ("LA", "PA", "RGBA") or "transparency" in image.info:
        return image.convert("RGBA")
    return image.convert("L" if image.mode == "1" else "RGB")
