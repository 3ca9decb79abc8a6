"""Plug-ins switched on and off by name, for the command line and the server alike."""

from __future__ import annotations

from latentfu.core.errors import NotInstalledError
from latentfu.plugin_manager.deaths import forget_deaths
from latentfu.plugin_manager.sources import all_sources, disabled_names, set_disabled


def switch_plugin(name: str, disabled: bool) -> bool:
    """Switch a plug-in off or on; whether that changed anything.

    Nothing is imported, so that a plug-in that hangs can be switched off. Switched on, its
    ends of whole processes are forgotten.

    Raises:
        NotInstalledError: there is no such plug-in.
        StorageError: the choice cannot be written.
    """
    known = [source.name for source in all_sources()]
    if name not in known and name not in disabled_names():
        raise NotInstalledError(
            f"There is no plug-in {name!r}; installed: {', '.join(known) or 'none'}."
        )
    changed = set_disabled(name, disabled)
    if not disabled:
        changed = forget_deaths(name) or changed
    return changed
