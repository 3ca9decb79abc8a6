"""Messages between front and worker: four bytes of length, then JSON. Never a pickle."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Mapping
from typing import IO

Message = dict[str, object]
MAX_FRAME_BYTES = 16 << 20
_LENGTH = struct.Struct(">I")


class FrameError(Exception):
    """The other side sent something that is no message."""


def pack_frame(message: Mapping[str, object]) -> bytes:
    """The bytes of one message."""
    body = json.dumps(message, separators=(",", ":"), allow_nan=False).encode()
    if len(body) > MAX_FRAME_BYTES:
        raise FrameError(f"A message of {len(body)} bytes is too long.")
    return _LENGTH.pack(len(body)) + body


def read_frame(stream: IO[bytes]) -> Message | None:
    """The next message, or None when the other side has closed."""
    start = _read_all(stream, _LENGTH.size)
    if start is None:
        return None
    body = _read_all(stream, _length(start))
    return None if body is None else _parse(body)


async def read_frame_async(stream: asyncio.StreamReader) -> Message | None:
    """Like :func:`read_frame`, for the front's event loop."""
    try:
        start = await stream.readexactly(_LENGTH.size)
        return _parse(await stream.readexactly(_length(start)))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


def _read_all(stream: IO[bytes], count: int) -> bytes | None:
    data = stream.read(count)
    return data if data is not None and len(data) == count else None


def _length(start: bytes) -> int:
    length: int = _LENGTH.unpack(start)[0]
    if length > MAX_FRAME_BYTES:
        raise FrameError(f"A message of {length} bytes is too long.")
    return length


def _parse(body: bytes) -> Message:
    try:
        message = json.loads(body)
    except ValueError as error:
        raise FrameError("A message is not a JSON.") from error
    if not isinstance(message, dict):
        raise FrameError("A message is not a JSON object.")
    return message
