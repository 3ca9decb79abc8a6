"""Pictures from and to files: limits before decoding, one sentence when something is wrong."""

from __future__ import annotations

import struct
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from latentfu.core.errors import BadInputError, StorageError
from latentfu.core.layer import MaskPixels, Pixels, check_size
from latentfu.storage.atomic import whole_file

if TYPE_CHECKING:
    from PIL import Image

READ_FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "PPM")
MIN_SIDE = 8
_WRITE_FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}
_GRAY = ("L", "1")
_SIXTEEN_BITS = ("I;16", "I;16B", "I;16L", "I;16N", "I")


@dataclass(frozen=True)
class Picture:
    """``pixels``: uint8 ``[H, W, 1, 3 or 4]``, upright. ``profile``: its ICC profile."""

    pixels: Pixels
    profile: bytes | None = None


def read_picture(path: Path) -> Picture:
    """Read a PNG, JPEG, WebP, TIFF, BMP or PPM file; EXIF orientation is applied, alpha kept.

    Raises BadInputError when it is no such file, damaged, too large or too small.
    """
    image = _decode(path)
    pixels = np.asarray(image)
    if pixels.ndim == 2:
        pixels = pixels[:, :, None]
    return Picture(np.ascontiguousarray(pixels), image.info.get("icc_profile"))


def read_mask(path: Path, like: Picture) -> MaskPixels:
    """A mask of the picture's size: its gray value, times its alpha if it has one."""
    pixels = read_picture(path).pixels
    height, width = like.pixels.shape[:2]
    if pixels.shape[:2] != (height, width):
        raise BadInputError(
            f"The mask {path} is {pixels.shape[1]} x {pixels.shape[0]}; it must be "
            f"{width} x {height} like the picture."
        )
    gray = pixels[:, :, 0] if pixels.shape[2] == 1 else pixels[:, :, :3].max(axis=2)
    if pixels.shape[2] == 4:
        gray = (gray.astype(np.uint16) * pixels[:, :, 3] // 255).astype(np.uint8)
    if not gray.any():
        raise BadInputError(f"The mask {path} is black everywhere: paint white what may change.")
    return gray


def check_target(path: Path, has_alpha: bool = False) -> None:
    """Refuse an output name before hours of work are put into it."""
    kind = _WRITE_FORMATS.get(path.suffix.lower())
    if kind is None:
        known = " ".join(sorted(_WRITE_FORMATS))
        raise BadInputError(f"{path} has no known ending: use one of {known}.")
    if kind == "JPEG" and has_alpha:
        raise BadInputError(f"JPEG has no transparency, the picture has: name {path.stem}.png.")
    check_folder(path)


def check_folder(path: Path) -> None:
    """The folder of an output file must be there, and the name must not be a folder."""
    if path.is_dir():
        raise BadInputError(f"{path} is a folder: give the name of a file.")
    if not path.absolute().parent.is_dir():
        raise BadInputError(f"The folder {path.absolute().parent} is not there: make it first.")


def write_picture(path: Path, picture: Picture) -> None:
    """Write ``picture`` whole or not at all, in the format that the ending names."""
    from PIL import Image

    pixels = picture.pixels
    check_target(path, has_alpha=pixels.shape[2] == 4)
    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    settings: dict[str, Any] = {"icc_profile": picture.profile} if picture.profile else {}
    kind = _WRITE_FORMATS[path.suffix.lower()]
    if kind in ("JPEG", "WEBP"):
        settings["quality"] = 95
    with whole_file(path) as temporary:
        image.save(temporary, kind, **settings)


def _decode(path: Path) -> Image.Image:
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        # Our own limit is checked below; Pillow's is lower and only warns.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path, formats=READ_FORMATS) as image:
                _check(path, image)
                image.load()
                return _plain(path, ImageOps.exif_transpose(image))
    except UnidentifiedImageError as error:
        known = ", ".join(READ_FORMATS)
        raise BadInputError(f"{path} is not a picture that can be read ({known}).") from error
    except FileNotFoundError as error:
        raise BadInputError(f"There is no file {path}.") from error
    except (IsADirectoryError, PermissionError) as error:
        raise StorageError(f"Could not read {path}: {error.strerror}.") from error
    except Image.DecompressionBombError as error:
        raise BadInputError(f"{path} is far too large: scale or crop it first.") from error
    except (OSError, ValueError, SyntaxError, EOFError, struct.error) as error:
        raise BadInputError(f"{path} is damaged or cut off: save it again.") from error


def _check(path: Path, image: Image.Image) -> None:
    check_size(image.width, image.height)
    if min(image.size) < MIN_SIDE:
        raise BadInputError(
            f"{path} is {image.width} x {image.height}: give a picture of at least "
            f"{MIN_SIDE} x {MIN_SIDE} pixels."
        )


def _plain(path: Path, image: Image.Image) -> Image.Image:
    """Gray, RGB or RGBA with 8 bits."""
    from PIL import Image

    profile = image.info.get("icc_profile")
    if image.mode in _SIXTEEN_BITS:
        values = np.asarray(image).astype(np.int64)
        return Image.fromarray((np.clip(values, 0, 65535) // 257).astype(np.uint8))
    if image.mode == "F":
        raise BadInputError(f"{path} has floating-point pixels: save it with 8 bits first.")
    if image.mode in _GRAY and "transparency" not in image.info:
        return image.convert("L")
    transparent = image.mode in ("LA", "La", "PA", "RGBA", "RGBa")
    plain = image.convert("RGBA" if transparent or "transparency" in image.info else "RGB")
    if image.mode == "CMYK":
        profile = None  # it described inks, which are gone now
    plain.info["icc_profile"] = profile
    return plain
