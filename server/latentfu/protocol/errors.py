"""Every error that goes over the wire: its code, its HTTP status, and the way back to it."""

from __future__ import annotations

from pydantic import ValidationError

from latentfu.core import errors
from latentfu.core.errors import LatentFuError
from latentfu.protocol.replies import ErrorReply, Failure

STATUS = {
    "bad_input": 400,
    "nothing_found": 400,
    "wrong_generator": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "not_found": 404,
    "not_installed": 404,
    "method_not_allowed": 405,
    "too_slow": 408,
    "cancelled": 409,
    "conflict": 409,
    "overtaken": 409,
    "too_large": 413,
    "unsupported": 415,
    "queue_full": 429,
    "too_many": 429,
    "worker": 503,
    "draining": 503,
    "storage": 507,
    "memory": 507,
}
"""The HTTP status of each code; 500 for all others."""


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


class TooManyRequestsError(LatentFuError):
    """Somebody asks more often than the server lets him."""

    code = "too_many"


class DrainingError(LatentFuError):
    """The server ends when its work is done, and takes no more."""

    code = "draining"

    def __init__(
        self,
        message: str = "This server takes no new work, as it is about to end: try again in a "
        "minute, when the next one runs.",
    ) -> None:
        super().__init__(message)


class WorkerUnavailableError(LatentFuError):
    """The worker process does not run, or died over this request."""

    code = "worker"


class WorkError(LatentFuError):
    """What the worker said went wrong, with its own code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class UnauthorizedError(LatentFuError):
    """The request does not carry this server's token."""

    code = "unauthorized"


class ForbiddenError(LatentFuError):
    """The request comes from a web page or is meant for another host."""

    code = "forbidden"


class UnsupportedError(LatentFuError):
    """The body is of a kind that is not read here."""

    code = "unsupported"


class TooSlowError(LatentFuError):
    """The body did not come in time."""

    code = "too_slow"


_KINDS: tuple[type[LatentFuError], ...] = (
    errors.BadInputError,
    errors.NothingFoundError,
    errors.TooLargeError,
    errors.NotInstalledError,
    errors.WrongGeneratorError,
    errors.CancelledError,
    errors.StorageError,
    errors.PluginFailedError,
    errors.OutOfMemoryError,
    ConflictError,
    DrainingError,
    NotFoundError,
    OvertakenError,
    QueueFullError,
    TooManyRequestsError,
    WorkerUnavailableError,
)
_BY_CODE = {kind.code: kind for kind in _KINDS}


def error_from_failure(failure: Failure) -> LatentFuError:
    """The error that it was on the other side."""
    kind = _BY_CODE.get(failure.code)
    return kind(failure.message) if kind else WorkError(failure.code, failure.message)


def error_from_body(status: int, body: bytes) -> LatentFuError:
    """The error that the body of an answer of that HTTP status speaks of."""
    try:
        failure = ErrorReply.model_validate_json(body).error
    except ValidationError:
        return errors.ServerError(f"The server refused the request with status {status}.")
    return error_from_failure(failure)
