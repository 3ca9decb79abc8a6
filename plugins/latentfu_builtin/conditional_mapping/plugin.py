"""What this package brings: controls that take a reference picture, and how they are trained."""

from __future__ import annotations

from latentfu import Command, Control, GeneratorSpec, WatchedFolder, hookimpl

from latentfu_builtin.conditional_mapping.mapping_controls import list_mapping_controls
from latentfu_builtin.conditional_mapping.mapping_file import mappings_folder
from latentfu_builtin.lazy import later

_ROOM = "latentfu_builtin.conditional_mapping"


@hookimpl
def latentfu_controls(generator: GeneratorSpec) -> list[Control]:
    """The mappings that were trained on this machine for the generator."""
    return list_mapping_controls(mappings_folder(), generator.id)


@hookimpl
def latentfu_watched_folders() -> list[WatchedFolder]:
    """Where trained mappings are put: a running server uses a new one."""
    return [WatchedFolder("conditional-mappings", mappings_folder())]


@hookimpl
def latentfu_commands() -> list[Command]:
    """Training one, and comparing it with what directions do."""
    return [
        Command(
            ("train", "conditional-mapping"),
            "Learn to edit by a reference picture.",
            later(f"{_ROOM}.cli:train_conditional_mapping_command"),
        ),
        Command(
            ("evaluate", "transfer"),
            "Compare the ways to edit by a reference.",
            later(f"{_ROOM}.cli:evaluate_transfer_command"),
        ),
    ]
