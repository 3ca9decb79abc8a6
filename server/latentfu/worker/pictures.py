"""The pictures of requests as they lie on disk: read for the editor, written for the front."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from latentfu.core.errors import BadInputError, StorageError
from latentfu.core.layer import Layer
from latentfu.pipeline.cache import LRUCache
from latentfu.protocol.changes import ChangeHeader, pack_change
from latentfu.protocol.pixels import PixelHeader, encode_header
from latentfu.storage.atomic import whole_file
from latentfu.storage.layer_store import LayerStore, read_pixels

if TYPE_CHECKING:
    from latentfu.pipeline.paste import PlacedChange

_KEPT_LAYERS = 3


class StoredPictures:
    """Pictures by the sha256 they were sent under; a :class:`PictureSource`.

    Keeps the last few, so that slider moves read no file.
    """

    def __init__(self, layers: LayerStore) -> None:
        self._layers = layers
        self._kept: LRUCache[Layer] = LRUCache(_KEPT_LAYERS)

    def read(self, reference: str) -> Layer:
        """The picture of that sha256; raises BadInputError when it is gone."""
        return self._kept.get_or_make(reference, lambda: self._load(reference))

    def _load(self, reference: str) -> Layer:
        path = self._layers.path(reference)
        if not path.exists():
            raise BadInputError("The layer is no longer here: send it again.")
        header, pixels = read_pixels(path)
        shape = (header.height, header.width, header.channels)
        return Layer(np.frombuffer(pixels, np.uint8).reshape(shape))


@contextmanager
def _result_file(path: Path) -> Iterator[Path]:
    """Where a result is written first; raises StorageError where its folder has gone.

    It is not made anew: a home that was unmounted comes back over whatever was written there.
    """
    if not path.parent.is_dir():
        raise StorageError(f"The folder {path.parent} is not there: see whether its disk is.")
    with whole_file(path, mode=0o600) as temporary:
        yield temporary


def write_layer(path: Path, layer: Layer) -> None:
    """Write ``layer`` as a pixel body, whole or not at all; raises StorageError."""
    header = PixelHeader(layer.width, layer.height, int(layer.pixels.shape[2]))
    with _result_file(path) as temporary, temporary.open("wb") as file:
        file.write(encode_header(header))
        file.write(np.ascontiguousarray(layer.pixels).data)


def write_change(path: Path, change: PlacedChange) -> None:
    """Write a change as a change body, whole or not at all; raises StorageError."""
    x0, y0, x1, y1 = change.box
    header = ChangeHeader(x0, y0, x1 - x0, y1 - y0, int(change.values.shape[2]))
    with _result_file(path) as temporary:
        temporary.write_bytes(pack_change(header, change.values))
