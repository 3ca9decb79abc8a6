"""A job as the queue knows it, and how much work the server takes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from latentfu.protocol.replies import Failure

State = Literal["queued", "running", "done", "failed", "cancelled"]
ENDED: tuple[State, ...] = ("done", "failed", "cancelled")


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


@dataclass(frozen=True)
class Limits:
    """All quotas. Seconds end in ``_s``, bytes in ``_bytes``.

    ``body_grace_s`` and ``body_rate``: a body must come within the grace plus its bytes at that
    rate (bytes a second). ``orphan_s``: how long an interactive job lives after its last
    listener; ``first_listener_s``: how long it waits for the first one. ``import_s``: how long a
    worker that starts may be at one plug-in.
    """

    max_queued: int = 200
    max_ended: int = 500
    max_previews: int = 64
    max_connections: int = 600
    json_bytes: int = 64 << 10
    layer_quota_bytes: int = 8 << 30
    result_quota_bytes: int = 8 << 30
    header_s: float = 15.0
    body_grace_s: float = 15.0
    body_rate: float = 256 << 10
    job_s: float = 3600.0
    preview_s: float = 300.0
    catalog_s: float = 60.0
    import_s: float = 40.0
    cancel_s: float = 5.0
    orphan_s: float = 5.0
    first_listener_s: float = 30.0
    keep_alive_s: float = 2.0
    result_age_s: float = 7 * 86_400.0
    layer_age_s: float = 86_400.0
    tidy_every_s: float = 600.0
