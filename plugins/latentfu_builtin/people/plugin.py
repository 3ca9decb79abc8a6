"""What the renderer of people brings: one command."""

from __future__ import annotations

from latentfu import Command, hookimpl

from latentfu_builtin.lazy import later


@hookimpl
def latentfu_commands() -> list[Command]:
    """Rendering a sheet of people."""
    return [
        Command(
            ("render", "people"),
            "Render a sheet of people who never lived.",
            later("latentfu_builtin.people.cli:render_people_command"),
        )
    ]
