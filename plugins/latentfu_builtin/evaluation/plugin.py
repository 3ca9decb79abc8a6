"""What the evaluation brings: ``latentfu evaluate GENERATOR``."""

from __future__ import annotations

from latentfu import Command, hookimpl

from latentfu_builtin.lazy import later


@hookimpl
def latentfu_commands() -> list[Command]:
    """``latentfu evaluate generator``, which is also meant by ``latentfu evaluate NAME``."""
    return [
        Command(
            ("evaluate", "generator"),
            "Measure any generator against a folder or renders.",
            later("latentfu_builtin.evaluation.cli:evaluate_generator_command"),
        )
    ]
