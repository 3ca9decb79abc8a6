"""Old names that go on working for one minor version, with a warning that says the new one."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


def warn_renamed(old: str, new: str, stacklevel: int = 2) -> None:
    """Say to whoever called the caller that ``old`` is now called ``new``.

    Args:
        old: what was used, as it is written in code.
        new: what to write instead.
        stacklevel: 1 blames the caller itself, 2 whoever called that, and so on.
    """
    message = f"{old} is called {new} since latentfu 0.2; the old name goes in 0.3."
    warnings.warn(message, DeprecationWarning, stacklevel=stacklevel + 1)


def rename_fields(**renamed: str) -> Callable[[type[T]], type[T]]:
    """A decorator for dataclasses whose fields got other names.

    ``old="new"``: the keyword ``old`` of the constructor is taken as ``new``, and the attribute
    ``old`` gives ``new``, both with a DeprecationWarning.

    >>> from dataclasses import dataclass
    >>> @rename_fields(hue="color")
    ... @dataclass(frozen=True)
    ... class Pot:
    ...     color: str
    >>> with warnings.catch_warnings(action="ignore"):
    ...     Pot(hue="red")
    Pot(color='red')
    """

    def change(cls: type[T]) -> type[T]:
        construct = cls.__init__

        @functools.wraps(construct)
        def construct_renamed(self: T, *values: Any, **named: Any) -> None:
            for old, new in renamed.items():
                if old in named:
                    warn_renamed(f"{cls.__name__}({old}=...)", f"{new}=")
                    named[new] = named.pop(old)
            construct(self, *values, **named)

        cls.__init__ = construct_renamed  # type: ignore[assignment,method-assign]
        for old, new in renamed.items():
            setattr(cls, old, _old_attribute(cls.__name__, old, new))
        return cls

    return change


def _old_attribute(owner: str, old: str, new: str) -> property:
    def read(self: object) -> Any:
        warn_renamed(f"{owner}.{old}", new)
        return getattr(self, new)

    return property(read, doc=f"Old name of ``{new}``.")
