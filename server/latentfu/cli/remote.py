"""The running server as a place to work."""

from __future__ import annotations

from latentfu.cli.work import Place


def find_server() -> Place | None:
    """The server of this user if one answers, else None."""
    return None
