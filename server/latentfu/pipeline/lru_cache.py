"""A small memory of the newest results."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Recent(Generic[T]):
    """The last ``room`` values by key; the one used longest ago goes first."""

    def __init__(self, room: int) -> None:
        self.room = room
        self._values: dict[Hashable, T] = {}

    def get(self, key: Hashable) -> T | None:
        """The value of ``key``, which is then the newest, or None."""
        if key not in self._values:
            return None
        value = self._values.pop(key)
        self._values[key] = value
        return value

    def put(self, key: Hashable, value: T) -> T:
        """Keep ``value`` as the newest and give it back."""
        self._values.pop(key, None)
        self._values[key] = value
        while len(self._values) > self.room:
            del self._values[next(iter(self._values))]
        return value

    def get_or_make(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value of ``key``, made when it is not there."""
        value = self.get(key)
        return self.put(key, make()) if value is None else value
