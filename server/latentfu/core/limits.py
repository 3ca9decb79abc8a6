"""How large a picture and a strength may be, and the qualities, known without loading numpy.

The front process, which never loads a network, asks it too.
"""

from __future__ import annotations

from typing import Literal, get_args

from latentfu.core.errors import BadInputError, TooLargeError

MAX_SIDE = 16384
MAX_PIXELS = 120_000_000
MAX_STRENGTH = 100
PICTURE_FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "PPM")
"""What Pillow may open here: without a list it would start Ghostscript for an EPS."""
QualityName = Literal["draft", "good", "best"]
QUALITIES: tuple[str, ...] = get_args(QualityName)
"""What a person can ask for instead of an inverter; "good" is the default."""

RemedyName = Literal["", "method", "network", "install"]
"""What helps where a network shows a picture poorly."""


def check_size(width: int, height: int) -> None:
    """Refuse a picture that is empty or larger than the house takes.

    Args:
        width: in pixels.
        height: in pixels.

    Raises:
        BadInputError: it is empty.
        TooLargeError: a side is above 16384 pixels, or the whole above 120 megapixels.

    >>> check_size(20000, 10)
    Traceback (most recent call last):
    latentfu.core.errors.TooLargeError: The picture is 20000 x 10; at most 16384 pixels a side ...
    """
    if width < 1 or height < 1:
        raise BadInputError("The picture is empty: give one of at least 1 x 1 pixel.")
    if width > MAX_SIDE or height > MAX_SIDE or width * height > MAX_PIXELS:
        raise TooLargeError(
            f"The picture is {width} x {height}; at most {MAX_SIDE} pixels a side and "
            f"{MAX_PIXELS // 1_000_000} megapixels are taken: scale or crop it first."
        )
