"""What is kept for the next request: the newest results, inversions, loaded controls."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from latentfu.core.control import Control, ControlEffect
from latentfu.core.generator import Generator
from latentfu.core.latent import Inversion
from latentfu.pipeline.plugin_calls import load_effect
from latentfu.storage.inversion_cache import InversionStore, load_inversion
from latentfu.storage.layer_store import latents_folder

T = TypeVar("T")


class LRUCache(Generic[T]):
    """The last ``size`` values by key; the one used longest ago goes first."""

    def __init__(self, size: int) -> None:
        self.size = size
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
        while len(self._values) > self.size:
            del self._values[next(iter(self._values))]
        return value

    def clear(self) -> None:
        """Forget all."""
        self._values.clear()

    def get_or_make(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value of ``key``, made when it is not there."""
        value = self.get(key)
        return self.put(key, make()) if value is None else value


class InversionCache:
    """Inversions on disk, and the newest ones in memory."""

    def __init__(self, store: InversionStore | None = None, size: int = 16) -> None:
        self.store = store or InversionStore()
        self.recent: LRUCache[Inversion] = LRUCache(size)

    def get(self, key: str, generator: Generator) -> Inversion | None:
        """The inversion stored under ``key``, if it fits ``generator``."""
        found = self.recent.get(key) or self.store.get(key, generator)
        return self.recent.put(key, found) if found is not None else None

    def get_brought(self, name: str, generator: Generator) -> Inversion:
        """What a client has brought; raises BadInputError or WrongGeneratorError."""
        found = self.recent.get(name) or load_inversion(latents_folder() / name, generator)
        return self.recent.put(name, found)

    def put(self, key: str, inversion: Inversion) -> None:
        """Keep ``inversion`` here and on disk."""
        self.store.put(key, self.recent.put(key, inversion))


class ControlCache:
    """Loaded controls, each loaded once for a generator that is open."""

    def __init__(self) -> None:
        self._loaded: WeakKeyDictionary[Generator, dict[str, tuple[Control, ControlEffect]]]
        self._loaded = WeakKeyDictionary()

    def get(self, control: Control, generator: Generator) -> ControlEffect:
        """The effect of ``control``, loaded again when the control was replaced."""
        loaded = self._loaded.setdefault(generator, {})
        known = loaded.get(control.name)
        if known is None or not _is_same(known[0], control):
            known = (control, load_effect(control, generator))
            loaded[control.name] = known
        return known[1]

    def clear(self) -> None:
        """Forget all: they are loaded again when used."""
        self._loaded.clear()


def _is_same(old: Control, new: Control) -> bool:
    """Whether two listings speak of the same unchanged control.

    Hooks are asked anew for each request, so that ``load`` is often a new function.
    """
    return old is new or replace(old, load=new.load) == new
