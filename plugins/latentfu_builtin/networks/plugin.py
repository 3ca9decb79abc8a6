"""What can be chosen about networks, whoever brings them."""

from __future__ import annotations

from latentfu import Setting, hookimpl, network_settings


@hookimpl
def latentfu_settings() -> list[Setting]:
    """How much memory networks may hold, and for how long."""
    return network_settings()
