"""The default network chosen, and given up with the network itself."""

from __future__ import annotations

from latentfu.plugin_manager.default_choice import (
    check_generator_name,
    keep_default_generator,
    read_default_generator,
)
from latentfu.plugin_manager.registry import get_registry
from latentfu.plugin_objects import GeneratorSpec


def write_default_generator(name: str | None, *, check: bool = True) -> None:
    """Choose the network for where none is named, for all programs of this user.

    Args:
        name: the network; None takes the choice back.
        check: whether it must be installed by now.

    Raises:
        NotInstalledError: there is no such network.
        StorageError: the settings cannot be written.
    """
    if name is not None and check:
        check_generator_name(name, get_registry().installed(GeneratorSpec))
    keep_default_generator(name)


def drop_default_generator(name: str) -> str:
    """Take the choice back if it is a network that is being removed.

    Args:
        name: the network that goes.

    Returns:
        A sentence on what is used instead; empty if it was not the chosen one.

    Raises:
        StorageError: the settings cannot be written.
    """
    if read_default_generator() != name:
        return ""
    keep_default_generator(None)
    left = [one for one in get_registry().installed(GeneratorSpec) if one != name]
    used = f"{left[0]} is used now where none is named" if left else "none is left"
    return f"{name} was the default network: {used}."
