"""Errors a person reads: each message is one sentence saying what is wrong and what to do."""

from __future__ import annotations


class LatentFuError(Exception):
    """Base of all errors that are shown to the user without a traceback.

    ``code`` is a short stable word for programs (HTTP bodies and ``--json`` carry it);
    ``str(error)`` is the sentence for people.
    """

    code = "failed"


class BadInputError(LatentFuError):
    """The picture, mask, number or name that was given cannot be used."""

    code = "bad_input"


class NothingFoundError(BadInputError):
    """The aligner finds nothing to edit in the picture: a person can say where it is."""

    code = "nothing_found"


class TooLargeError(BadInputError):
    """The picture or request is larger than the house takes."""

    code = "too_large"


class NotInstalledError(LatentFuError):
    """A generator, inverter, control or other plug-in object of that name is not installed."""

    code = "not_installed"


class WrongGeneratorError(LatentFuError):
    """A latent or control belongs to another generator than the one in use."""

    code = "wrong_generator"


class CancelledError(LatentFuError):
    """The person who asked for the work no longer wants it."""

    code = "cancelled"

    def __init__(self, message: str = "The work was cancelled.") -> None:
        super().__init__(message)


class PluginFailedError(LatentFuError):
    """What a plug-in brought failed while it worked, or gave something else than it has to.

    The sentence names the object and its plug-in.
    """

    code = "plugin"


class OutOfMemoryError(LatentFuError):
    """The device has too little memory for the work."""

    code = "memory"

    def __init__(self, message: str = "") -> None:
        super().__init__(
            message or "The device has too little memory for this: try a smaller layer."
        )


class StorageError(LatentFuError):
    """A file could not be read or written (full disk, no permission, damaged file)."""

    code = "storage"


class ServerError(LatentFuError):
    """The server could not be reached, started or understood."""

    code = "server"


def is_memory_fault(error: BaseException) -> bool:
    """Whether an error of Python, numpy or torch says that memory has run out.

    >>> is_memory_fault(MemoryError()), is_memory_fault(ValueError("empty"))
    (True, False)
    """
    if isinstance(error, MemoryError) or "OutOfMemory" in type(error).__name__:
        return True
    said = str(error).lower()
    speaks = isinstance(error, (RuntimeError, ImportError))
    return speaks and any(words in said for words in _MEMORY_WORDS)


_MEMORY_WORDS = (
    "not enough memory", "can't allocate memory", "out of memory", "failed to map segment",
    "cannot allocate memory", "could not create a primitive",
)  # fmt: skip
"""What torch's allocators and oneDNN say, and the system where a library does not fit."""
