"""The networks that were imported: a plug-in of their own, so that a taken name harms only them."""

from __future__ import annotations

from latentfu import GeneratorSpec, hookimpl


@hookimpl
def latentfu_generators() -> list[GeneratorSpec]:
    """One generator for each file in the data folder."""
    from latentfu_builtin.checkpoints.import_checkpoint import list_imported

    return list_imported()
