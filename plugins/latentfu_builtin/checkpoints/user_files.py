"""Networks that a person imported, each a file of the data folder, as a plug-in of its own."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from latentfu import GeneratorSpec, WatchedFolder, data_dir, hookimpl

from latentfu_builtin.lazy import call_later


@hookimpl
def latentfu_generators() -> list[GeneratorSpec]:
    """One generator for each file in the data folder."""
    from latentfu_builtin.checkpoints.import_checkpoint import list_imported

    remove = call_later("latentfu_builtin.checkpoints.remove_network:remove_for_server")
    return [replace(spec, remove=partial(remove, spec.name)) for spec in list_imported()]


@hookimpl
def latentfu_watched_folders() -> list[WatchedFolder]:
    """Where imported networks are put: a running server offers a new one."""
    return [WatchedFolder("imported-generators", data_dir() / "generators")]
