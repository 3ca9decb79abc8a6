"""What parameter deformations bring: commands to find, keep and import them."""

from __future__ import annotations

from latentfu import Command, hookimpl

from latentfu_builtin.lazy import later

_COMMANDS = (
    ("discover", "Find deformations of a layer.", "discover_command"),
    ("train", "Train those that are easy to recognize.", "train_deformations_command"),
    ("keep", "Keep a found one by name.", "keep_deformation_command"),
    ("import", "Take in published files.", "import_deformations_command"),
    ("download", "Fetch a set that the authors published.", "download_deformations_command"),
    ("list", "List a generator's.", "list_deformations_command"),
)


@hookimpl
def latentfu_commands() -> list[Command]:
    """``latentfu deformations ...``."""
    return [
        *(
            Command(
                ("deformations", word),
                line,
                later(f"latentfu_builtin.deformations.commands:{name}"),
            )
            for word, line, name in _COMMANDS
        ),
    ]
