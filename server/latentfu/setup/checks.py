"""One finding of the doctor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "note", "wrong"]


@dataclass(frozen=True)
class Check:
    """What was looked at, how it is, and what to do.

    ``name``: a stable short word ("run-bit"). ``state``: "note" is worth knowing but breaks
    nothing. ``remedy``: what to do, empty when there is nothing to do.
    """

    name: str
    state: State
    message: str
    remedy: str = ""


def ok(name: str, message: str) -> Check:
    """All is well with ``name``."""
    return Check(name, "ok", message)


def note(name: str, message: str, remedy: str = "") -> Check:
    """Something a person should know about ``name``."""
    return Check(name, "note", message, remedy)


def wrong(name: str, message: str, remedy: str) -> Check:
    """``name`` keeps the menu entry away or the plug-in from working."""
    return Check(name, "wrong", message, remedy)
