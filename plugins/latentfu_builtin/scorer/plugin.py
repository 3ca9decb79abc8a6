"""The command that trains scorers."""

from __future__ import annotations

from latentfu import Command, hookimpl

from latentfu_builtin.lazy import later


@hookimpl
def latentfu_commands() -> list[Command]:
    """``latentfu train scorer``."""
    return [
        Command(
            ("train", "scorer"),
            "Train a scorer, which reads factors back from pictures.",
            later("latentfu_builtin.scorer.cli:train_scorer_command"),
        ),
    ]
