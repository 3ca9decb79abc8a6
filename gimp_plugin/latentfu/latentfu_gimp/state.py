"""What is remembered on a result layer: the parasite ``latentfu/state``."""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import asdict, dataclass, field
from typing import Any

from .arguments import parse_edits
from .errors import PluginError
from .wire import Picture

NAME = "latentfu/state"
VERSION = 1
LARGEST_MASK = 256 * 1024


@dataclass(frozen=True)
class State:
    """How a layer was made, enough to edit it again from its source.

    ``source_sha256`` names the source layer's pixel body, ``source_tattoo`` the layer in its
    image; ``mask`` is the packed selection ("" for none, "lost" when it was too large to keep).
    """

    generator: str
    inverter: str
    edits: dict[str, float]
    feather: float
    source_sha256: str
    source_tattoo: int
    generator_id: str = ""
    quad: list[list[float]] = field(default_factory=list)
    inversion_key: str = ""
    seconds: dict[str, float] = field(default_factory=dict)
    mask: str = ""
    mix: dict[str, Any] = field(default_factory=dict)

    def dump(self) -> bytes:
        """ASCII JSON."""
        return json.dumps({"version": VERSION, **asdict(self)}).encode("ascii")


def load(data: bytes) -> State | None:
    """The state in a parasite; None when it is damaged or of a later version."""
    try:
        document = json.loads(data)
        if document.pop("version") != VERSION:
            return None
        known = {name: document[name] for name in State.__dataclass_fields__ if name in document}
        state = State(**known)
        edits = {str(name): float(strength) for name, strength in state.edits.items()}
        parse_edits(" ".join(f"{name}={strength}" for name, strength in edits.items()))
        int(state.source_tattoo), float(state.feather)
    except (ValueError, TypeError, KeyError, AttributeError, PluginError):
        return None
    return state


def pack_mask(mask: Picture | None) -> str:
    """The selection as text, "lost" when it is too large to keep."""
    if mask is None:
        return ""
    packed = base64.b64encode(zlib.compress(mask.pixels, 6)).decode("ascii")
    return packed if len(packed) <= LARGEST_MASK else "lost"


def unpack_mask(text: str, width: int, height: int) -> Picture | None:
    """The selection again; None when there is none or it does not fit the layer."""
    if text in ("", "lost"):
        return None
    try:
        # The bound keeps a doctored file from filling the memory.
        unpacker = zlib.decompressobj()
        pixels = unpacker.decompress(base64.b64decode(text, validate=True), width * height + 1)
        return Picture(width, height, 1, pixels)
    except (ValueError, zlib.error):
        return None
