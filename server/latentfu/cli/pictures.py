"""Pictures from and to files: limits before decoding, one sentence when something is wrong."""

from __future__ import annotations

import struct
import warnings
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from latentfu.cli.color_profiles import (
    ProfileTransform,
    convert_to_srgb,
    make_transform,
    srgb_profile,
)
from latentfu.cli.deep_pictures import (
    DeepPixels,
    encode_png,
    encode_tiff,
    has_sixteen_bits,
    read_sixteen_bits,
    to_eight_bits,
)
from latentfu.cli.picture_metadata import (
    PictureMetadata,
    read_exif_dpi,
    read_picture_metadata,
)
from latentfu.core.errors import BadInputError, StorageError
from latentfu.core.layer import MaskPixels, Pixels, check_size
from latentfu.core.limits import PICTURE_FORMATS
from latentfu.storage.atomic import whole_file

if TYPE_CHECKING:
    from PIL import Image

MIN_SIDE = 8
_WRITE_FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}
_LOSSY = ("JPEG", "WEBP")
_GRAY = ("L", "1")
_SIXTEEN_BITS = ("I;16", "I;16B", "I;16L", "I;16N", "I")
_ORIENTATION_TAG = 0x0112
_MAX_TEXT = 64 << 20  # bytes of one text or profile in a PNG; Pillow's own limit is 1 MB
_MAX_DPI = 65535  # what a JPEG can say
_ROWS = 256  # worked on at once, so that a large picture needs little memory beside itself


@dataclass(frozen=True)
class Original:
    """What a file held, upright, in its own colors and depth.

    ``values``: uint8 or uint16 ``[H, W, 1, 3 or 4]``. ``shown``: the sRGB pixels made of them.
    ``transform``: between the two, None when they are the same. ``dpi``: pixels an inch, across
    and down. ``cut``: whether the file has 16 bits a channel of which ``values`` are the upper 8.
    ``metadata``: camera, date, copyright and the like.
    """

    values: Pixels | DeepPixels
    shown: Pixels
    profile: bytes | None = None
    transform: ProfileTransform | None = None
    dpi: tuple[float, float] | None = None
    cut: bool = False
    metadata: PictureMetadata = field(default_factory=PictureMetadata)

    def add_change(self, edited: Pixels) -> Pixels | DeepPixels:
        """The file's own values with the change from ``shown`` to ``edited`` added.

        Where nothing changed they are the file's own, bit for bit.
        """
        step = 257 if self.values.dtype == np.uint16 else 1
        top = 255 * step
        out = self.values.copy()
        for start in range(0, len(out), _ROWS):
            rows = slice(start, start + _ROWS)
            before, after = self.shown[rows], edited[rows]
            if np.array_equal(before, after):
                continue
            if self.transform is not None:
                before, after = self.transform.from_srgb(before), self.transform.from_srgb(after)
            change = (after.astype(np.int32) - before) * step
            out[rows] = np.clip(self.values[rows] + change, 0, top).astype(out.dtype)
        return out


@dataclass(frozen=True)
class PictureFile:
    """``pixels``: uint8 ``[H, W, 1, 3 or 4]``, upright, in sRGB. ``profile``: theirs.

    ``original``: the file they came from, whose colors, depth and resolution are written again.
    """

    pixels: Pixels
    profile: bytes | None = None
    original: Original | None = None

    def edited(self, pixels: Pixels) -> PictureFile:
        """The same picture with other pixels."""
        return replace(self, pixels=pixels)


def read_picture_file(path: Path) -> PictureFile:
    """Read a PNG, JPEG, WebP, TIFF, BMP or PPM file; EXIF orientation is applied, alpha kept.

    Its ICC profile is applied too: the pixels are sRGB. Of 16 bits a channel the upper 8 are
    worked on; :func:`write_picture` adds the change to all 16. Where they cannot be kept (inverted
    gray, premultiplied alpha), a sentence on stderr says so.

    Raises BadInputError when it is no such file, damaged, too large or too small.
    """
    original = _decode(path)
    if original.cut:
        click.echo(
            f"Of the 16 bits a channel of {path} only 8 can be worked on and written: save it as "
            f"plain RGB, RGBA or gray to keep them.",
            err=True,
        )
    own = _as_eight_bits(original.values)
    transform = make_transform(original.profile, own.shape[2]) if original.profile else None
    if transform is None:
        return PictureFile(own, original.profile, replace(original, shown=own))
    shown = transform.to_srgb(own)
    profile = srgb_profile() if shown.shape[2] > 1 else None
    return PictureFile(shown, profile, replace(original, shown=shown, transform=transform))


def read_mask(path: Path, like: PictureFile) -> MaskPixels:
    """A mask of the picture's size: its gray value, times its alpha if it has one."""
    pixels = _as_eight_bits(_decode(path).values)
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


def is_lossy(path: Path, exact: bool = False) -> bool:
    """Whether the format that the ending names cannot keep pixels bit for bit."""
    kind = _WRITE_FORMATS.get(path.suffix.lower())
    return kind in _LOSSY and not (exact and kind == "WEBP")


def write_picture(path: Path, picture: PictureFile, exact: bool = False) -> None:
    """Write ``picture`` whole or not at all, in the format that the ending names.

    What the file it came from had stays: profile, 16 bits (PNG, TIFF), resolution, EXIF and XMP,
    and the values of all pixels that are as they were. ``exact``: WebP is written without loss.
    """
    check_target(path, has_alpha=picture.pixels.shape[2] == 4)
    kind = _WRITE_FORMATS[path.suffix.lower()]
    values: Pixels | DeepPixels = picture.pixels
    profile, dpi, original = picture.profile, None, picture.original
    metadata = original.metadata if original is not None else PictureMetadata()
    if original is not None and original.shown.shape == values.shape:
        values, profile, dpi = original.add_change(picture.pixels), original.profile, original.dpi
    with whole_file(path) as temporary:
        if values.dtype == np.uint16 and kind in ("PNG", "TIFF"):
            encode = encode_png if kind == "PNG" else encode_tiff
            deep = values.astype(np.uint16, copy=False)
            temporary.write_bytes(encode(deep, profile, dpi, metadata))
            return
        size = (values.shape[1], values.shape[0])
        settings = {"icc_profile": profile, "dpi": dpi, **metadata.settings(kind, size, dpi)}
        _save(temporary, kind, _as_eight_bits(values), exact, **settings)


def _save(path: Path, kind: str, pixels: Pixels, exact: bool, **settings: Any) -> None:
    from PIL import Image

    settings = {name: value for name, value in settings.items() if value}
    if kind == "WEBP":
        settings.pop("dpi", None)  # it is in EXIF
        # "exact" keeps the colors of clear pixels too.
        settings.update({"lossless": True, "exact": True} if exact else {"quality": 95})
    elif kind == "JPEG":
        settings.update(quality=95, subsampling=0)
    image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    image.save(path, kind, **settings)


def _decode(path: Path) -> Original:
    from PIL import Image, PngImagePlugin, UnidentifiedImageError

    PngImagePlugin.MAX_TEXT_CHUNK = _MAX_TEXT
    try:
        # Our own limit is checked below; Pillow's is lower and only warns.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path, formats=PICTURE_FORMATS) as image:
                _check(path, image)
                return _read_open(path, image)
    except UnidentifiedImageError as error:
        known = ", ".join(PICTURE_FORMATS)
        raise BadInputError(f"{path} is not a picture that can be read ({known}).") from error
    except FileNotFoundError as error:
        raise BadInputError(f"There is no file {path}.") from error
    except (IsADirectoryError, PermissionError) as error:
        raise StorageError(f"Could not read {path}: {error.strerror}.") from error
    except Image.DecompressionBombError as error:
        raise BadInputError(f"{path} is far too large: scale or crop it first.") from error
    except (OSError, ValueError, SyntaxError, EOFError, struct.error) as error:
        if "MAX_TEXT" in str(error):
            raise BadInputError(
                f"{path} has more than {_MAX_TEXT >> 20} MB of text or profile: "
                "save it without metadata."
            ) from error
        raise BadInputError(f"{path} is damaged or cut off: save it again.") from error


def _read_open(path: Path, image: Image.Image) -> Original:
    """``shown`` is not made yet."""
    from PIL import ImageOps

    orientation = image.getexif().get(_ORIENTATION_TAG, 1)
    deep = image.format in ("PNG", "TIFF") and has_sixteen_bits(path, image)
    deep = deep and image.mode != "CMYK"
    image.load()
    metadata = read_picture_metadata(image)
    dpi = _resolution(image, turned=orientation in (5, 6, 7, 8))
    plain = _plain(path, ImageOps.exif_transpose(image))
    pixels = np.ascontiguousarray(np.asarray(plain))
    pixels = pixels[:, :, None] if pixels.ndim == 2 else pixels
    values = read_sixteen_bits(path, orientation, pixels) if deep else None
    return Original(
        pixels if values is None else values,
        pixels,
        profile=plain.info.get("icc_profile"),
        dpi=dpi,
        cut=deep and values is None,
        metadata=metadata,
    )


def _as_eight_bits(values: Pixels | DeepPixels) -> Pixels:
    if values.dtype == np.uint16:
        return to_eight_bits(values.astype(np.uint16, copy=False))
    return values.astype(np.uint8, copy=False)


def _resolution(image: Image.Image, turned: bool) -> tuple[float, float] | None:
    try:
        across, down = (float(each) for each in image.info.get("dpi") or read_exif_dpi(image) or ())
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    if not (1 < across <= _MAX_DPI and 1 < down <= _MAX_DPI):
        return None  # a TIFF without one says 1; also what is not a number
    return (down, across) if turned else (across, down)


def _check(path: Path, image: Image.Image) -> None:
    check_size(image.width, image.height)
    if min(image.size) < MIN_SIDE:
        raise BadInputError(
            f"{path} is {image.width} x {image.height}: give a picture of at least "
            f"{MIN_SIDE} x {MIN_SIDE} pixels."
        )


def _plain(path: Path, image: Image.Image) -> Image.Image:
    """Gray, RGB or RGBA with 8 bits, in the colors of the profile that it then has."""
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
        # The profile described inks, which are gone now.
        plain, profile = convert_to_srgb(image, profile), srgb_profile()
    elif image.mode in ("LA", "La") and profile:
        # A gray profile does not fit the RGBA that this becomes.
        plain = convert_to_srgb(image.convert("LA").getchannel("L"), profile)
        plain.putalpha(image.getchannel("A"))
        profile = srgb_profile()
    plain.info["icc_profile"] = profile
    return plain
