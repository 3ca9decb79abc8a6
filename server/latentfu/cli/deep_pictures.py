"""PNG and TIFF files with 16 bits a channel: Pillow has no RGB of that depth."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from latentfu.cli.picture_metadata import PictureMetadata
from latentfu.core.layer import Pixels

if TYPE_CHECKING:
    from PIL import Image

DeepPixels = npt.NDArray[np.uint16]

_BITS_TAG, _SAMPLE_FORMAT_TAG = 258, 339
_PNG_DEPTH_AT = 24  # in the file: signature 8, length 4, "IHDR" 4, width 4, height 4
_INCHES_PER_METER = 39.3701
_STEP = 257  # of 16 bits for one of 8


def has_sixteen_bits(path: Path, image: Image.Image) -> bool:
    """Whether the PNG or TIFF that was opened as ``image`` has 16 bits a channel."""
    if image.format == "PNG":
        with path.open("rb") as file:
            return file.read(_PNG_DEPTH_AT + 1)[_PNG_DEPTH_AT:] == b"\x10"
    tags: Any = getattr(image, "tag_v2", {})
    depths, kinds = tags.get(_BITS_TAG, ()), tags.get(_SAMPLE_FORMAT_TAG, (1,))
    return bool(depths) and set(depths) == {16} and set(kinds) == {1}


def read_sixteen_bits(path: Path, orientation: int, plain: Pixels) -> DeepPixels | None:
    """The upright pixels, uint16 ``[H, W, 1, 3 or 4]``, of the file that Pillow read as ``plain``.

    None when no reader gives the same picture as Pillow (premultiplied alpha, white as zero).
    """
    data = path.read_bytes()
    found = [_turn(_read_tiff(data), orientation), _turn(_read_any(data), orientation)]
    if orientation != 1:
        found.append(_read_any(data))  # OpenCV turns some TIFF files by itself
    for values in found:
        if values is not None and values.shape == plain.shape:
            off = (values >> 8).astype(np.int16) - plain
            if np.abs(off).max() <= 1:  # Pillow cuts, or rounds
                return np.ascontiguousarray(values)
    return None


def to_eight_bits(values: DeepPixels) -> Pixels:
    """The nearest of 256 levels."""
    return ((values.astype(np.uint32) + _STEP // 2) // _STEP).astype(np.uint8)


def encode_png(
    values: DeepPixels,
    profile: bytes | None,
    dpi: tuple[float, float] | None,
    metadata: PictureMetadata,
) -> bytes:
    """A PNG file of uint16 ``[H, W, 1, 3 or 4]``; what is not pixels as chunks after IHDR."""
    import struct
    import zlib

    import cv2
    from PIL import PngImagePlugin

    codes = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}
    code = codes.get(values.shape[2])
    _, encoded = cv2.imencode(".png", values if code is None else cv2.cvtColor(values, code))
    data = encoded.tobytes()
    chunks = io.BytesIO()
    if profile:
        named = b"ICC Profile\0\0" + zlib.compress(profile)
        PngImagePlugin.putchunk(chunks, b"iCCP", named)
    if dpi:
        per_meter = [round(each * _INCHES_PER_METER) for each in dpi]
        PngImagePlugin.putchunk(chunks, b"pHYs", struct.pack(">IIB", *per_meter, 1))
    exif = metadata.pack_exif((values.shape[1], values.shape[0]))
    if exif:
        PngImagePlugin.putchunk(chunks, b"eXIf", exif.removeprefix(b"Exif\0\0"))
    for word, text in metadata.png_texts():  # not compressed, in no language
        PngImagePlugin.putchunk(
            chunks, b"iTXt", word.encode("latin-1") + b"\0\0\0\0\0" + text.encode()
        )
    head = 8 + 25  # the signature and the whole IHDR
    return data[:head] + chunks.getvalue() + data[head:]


def encode_tiff(
    values: DeepPixels,
    profile: bytes | None,
    dpi: tuple[float, float] | None,
    metadata: PictureMetadata,
) -> bytes:
    """A TIFF file of uint16 ``[H, W, 1, 3 or 4]``."""
    import tifffile

    gray = values.shape[2] == 1
    buffer = io.BytesIO()
    tifffile.imwrite(
        buffer,
        values[:, :, 0] if gray else values,
        photometric="minisblack" if gray else "rgb",
        extrasamples=["unassalpha"] if values.shape[2] == 4 else None,
        iccprofile=profile,
        resolution=dpi,
        resolutionunit="INCH" if dpi else None,
        metadata=None,
        software=False,
        extratags=_list_tags(metadata),
    )
    return buffer.getvalue()


def _list_tags(metadata: PictureMetadata) -> list[tuple[int, str, int, Any, bool]]:
    """The tags of a TIFF file: texts, and XMP as bytes."""
    tags: list[tuple[int, str, int, Any, bool]] = [
        (tag, "s", 0, text, True) for tag, text in metadata.tags.items()
    ]
    if metadata.xmp:
        tags.append((700, "B", len(metadata.xmp), metadata.xmp, True))
    return tags


def _read_tiff(data: bytes) -> DeepPixels | None:
    if data[:2] not in (b"II", b"MM"):
        return None
    import tifffile

    try:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            return _with_channels(file.pages[0].asarray())
    except (ValueError, OSError, IndexError, RuntimeError, tifffile.TiffFileError):
        return None  # compressed in a way that needs OpenCV


def _read_any(data: bytes) -> DeepPixels | None:
    import cv2

    try:
        values = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
    if values is None:
        return None
    codes = {3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGBA}
    code = codes.get(values.shape[2]) if values.ndim == 3 else None
    return _with_channels(values if code is None else cv2.cvtColor(values, code))


def _with_channels(values: npt.NDArray[Any]) -> DeepPixels | None:
    if values.dtype != np.uint16 or values.ndim not in (2, 3):
        return None
    return values[:, :, None] if values.ndim == 2 else values


def _turn(values: DeepPixels | None, orientation: int) -> DeepPixels | None:
    """As EXIF says how the camera was held: 1 is upright, 2 to 8 are turned or mirrored."""
    if values is None:
        return None
    if orientation in (5, 6, 7, 8):
        values = values.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        values = values[:, ::-1]
    if orientation in (3, 4, 7, 8):
        values = values[::-1]
    return values
