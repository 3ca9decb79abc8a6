from collections.abc import Sequence
from enum import IntEnum

class AbyssPolicy(IntEnum):
    NONE = ...

class Rectangle:
    x: int
    y: int
    width: int
    height: int
    @classmethod
    def new(cls, x: int, y: int, width: int, height: int) -> Rectangle: ...

class Buffer:
    def get(
        self, rect: Rectangle, scale: float, format_name: str | None, repeat_mode: AbyssPolicy
    ) -> bytes: ...
    def set(self, rect: Rectangle, format_name: str, src: bytes) -> None: ...
    def flush(self) -> None: ...

def init(argv: Sequence[str] | None) -> None: ...
