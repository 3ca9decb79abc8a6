"""The networks that were imported: a plug-in of their own, so that a taken name harms only them."""

from __future__ import annotations

from latentfu import GeneratorSpec, WatchedFolder, data_dir, hookimpl


@hookimpl
def latentfu_generators() -> list[GeneratorSpec]:
    """One generator for each file in the data folder."""
    from latentfu_builtin.checkpoints.imported import installed

    return installed()


@hookimpl
def latentfu_watched_folders() -> list[WatchedFolder]:
    """Where imported networks are put: a running server offers a new one."""
    return [WatchedFolder("imported-generators", data_dir() / "generators")]
