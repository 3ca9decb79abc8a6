"""From the JSON of a request and the files it names to what the editor takes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from latentfu.core.errors import BadInputError
from latentfu.core.layer import Layer, MaskPixels
from latentfu.protocol.pixels import PixelHeader, encode_header
from latentfu.storage.layer_store import LayerStore, read_pixels
from latentfu.worker.protocols import Editing

_KEPT_LAYERS = 3


class RequestReader:
    """Builds requests; keeps the last few layers, so that slider moves read no file."""

    def __init__(self, editing: Editing, layers: LayerStore) -> None:
        self._editing = editing
        self._layers = layers
        self._kept: OrderedDict[str, Layer] = OrderedDict()

    def read(self, body: Mapping[str, Any]) -> Any:
        """An EditRequest, or a MixRequest when ``kind`` is mix."""
        layer = self._layer(body["layer"])
        common = {
            "layer": layer,
            "generator": body.get("generator"),
            "inverter": body.get("inverter"),
            "aligner": body.get("aligner"),
            "mask": self._mask(body.get("mask")),
            "feather": float(body["feather"]),
            "psi": float(body["psi"]),
            **place_and_quality(body),
        }
        if body.get("kind") == "mix":
            first, last = body["layers"]
            source = self._layer(body["source"])
            return self._editing.MixRequest(source=source, layers=(first, last), **common)
        return self._editing.EditRequest(edits=dict(body["edits"]), **common)

    def _layer(self, name: str) -> Layer:
        if name in self._kept:
            self._kept.move_to_end(name)
            return self._kept[name]
        path = self._layers.path(name)
        if not path.exists():
            raise BadInputError("The layer is no longer here: send it again.")
        header, pixels = read_pixels(path)
        shape = (header.height, header.width, header.channels)
        layer = Layer(np.frombuffer(pixels, np.uint8).reshape(shape))
        self._kept[name] = layer
        while len(self._kept) > _KEPT_LAYERS:
            self._kept.popitem(last=False)
        return layer

    def _mask(self, name: str | None) -> MaskPixels | None:
        if name is None:
            return None
        pixels = self._layer(name).pixels
        if pixels.shape[2] != 1:
            raise BadInputError(f"A mask has one channel, not {pixels.shape[2]}.")
        mask: MaskPixels = pixels[:, :, 0]
        return mask


def place_and_quality(body: Mapping[str, Any]) -> dict[str, Any]:
    """What a request says of both, nothing where it says nothing."""
    from latentfu.pipeline.placement import Placement

    said: dict[str, Any] = {}
    if body.get("quality") is not None:
        said["quality"] = body["quality"]
    given = {key: body.get(key) for key in ("face", "corners", "eyes", "mouth")}
    if any(value is not None for value in given.values()):
        corners, eyes, mouth = given["corners"], given["eyes"], given["mouth"]
        said["placing"] = Placement(
            face=given["face"],
            corners=points(corners),
            eyes=points(eyes),
            mouth=points([mouth])[0] if mouth else None,
        )
    return said


def points(given: Any) -> Any:
    """Pairs of numbers as a tuple of points, None for None."""
    return tuple((float(x), float(y)) for x, y in given) if given else None


def write_layer(path: Path, layer: Layer) -> None:
    """Write ``layer`` as a pixel body, whole or not at all; raises StorageError."""
    from latentfu.storage.atomic import whole_file

    header = PixelHeader(layer.width, layer.height, int(layer.pixels.shape[2]))
    with whole_file(path, mode=0o600) as temporary, temporary.open("wb") as file:
        file.write(encode_header(header))
        file.write(np.ascontiguousarray(layer.pixels).data)
