"""Old names that go on working for a while, each with a warning that says the new one.

All of them stand in :data:`DEPRECATIONS`, with the days between which they are old. A test fails
when one is there longer than it was promised, or shorter.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

T = TypeVar("T")


class OldNameWarning(DeprecationWarning):
    """An old name of latentfu is used."""


@dataclass(frozen=True)
class DeprecationPeriod:
    """From when until when old names work.

    ``version``: the first in which they are old, from the day ``since`` on. They work until the
    day ``until``, and go in the version ``goes_in``.
    """

    version: str
    since: date
    goes_in: str
    until: date


IN_0_2 = DeprecationPeriod("0.2", date(2026, 11, 29), "0.3", date(2027, 6, 1))


@dataclass(frozen=True)
class Deprecation:
    """An old name and what is written instead.

    ``old``: as it is written in code: ``latentfu.Bend``, ``Control.plus``, an argument of a hook
    as ``latentfu_controls(old)``, a command as ``latentfu train old``.
    """

    old: str
    instead: str
    period: DeprecationPeriod = IN_0_2

    def explain(self, used: str = "", instead: str = "") -> str:
        """One sentence; ``used`` and ``instead`` in the words of where it was met."""
        period = self.period
        return (
            f"{used or self.old} is called {instead or self.instead} since latentfu "
            f"{period.version} ({period.since}); the old name works until {period.until} and goes "
            f"in {period.goes_in}."
        )

    def is_overdue(self, version: str, today: date) -> bool:
        """Whether it should not be there any more.

        Args:
            version: of the program, "0.3.1".
            today: the day for which that is asked.
        """
        reached = _numbers(version) >= _numbers(self.period.goes_in)
        return reached or today > self.period.until


DEPRECATIONS: tuple[Deprecation, ...] = (
    Deprecation("latentfu.Bend", "latentfu.WeightOffset"),
    Deprecation("latentfu.Converted", "latentfu.ConvertedWeights"),
    Deprecation("latentfu.Detail", "latentfu.FeatureOffset"),
    Deprecation("latentfu.DirectionMover", "latentfu.DirectionEffect"),
    Deprecation("latentfu.Foreign", "latentfu.ForeignFile"),
    Deprecation("latentfu.Mover", "latentfu.ControlEffect"),
    Deprecation("latentfu.Placing", "latentfu.Placement"),
    Deprecation("latentfu.Thing", "latentfu.OpaqueObject"),
    Deprecation("latentfu.carried", "latentfu.warp_features"),
    Deprecation("latentfu.keep_freed_memory", "nothing (open_generator does it)"),
    Deprecation("latentfu.watched", "latentfu.progress_bar"),
    Deprecation("Control.plus", "positive_means"),
    Deprecation("ControlEffect.move", "apply"),
    Deprecation("GeneratorSpec.outside", "out_of_domain_limit"),
    Deprecation("Quality.beyond", "out_of_domain"),
    Deprecation("latentfu train heed", "latentfu train revive-factor"),
)
"""Everything that is old, the names of modules first."""


def find_overdue(version: str, today: date) -> list[str]:
    """The old names that should have gone, see :meth:`Deprecation.is_overdue`."""
    return [each.old for each in DEPRECATIONS if each.is_overdue(version, today)]


def _numbers(version: str) -> tuple[int, ...]:
    """``0.3`` of ``0.3.1``, as numbers: a patch takes nothing away."""
    return tuple(int(part) for part in version.split(".")[:2])


def warn_deprecated(old: str, used: str = "", instead: str = "", stacklevel: int = 2) -> None:
    """Say to whoever called the caller what is written instead of ``old``.

    Args:
        old: as it stands in :data:`DEPRECATIONS`.
        used: how it was met, where that says more.
        instead: what to write there; empty for what the table says.
        stacklevel: 1 blames the caller itself, 2 whoever called that, and so on.
    """
    (found,) = (each for each in DEPRECATIONS if each.old == old)
    warnings.warn(found.explain(used, instead), OldNameWarning, stacklevel=stacklevel + 1)


def old_arguments(
    hook: str, table: Iterable[Deprecation] = DEPRECATIONS
) -> dict[str, OldNameWarning]:
    """What pluggy says of each old argument of ``hook``, ``latentfu_controls``."""
    mine = [each for each in table if each.old.startswith(f"{hook}(")]
    return {each.old[len(hook) + 1 : -1]: OldNameWarning(each.explain()) for each in mine}


def rename_fields(**renamed: str) -> Callable[[type[T]], type[T]]:
    """A decorator for dataclasses whose fields got other names.

    ``old="new"``: the keyword ``old`` of the constructor is taken as ``new``, and the attribute
    ``old`` gives ``new``, both with an :class:`OldNameWarning`. Each stands in
    :data:`DEPRECATIONS` as ``Class.old``.
    """

    def change(cls: type[T]) -> type[T]:
        construct = cls.__init__

        @functools.wraps(construct)
        def construct_renamed(self: T, *values: Any, **named: Any) -> None:
            for old, new in renamed.items():
                if old in named:
                    name = cls.__name__
                    warn_deprecated(f"{name}.{old}", f"{name}({old}=...)", f"{new}=")
                    named[new] = named.pop(old)
            construct(self, *values, **named)

        cls.__init__ = construct_renamed  # type: ignore[assignment,method-assign]
        for old, new in renamed.items():
            setattr(cls, old, _old_attribute(cls.__name__, old, new))
        return cls

    return change


def _old_attribute(owner: str, old: str, new: str) -> property:
    def read(self: object) -> Any:
        warn_deprecated(f"{owner}.{old}")
        return getattr(self, new)

    return property(read, doc=f"Old name of ``{new}``.")
