"""Networks that a person imported, each a file of the data folder, as a plug-in of its own."""

from __future__ import annotations

from latentfu import GeneratorSpec, WatchedFolder, data_dir, hookimpl


@hookimpl
def latentfu_generators() -> list[GeneratorSpec]:
    """One generator for each file in the data folder."""
    from latentfu_builtin.checkpoints.import_checkpoint import list_imported

    return list_imported()


@hookimpl
def latentfu_watched_folders() -> list[WatchedFolder]:
    """Where imported networks are put: a running server offers a new one."""
    return [WatchedFolder("imported-generators", data_dir() / "generators")]
