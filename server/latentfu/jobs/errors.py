"""What can go wrong between a request and its result, beside the errors of the work itself."""

from __future__ import annotations

from latentfu.core.errors import LatentFuError


class NotFoundError(LatentFuError):
    """There is nothing of that name or id."""

    code = "not_found"


class ConflictError(LatentFuError):
    """The id is taken by another request."""

    code = "conflict"


class OvertakenError(LatentFuError):
    """A newer preview of the same session has replaced this one."""

    code = "overtaken"

    def __init__(self, message: str = "A newer preview has replaced this one.") -> None:
        super().__init__(message)


class QueueFullError(LatentFuError):
    """Too much is waiting already."""

    code = "queue_full"


class WorkerUnavailableError(LatentFuError):
    """The worker process does not run, or died over this request."""

    code = "worker"


class WorkError(LatentFuError):
    """What the worker said went wrong, with its own code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
