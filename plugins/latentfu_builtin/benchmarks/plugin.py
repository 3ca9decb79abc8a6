"""What the benchmarks bring: ``latentfu bench`` for the built-in networks and methods.

Each compares with a plain version of what was published, which stands beside it.
"""

from __future__ import annotations

import importlib
from functools import partial
from typing import TYPE_CHECKING

from latentfu import Command, hookimpl

if TYPE_CHECKING:
    import click


def _load(name: str) -> click.Command:
    module = importlib.import_module(f"latentfu_builtin.benchmarks.{name}")
    command: click.Command = getattr(module, f"{name}_command")
    return command


@hookimpl
def latentfu_commands() -> list[Command]:
    """``latentfu bench boundary``, ``hessian``, ``inversion`` and ``render``."""
    lines = {
        "boundary": "Training a boundary, against scikit-learn.",
        "hessian": "Finding deformations, against the paper's way.",
        "inversion": "Quality against time of every inverter.",
        "render": "Rendering against a plain version.",
    }
    return [Command(("bench", name), line, partial(_load, name)) for name, line in lines.items()]
