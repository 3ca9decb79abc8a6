"""Color profiles of picture files: the way from a file's own colors to sRGB, and back."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from latentfu.core.layer import Pixels

if TYPE_CHECKING:
    from PIL import Image, ImageCms

_SPACE_OF_MODE = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}


@cache
def srgb_profile() -> bytes:
    """An ICC profile of sRGB, as files carry it."""
    from PIL import ImageCms

    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@dataclass(frozen=True)
class ProfileTransform:
    """Both ways between the colors of one profile and sRGB, in 8 bits.

    littlecms does the work, with the perceptual intent that viewers take by default.
    """

    _into: ImageCms.ImageCmsTransform
    _back: ImageCms.ImageCmsTransform

    def to_srgb(self, own: Pixels) -> Pixels:
        """uint8 ``[H, W, 1, 3 or 4]`` in the profile to the same shape in sRGB; alpha stays."""
        return _apply(self._into, own)

    def from_srgb(self, pixels: Pixels) -> Pixels:
        """uint8 ``[H, W, 1, 3 or 4]`` in sRGB to the same shape in the profile; alpha stays."""
        return _apply(self._back, pixels)


def make_transform(profile: bytes, channels: int) -> ProfileTransform | None:
    """The transform of a gray (1) or RGB (3 or 4 channels) profile.

    None when the profile is damaged, is for other colors, or goes one way only.
    """
    mode = "L" if channels == 1 else "RGB"
    into, back = _build(profile, mode, inverse=False), _build(profile, mode, inverse=True)
    return ProfileTransform(into, back) if into and back else None


def convert_to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """``image`` (gray, RGB or CMYK) in RGB; by Pillow's formula if the profile is of no use."""
    transform = _build(profile, image.mode, inverse=False) if profile else None
    if transform is None:
        return image.convert("RGB")
    return transform.apply(image)


def _build(profile: bytes, mode: str, inverse: bool) -> ImageCms.ImageCmsTransform | None:
    from PIL import ImageCms

    try:
        own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if own.profile.xcolor_space.strip() != _SPACE_OF_MODE.get(mode):
            return None
        srgb = ImageCms.createProfile("sRGB")
        if inverse:
            return ImageCms.buildTransform(srgb, own, "RGB", mode)
        return ImageCms.buildTransform(own, srgb, mode, "RGB")
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return None


def _apply(transform: ImageCms.ImageCmsTransform, pixels: Pixels) -> Pixels:
    from PIL import Image

    gray = pixels.shape[2] == 1
    colors = np.ascontiguousarray(pixels[:, :, :3])
    if gray and transform.input_mode == "RGB":
        colors = np.repeat(colors, 3, axis=2)
    image = Image.fromarray(colors[:, :, 0] if colors.shape[2] == 1 else colors)
    done = np.asarray(transform.apply(image))
    done = done[:, :, None] if done.ndim == 2 else done
    if gray:
        return np.ascontiguousarray(done[:, :, -1:])
    return np.concatenate([done, pixels[:, :, 3:]], axis=2)
