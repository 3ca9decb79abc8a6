"""Errors a person reads in GIMP: one sentence saying what is wrong and what to do."""

from __future__ import annotations

from .translate import _


class PluginError(Exception):
    """Shown to the user as it is."""


class StoppedError(PluginError):
    """The user no longer wants the work."""

    def __init__(self) -> None:
        super().__init__(_("The work was cancelled."))


class ServerGoneError(PluginError):
    """The server does not answer (any more)."""


class NoPortraitError(PluginError):
    """The server finds no face in the layer."""


class UnusableServerError(PluginError):
    """A server runs that nobody can use; ``pid`` is its process."""

    def __init__(self, message: str, pid: int) -> None:
        super().__init__(message)
        self.pid = pid


class TokenLostError(UnusableServerError):
    """It no longer takes the token in our folder."""


class SilentServerError(UnusableServerError):
    """Its process is there and does not answer."""
