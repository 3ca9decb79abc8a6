"""What can be chosen about the workers of a server."""

from __future__ import annotations

from latentfu import Setting, hookimpl, worker_settings


@hookimpl
def latentfu_settings() -> list[Setting]:
    """Whether plug-ins may use the network while they edit."""
    return worker_settings()
