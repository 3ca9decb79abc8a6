"""Losses from the files of a folder: a running server offers one as soon as its file is there."""

import latentfu


@latentfu.hookimpl
def latentfu_watched_folders():
    return [latentfu.WatchedFolder(name="teapots", path=latentfu.data_dir() / "teapots")]
