"""What a picture file says of itself: camera, date, copyright, place, as EXIF, XMP and texts.

It goes into the file that is written. The orientation is reset, because the pixels stand upright;
the thumbnail, which shows the picture before the edit, and the maker's own notes, whose offsets
would be wrong, stay behind.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL import Image

_ORIENTATION, _ACROSS, _DOWN, _UNIT = 0x0112, 0x011A, 0x011B, 0x0128
_WIDTH, _HEIGHT, _MAKER_NOTE = 0xA002, 0xA003, 0x927C
_EXIF_IFD, _GPS_IFD, _XMP_TAG = 0x8769, 0x8825, 700
TEXT_TAGS = {
    0x010E: "ImageDescription", 0x010F: "Make", 0x0110: "Model", 0x0131: "Software",
    0x0132: "DateTime", 0x013B: "Artist", 0x013C: "HostComputer", 0x8298: "Copyright",
}  # fmt: skip
"""What of the main directory describes a picture; the rest says how a file is laid out."""
_XMP_TEXT = "XML:com.adobe.xmp"
_PNG_TEXTS = ("Title", "Author", "Description", "Copyright", "Creation Time", "Source", "Comment")
_TURNED_XMP = re.compile(rb"(tiff:Orientation(?:=[\"']|>))\d")
_LARGEST_SEGMENT = 65_000
"""Bytes that a JPEG takes of either."""
_DAMAGED = (ValueError, TypeError, KeyError, AttributeError, OSError, SyntaxError, EOFError,
            ArithmeticError, struct.error)  # fmt: skip


@dataclass(frozen=True)
class PictureMetadata:
    """``tags``: of the main directory, by number; ``exif`` and ``gps``: of the two below it.

    ``xmp``: as it stood in the file. ``texts``: those of a PNG, by their words.
    """

    tags: Mapping[int, Any] = field(default_factory=dict)
    exif: Mapping[int, Any] = field(default_factory=dict)
    gps: Mapping[int, Any] = field(default_factory=dict)
    xmp: bytes = b""
    texts: Mapping[str, str] = field(default_factory=dict)

    def pack_exif(self, size: tuple[int, int], dpi: tuple[float, float] | None = None) -> bytes:
        """EXIF for a picture of ``size``, with ``dpi`` in it if given; empty for nothing."""
        from PIL import Image

        packed = Image.Exif()
        packed.update(self.tags)
        if self.exif:
            placed = {_WIDTH: size[0], _HEIGHT: size[1]}
            kept = {tag: placed.get(tag, value) for tag, value in self.exif.items()}
            packed.get_ifd(_EXIF_IFD).update(kept)
        if self.gps:
            packed.get_ifd(_GPS_IFD).update(self.gps)
        if dpi:
            packed.update({_ACROSS: dpi[0], _DOWN: dpi[1], _UNIT: 2})
        if not (self.tags or self.exif or self.gps or dpi):
            return b""
        try:
            return packed.tobytes()
        except _DAMAGED:  # a value of no kind that can be written
            return b""

    def settings(
        self, kind: str, size: tuple[int, int], dpi: tuple[float, float] | None
    ) -> dict[str, Any]:
        """What Pillow is told when it writes a file of ``kind``."""
        from PIL import PngImagePlugin

        if kind == "TIFF":  # all of it is in one directory there
            tags = {**self.tags, **({_XMP_TAG: self.xmp} if self.xmp else {})}
            return {"exif": replace(self, tags=tags).pack_exif(size)}
        # A WebP has no other place for the resolution.
        exif = self.pack_exif(size, dpi if kind == "WEBP" else None)
        if kind == "PNG":
            info = PngImagePlugin.PngInfo()
            for word, text in self.png_texts():
                info.add_itxt(word, text)
            return {"exif": exif, "pnginfo": info}
        whole = {"exif": exif, "xmp": self.xmp}
        most = _LARGEST_SEGMENT if kind == "JPEG" else 1 << 30
        return {name: data for name, data in whole.items() if len(data) <= most}

    def png_texts(self) -> list[tuple[str, str]]:
        """The texts of a PNG, XMP among them."""
        found = list(self.texts.items())
        if self.xmp:
            found.append((_XMP_TEXT, self.xmp.decode("utf-8", "replace")))
        return found


def read_picture_metadata(image: Image.Image) -> PictureMetadata:
    """What an opened picture says of itself; what is damaged is left out."""
    try:
        exif = image.getexif()
        tags = {tag: text for tag in TEXT_TAGS if (text := _as_text(exif.get(tag)))}
        below, gps = dict(exif.get_ifd(_EXIF_IFD)), dict(exif.get_ifd(_GPS_IFD))
    except _DAMAGED:
        tags, below, gps = {}, {}, {}
    below.pop(_MAKER_NOTE, None)
    return PictureMetadata(tags, below, gps, _read_xmp(image), _read_texts(image))


def read_exif_dpi(image: Image.Image) -> tuple[float, float] | None:
    """The resolution in EXIF, pixels an inch across and down; None where it says none."""
    try:
        exif = image.getexif()
        scale = {2: 1.0, 3: 2.54}[exif.get(_UNIT, 2)]
        return float(exif[_ACROSS]) * scale, float(exif[_DOWN]) * scale
    except _DAMAGED:
        return None


def _as_text(value: object) -> str:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return value.strip("\0 ") if isinstance(value, str) else ""


def _read_xmp(image: Image.Image) -> bytes:
    """XMP with the orientation reset; empty where there is none."""
    tags: Any = getattr(image, "tag_v2", {})
    found = image.info.get("xmp") or image.info.get(_XMP_TEXT) or tags.get(_XMP_TAG) or b""
    if isinstance(found, str):
        found = found.encode()
    if not isinstance(found, bytes):
        return b""
    return _TURNED_XMP.sub(rb"\g<1>1", found)


def _read_texts(image: Image.Image) -> dict[str, str]:
    if image.format != "PNG":
        return {}
    texts = {word: image.info.get(word) for word in _PNG_TEXTS}
    return {word: str(text) for word, text in texts.items() if isinstance(text, str)}
