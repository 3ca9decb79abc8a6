"""What is remembered on a result layer, in parasites: how it was made, and its inversion."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from dataclasses import asdict, dataclass, field
from typing import Any

from .arguments import Edits, Options, check_edits, format_options, read_regions
from .errors import PluginError
from .jobs import LARGEST_LATENT

NAME = "latentfu/state"
LATENT_NAME = "latentfu/latent"
UNSAVED_NAME = "latentfu/unsaved"
VERSION = 1


@dataclass(frozen=True)
class LayerEditState:
    """How a layer was made, enough to edit it again from its source.

    ``source_sha256`` names the source layer's pixel body, ``source_tattoo`` the layer in its image,
    ``size`` its width and height then; ``mask`` is the packed selection ("" for none, "lost" when
    it was too large to keep). ``method`` and ``face``: what was asked for, "" and 0 for the
    automatic choice; ``options``: of the method. ``latent``: the sha256 of the kept inversion.
    ``pixels_sha256``: of the result itself, to notice what was painted on it; ``limits_sha256``: of
    the mask that it came with, "" for none. ``regions`` and ``form``: as the procedure takes them.
    ``mix``, ``transfer``: of these, where they took from and what; ``edits`` of a transfer are what
    it moved. Layers in ``edits`` are named by tattoo.
    """

    generator: str
    inverter: str
    edits: Edits
    feather: float
    source_sha256: str
    source_tattoo: int
    generator_id: str = ""
    quad: list[list[float]] = field(default_factory=list)
    inversion_key: str = ""
    seconds: dict[str, float] = field(default_factory=dict)
    mask: str = ""
    mix: dict[str, Any] = field(default_factory=dict)
    method: str = ""
    face: int = 0
    size: list[int] = field(default_factory=list)
    latent: str = ""
    pixels_sha256: str = ""
    limits_sha256: str = ""
    regions: str = "auto"
    form: str = "layer"
    transfer: dict[str, Any] = field(default_factory=dict)
    options: Options = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """What made the layer: edit, mix or transfer."""
        return "mix" if self.mix else "transfer" if self.transfer else "edit"

    @property
    def taken(self) -> dict[str, Any]:
        """Of a mix or a transfer, where it took from and what."""
        return self.mix or self.transfer

    def dump(self, pixels_sha256: str = "", limits_sha256: str = "") -> bytes:
        """ASCII JSON, with the names of the result's pixels and of the mask that it came with."""
        made = {
            "pixels_sha256": pixels_sha256 or self.pixels_sha256,
            "limits_sha256": limits_sha256 or self.limits_sha256,
        }
        named = {**asdict(self), **made}
        return json.dumps({"version": VERSION, **named}).encode("ascii")


def load_state(data: bytes) -> LayerEditState | None:
    """The state in a parasite; None when it is damaged or of a later version."""
    try:
        document = json.loads(data)
        if document.pop("version") != VERSION:
            return None
        known = {
            name: document[name] for name in LayerEditState.__dataclass_fields__ if name in document
        }
        state = LayerEditState(**known)
        check_edits(state.edits)
        read_regions(str(state.regions))
        int(state.source_tattoo), float(state.feather), int(state.face)
        [(int(width), int(height)) for width, height in [state.size or (1, 1)]]
        [(float(x), float(y)) for x, y in state.quad]
        dict(state.mix), dict(state.transfer), format_options(state.options)
    except (ValueError, TypeError, KeyError, AttributeError, PluginError):
        return None
    return state


def pack_latent(latent: bytes) -> bytes:
    """A latent as ASCII: a parasite takes nothing else."""
    return base64.b64encode(zlib.compress(latent, 6))


def unpack_latent(data: bytes, sha256: str) -> bytes:
    """The latent again; empty when it is not the one of that sha256."""
    try:
        unpacker = zlib.decompressobj()
        latent = unpacker.decompress(base64.b64decode(data, validate=True), LARGEST_LATENT + 1)
    except (ValueError, zlib.error):
        return b""
    return latent if hashlib.sha256(latent).hexdigest() == sha256 else b""
