"""What the benchmarks bring: ``latentfu bench`` for the built-in networks and methods.

Most compare with a plain version of what was published, which stands beside it.
"""

from __future__ import annotations

from latentfu import Command, hookimpl

from latentfu_builtin.lazy import later


@hookimpl
def latentfu_commands() -> list[Command]:
    """``latentfu bench`` with these names."""
    lines = {
        "boundary": "Training a boundary, against scikit-learn.",
        "hessian": "Finding deformations, against the paper's way.",
        "inversion": "Quality against time of every inverter.",
        "photographs": "What edits leave of your photographs.",
        "real": "The waits with a network of the published size.",
        "render": "Rendering against a plain version.",
    }
    return [
        Command(("bench", name), line, later(f"latentfu_builtin.benchmarks.{name}:{name}_command"))
        for name, line in lines.items()
    ]
