"""How large a picture may be, known without loading numpy (the front process asks it too)."""

from __future__ import annotations

from latentfu.core.errors import BadInputError, TooLargeError

MAX_SIDE = 16384
MAX_PIXELS = 120_000_000


def check_size(width: int, height: int) -> None:
    """Raise BadInputError for an empty picture, TooLargeError for one the house can not hold."""
    if width < 1 or height < 1:
        raise BadInputError("The picture is empty: give one of at least 1 x 1 pixel.")
    if width > MAX_SIDE or height > MAX_SIDE or width * height > MAX_PIXELS:
        raise TooLargeError(
            f"The picture is {width} x {height}; at most {MAX_SIDE} pixels a side and "
            f"{MAX_PIXELS // 1_000_000} megapixels are taken: scale or crop it first."
        )
