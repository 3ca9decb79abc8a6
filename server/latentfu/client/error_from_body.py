"""From an error body back to the error that it was."""

from __future__ import annotations

from pydantic import ValidationError

from latentfu.core import errors
from latentfu.jobs.errors import (
    ConflictError,
    NotFoundError,
    OvertakenError,
    QueueFullError,
    WorkError,
    WorkerUnavailableError,
)
from latentfu.protocol.schemas import ErrorReply, Failure

_KINDS: tuple[type[errors.LatentFuError], ...] = (
    errors.BadInputError,
    errors.TooLargeError,
    errors.NotInstalledError,
    errors.WrongGeneratorError,
    errors.CancelledError,
    errors.StorageError,
    ConflictError,
    NotFoundError,
    OvertakenError,
    QueueFullError,
    WorkerUnavailableError,
)
_BY_CODE = {kind.code: kind for kind in _KINDS}


def refusal(status: int, body: bytes, failure: Failure | None = None) -> errors.LatentFuError:
    """The error that ``body`` (or ``failure``) speaks of."""
    if failure is None:
        try:
            failure = ErrorReply.model_validate_json(body).error
        except ValidationError:
            return errors.ServerError(f"The server refused the request with status {status}.")
    kind = _BY_CODE.get(failure.code)
    if kind is not None:
        return kind(failure.message)
    return WorkError(failure.code, failure.message)
