"""PNG files in and out, with every limit checked before a pixel is decoded."""

from __future__ import annotations

import io
import struct
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from latentfu.core.errors import BadInputError
from latentfu.core.limits import check_size
from latentfu.protocol.pixels import PixelHeader

if TYPE_CHECKING:
    from PIL import Image

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_IHDR_END = 33
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


def read_png(path: Path) -> tuple[PixelHeader, bytes]:
    """Decode a PNG file to gray, RGB or RGBA with 8 bits per channel."""
    from PIL import Image

    with path.open("rb") as file:
        check_png_start(file.read(_IHDR_END))
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
        raise BadInputError("This PNG file is damaged or cut off: save it again.") from error


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
