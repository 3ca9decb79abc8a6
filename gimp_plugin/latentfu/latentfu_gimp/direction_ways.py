"""What a way to make a direction asks of the server, whichever it is, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .attribute_directions import AttributeWork, keep_made, measure_attribute, tell_made
from .client import ServerClient
from .jobs import Report
from .pairs import PairWork, keep_direction, measure_pairs, tell_measured


@dataclass(frozen=True)
class FoundDirection:
    """What was measured, for people, and what puts it among the user's own."""

    text: str
    keep: Callable[[ServerClient, Report], None]


@dataclass(frozen=True)
class DirectionQuestion:
    """``ask`` makes the direction and keeps nothing; ``arguments``: of the procedure, to repeat
    it."""

    ask: Callable[[ServerClient, Report], FoundDirection]
    arguments: Mapping[str, object]


def find_by_pairs(client: ServerClient, asked: PairWork, report: Report) -> FoundDirection:
    """The direction from the layers before to those after."""
    measured = measure_pairs(client, asked, report)

    def keep(client: ServerClient, _report: Report) -> None:
        keep_direction(client, measured)

    return FoundDirection(tell_measured(measured["told"]), keep)


def find_by_attribute(client: ServerClient, asked: AttributeWork, report: Report) -> FoundDirection:
    """The direction of what a scorer reads."""
    measured = measure_attribute(client, asked, report)

    def keep(client: ServerClient, report: Report) -> None:
        keep_made(client, measured, report)

    return FoundDirection(tell_made(measured["told"]), keep)
