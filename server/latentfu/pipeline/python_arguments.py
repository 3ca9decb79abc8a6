"""What Python callers give, arrays, PIL images and numbers, as a request takes it; and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from latentfu.core.errors import BadInputError
from latentfu.core.layer import Layer

if TYPE_CHECKING:
    from PIL.Image import Image

    from latentfu.pipeline.align import Placement
    from latentfu.protocol.pictures import PictureStore

Pixels = TypeVar("Pixels", npt.NDArray[np.uint8], "Image")


def convert_to_layer(pixels: npt.NDArray[np.uint8] | Image) -> Layer:
    """A numpy or PIL picture as a Layer; other modes than L, RGB and RGBA are converted."""
    if isinstance(pixels, np.ndarray):
        return Layer(pixels[:, :, None] if pixels.ndim == 2 else pixels)
    if not hasattr(pixels, "mode"):
        raise BadInputError(f"A picture is a numpy array or a PIL image, not {type(pixels)}.")
    if pixels.mode not in ("L", "RGB", "RGBA"):
        pixels = pixels.convert("RGBA" if pixels.has_transparency_data else "RGB")
    array = np.asarray(pixels)
    return Layer(array[:, :, None] if array.ndim == 2 else array)


def convert_to_mask(mask: npt.NDArray[np.uint8] | Image | None) -> npt.NDArray[np.uint8] | None:
    """A mask as uint8 ``[H, W]``; boolean arrays are taken too."""
    if mask is None:
        return None
    if not isinstance(mask, np.ndarray):
        return np.asarray(mask.convert("L"))
    return mask.astype(np.uint8) * 255 if mask.dtype == np.bool_ else mask


def match_kind(pixels: Pixels, layer: Layer) -> Pixels:
    """The layer as the kind of picture that ``pixels`` is."""
    result = layer.pixels[:, :, 0] if _is_gray(pixels, layer) else layer.pixels
    if isinstance(pixels, np.ndarray):
        return result
    from PIL import Image as PillowImage

    return PillowImage.fromarray(result)


def _is_gray(pixels: npt.NDArray[np.uint8] | Image, layer: Layer) -> bool:
    """Whether the picture has no axis for channels."""
    if isinstance(pixels, np.ndarray):
        return pixels.ndim == 2
    return bool(layer.pixels.shape[2] == 1)


def convert_to_floats(values: Mapping[str, float]) -> dict[str, float]:
    """Numbers of any library as Python's own."""
    return {name: float(value) for name, value in values.items()}


def convert_to_ints(layers: tuple[int, int]) -> tuple[int, ...]:
    """NumPy's whole numbers are none for a request."""
    return tuple(int(number) for number in layers)


def collect_placement_fields(placing: Placement | None) -> dict[str, Any]:
    """The fields of a request that say where in the layer it works."""
    if placing is None:
        return {}
    fields = {"corners": placing.corners, "eyes": placing.eyes}
    points: dict[str, Any] = {
        name: tuple((float(x), float(y)) for x, y in given)
        for name, given in fields.items()
        if given is not None
    }
    if placing.mouth is not None:
        points["mouth"] = tuple(float(value) for value in placing.mouth)
    return {"face": placing.face, **points}


def collect_value_fields(values: Mapping[str, Any], pictures: PictureStore) -> dict[str, Any]:
    """The fields of a request that set controls which are no sliders."""
    words: dict[str, Any] = {}
    exemplars: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, (bool, str)):
            words[name] = value
        elif isinstance(value, (tuple, list)):
            words[name] = tuple(float(part) for part in value)
        else:
            exemplars[name] = pictures.add(convert_to_layer(value))
    return {"values": words, "exemplars": exemplars}
