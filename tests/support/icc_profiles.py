"""Small ICC profiles made of bytes: Pillow makes sRGB only."""

from __future__ import annotations

import struct

import numpy as np

_D50 = (0.9642, 1.0, 0.8249)
_BRADFORD = np.array(
    [[1.0479, 0.0229, -0.0502], [0.0296, 0.9904, -0.0171], [-0.0092, 0.0151, 0.7519]]
)
_D65 = np.array([0.9505, 1.0, 1.0891])

Chromaticities = tuple[tuple[float, float], tuple[float, float], tuple[float, float]]


def rgb_profile(name: str, primaries: Chromaticities, gamma: float) -> bytes:
    """A matrix profile with white at D65, e.g. the primaries of Adobe RGB."""
    colors = np.array([[x / y, 1.0, (1 - x - y) / y] for x, y in primaries]).T
    matrix = _BRADFORD @ (colors * np.linalg.solve(colors, _D65))
    tags = {b"desc": _text(name), b"wtpt": _xyz(_D50)}
    for place, letter in enumerate("rgb"):
        tags[f"{letter}XYZ".encode()] = _xyz(tuple(matrix[:, place]))
        tags[f"{letter}TRC".encode()] = _curve(gamma)
    return _profile(b"mntr", b"RGB ", b"XYZ ", tags)


def gray_profile(gamma: float) -> bytes:
    """A gray profile with one curve."""
    tags = {b"desc": _text("gray"), b"wtpt": _xyz(_D50), b"kTRC": _curve(gamma)}
    return _profile(b"mntr", b"GRAY", b"XYZ ", tags)


def cmyk_profile() -> bytes:
    """An ink profile by whose table all inks are gray: the more of them, the darker."""
    inks = [bin(corner).count("1") for corner in range(2**4)]
    grid = b"".join(bytes([255 - 50 * count, 128, 128]) for count in inks)  # Lab in 8 bits
    identity = struct.pack(">9i", *(65536 * one for one in (1, 0, 0, 0, 1, 0, 0, 0, 1)))
    ramp = bytes(range(256))
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + identity + ramp * 4 + grid + ramp * 3
    tags = {b"desc": _text("inks"), b"wtpt": _xyz(_D50), b"A2B0": table}
    return _profile(b"prtr", b"CMYK", b"Lab ", tags)


def _xyz(values: tuple[float, ...]) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(each * 65536) for each in values))


def _curve(gamma: float) -> bytes:
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256))


def _text(words: str) -> bytes:
    data = words.encode() + b"\0"
    return b"desc" + bytes(4) + struct.pack(">I", len(data)) + data + bytes(78)


def _profile(kind: bytes, space: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    table, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        table += name + struct.pack(">II", start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    size = start + len(body)
    header = struct.pack(">I4sI4s4s4s12s4s", size, b"lcms", 0x02400000, kind, space, connection,
                         struct.pack(">6H", 2020, 1, 1, 0, 0, 0), b"acsp")  # fmt: skip
    header += bytes(28) + struct.pack(">3i", *(round(each * 65536) for each in _D50))
    return header.ljust(128, b"\0") + table + body
