"""A job as the queue knows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

State = Literal["queued", "running", "done", "failed", "cancelled"]
ENDED: tuple[State, ...] = ("done", "failed", "cancelled")


@dataclass(frozen=True)
class Failure:
    """Why a job failed: a stable word for programs and a sentence for people."""

    code: str
    message: str


@dataclass(frozen=True)
class Job:
    """One piece of work.

    ``body``: the checked request. ``fraction``: 0..1. ``attempts``: how often a worker has
    begun it. ``created``: seconds since 1970. ``report``: what the finished work says of itself.
    """

    id: str
    kind: str
    body: Mapping[str, object]
    created: float
    state: State = "queued"
    fraction: float = 0.0
    message: str = ""
    error: Failure | None = None
    report: Mapping[str, object] | None = None
    attempts: int = 0

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in ENDED

    @property
    def interactive(self) -> bool:
        """Whether it is dropped when nobody waits for it any more."""
        return bool(self.body.get("interactive"))
