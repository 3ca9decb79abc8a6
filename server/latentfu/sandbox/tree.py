"""What a foreign file held, as plain Python values, tensors and things without behavior."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class OpaqueObject:
    """An object of a class that is only a name here: what it was called and what it held."""

    class_name: str
    state: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ForeignFile:
    """A file that was read: its kind (``torch``, ``pickle``, ``numpy``), sha256 and content.

    ``content`` is made of dict, list, str, int, float, bool, None, numpy arrays and Thing.
    """

    path: Path
    kind: str
    sha256: str
    content: Any

    def member(self, *keys: str) -> Any:
        """What lies below ``keys`` in dicts and opaque objects.

        Args:
            keys: one for each level, from the file's content down.

        Returns:
            It, or None where there is none.
        """
        value = self.content
        for key in keys:
            if isinstance(value, OpaqueObject):
                value = value.state
            value = value.get(key) if isinstance(value, dict) else None
        return value


@dataclass(frozen=True)
class ConvertedWeights:
    """A network in a form that is opened without an importer: one safetensors file.

    ``metadata`` names the architecture and its config in the words of the format that opens it.
    """

    tensors: dict[str, Array]
    metadata: dict[str, str]


def tensors_of(value: Any) -> dict[str, Array]:
    """The arrays of a dict by their key; other values are left out.

    Args:
        value: what a foreign file holds, at any place.

    Returns:
        The arrays; empty for anything but a dict.

    >>> tensors_of({"bias": np.zeros(2), "epoch": 3})
    {'bias': array([0., 0.])}
    """
    if not isinstance(value, dict):
        return {}
    return {str(key): item for key, item in value.items() if isinstance(item, np.ndarray)}


def decode(text: str, arrays: Mapping[str, Array]) -> Any:
    """The content that the child wrote as JSON, with its arrays put in."""
    return _decoded(json.loads(text), arrays)


def _decoded(node: Any, arrays: Mapping[str, Array]) -> Any:
    if not isinstance(node, dict):
        return node
    if "array" in node:
        return arrays[node["array"]]
    if "list" in node:
        return [_decoded(item, arrays) for item in node["list"]]
    if "thing" in node:
        state = _decoded(node["state"], arrays)
        return OpaqueObject(node["thing"], state if isinstance(state, dict) else {"": state})
    return {key: _decoded(item, arrays) for key, item in node["dict"]}
