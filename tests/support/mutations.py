"""Whole files, and what a damaged disk or an attacker makes of them.

The mutations are hypothesis strategies, so that what breaks something is made as small as can be.
"""

from __future__ import annotations

import json
import struct
from typing import Any

from hypothesis import strategies as st

NASTY: list[Any] = [
    None, True, -1, 0, 1, 2**31, 2**63, 10**400, -(10**400), 1e308, float("nan"), float("inf"),
    "", "x" * 5000, "../../x", "a\r\nb", "\x00", "\u202e", "\ud800", [], [[]], {}, {"a": [1]},
    [1e308] * 50, "64", -0.5,
]  # fmt: skip
"""What a field of JSON may hold in place of what belongs there."""


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """Some bytes changed, cut off, taken out, put in, or doubled."""
    data = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, max(0, len(data) - 1)))
        match draw(st.sampled_from(["change", "cut", "take", "put", "double"])):
            case "change" if data:
                data[place] = draw(st.integers(0, 255))
            case "cut":
                del data[place:]
            case "take":
                del data[place : place + draw(st.integers(1, 64))]
            case "put":
                data[place:place] = draw(st.binary(min_size=1, max_size=16))
            case "double":
                data[place:place] = data[place : place + draw(st.integers(1, 256))]
    return bytes(data)


@st.composite
def damaged_json(draw: st.DrawFn, document: Any) -> bytes:
    """A document with some of its fields replaced, removed or added; still JSON."""
    changed = json.loads(json.dumps(document))
    for _ in range(draw(st.integers(1, 3))):
        changed = _change(draw, changed)
    return json.dumps(changed).encode()


@st.composite
def damaged_safetensors(draw: st.DrawFn, whole: bytes, inside: str = "") -> bytes:
    """A file with a changed header, or with a changed JSON text in the metadata ``inside``."""
    (length,) = struct.unpack("<Q", whole[:8])
    header = json.loads(whole[8 : 8 + length])
    if inside and draw(st.booleans()):
        text = draw(damaged_json(json.loads(header["__metadata__"][inside])))
        header["__metadata__"][inside] = text.decode()
    else:
        header = _change(draw, header)
    packed = json.dumps(header).encode()
    return struct.pack("<Q", len(packed)) + packed + whole[8 + length :]


def _change(draw: st.DrawFn, value: Any) -> Any:
    """``value`` with one part of it changed, however deep it lies."""
    if isinstance(value, dict) and value and draw(st.integers(0, 9)):
        key = draw(st.sampled_from(sorted(value)))
        match draw(st.sampled_from(["deeper", "deeper", "remove", "rename"])):
            case "remove":
                return {name: each for name, each in value.items() if name != key}
            case "rename":
                return {("renamed" if name == key else name): each for name, each in value.items()}
        return {**value, key: _change(draw, value[key])}
    if isinstance(value, list) and value and draw(st.integers(0, 3)):
        place = draw(st.integers(0, len(value) - 1))
        return [*value[:place], _change(draw, value[place]), *value[place + 1 :]]
    return draw(st.sampled_from(NASTY))
