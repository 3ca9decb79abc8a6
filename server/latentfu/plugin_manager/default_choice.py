"""The default network: the one that works where none is named, as a person chose it.

The choice is a setting, read whenever it is needed, so that it counts at once in every program.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from latentfu.core.errors import NotInstalledError
from latentfu.core.setting import Setting
from latentfu.storage.settings import read_setting, reset_setting, write_setting

T = TypeVar("T")

DEFAULT_GENERATOR = Setting(
    "generators", "default", "Default network", "", "text", "The network where none is named."
)
"""Kept with the settings of plug-ins; ``LATENTFU_GENERATORS_DEFAULT`` comes before it."""


def read_default_generator() -> str:
    """The network that was chosen for where none is named, installed or not.

    Returns:
        Its name; empty where none was chosen: then the first that is installed is used.
    """
    return str(read_setting(DEFAULT_GENERATOR))


def keep_default_generator(name: str | None) -> None:
    """Write the choice down, without a look at what is installed; StorageError."""
    if name is None:
        reset_setting(DEFAULT_GENERATOR)
    else:
        write_setting(DEFAULT_GENERATOR, name)


def describe_default(names: Mapping[str, object], used: str) -> str:
    """What is wrong with the choice, as a sentence; empty if nothing is.

    Args:
        names: what is installed.
        used: the network that works instead.
    """
    chosen = read_default_generator()
    if not chosen or chosen in names:
        return ""
    return (
        f"The default network {chosen} is not installed: {used or 'none'} is used "
        f"(latentfu generators default chooses)."
    )


def default_first(table: Mapping[str, T]) -> dict[str, T]:
    """Generators by name with the chosen one before the others, which keep their order."""
    chosen = read_default_generator()
    return {name: table[name] for name in sorted(table, key=lambda name: name != chosen)}


def check_generator_name(name: str, installed: Mapping[str, object]) -> None:
    """NotInstalledError, with what there is, for the name of no installed network."""
    if name not in installed:
        known = ", ".join(installed) or "none"
        raise NotInstalledError(f"There is no generator {name!r}; installed: {known}.")
