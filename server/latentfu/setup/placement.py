"""Puts the plug-in into a GIMP profile and takes it out again."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from pathlib import Path

from latentfu.core.errors import StorageError
from latentfu.setup.package import MAIN, NAME, digest, plugin_files
from latentfu.setup.places import Profile


def place(source: Path, profile: Profile) -> bool:
    """Put the files of ``source`` where ``profile`` loads them; False when they were there already.

    The new copy is made beside and then renamed, so GIMP never finds half of it. The main file's
    time moves forward by at least a second: GIMP asks a plug-in again only when it has changed.
    Raises StorageError in one sentence.
    """
    target = profile.plug_ins / NAME
    try:
        if _is_current(source, target):
            return False
        profile.plug_ins.mkdir(parents=True, exist_ok=True)
        before = _main_time(target)
        with tempfile.TemporaryDirectory(prefix=".latentfu-", dir=profile.folder) as scratch:
            fresh = _copy(source, Path(scratch) / "new")
            moment = max(time.time(), before + 1)
            os.utime(fresh / MAIN, (moment, moment))
            _swap(fresh, target, Path(scratch) / "old")
    except OSError as error:
        raise StorageError(
            f"Could not write the plug-in to {target}: {error.strerror or error}; make room or "
            "give yourself the right to write there and try again."
        ) from error
    return True


def remove(profile: Profile) -> bool:
    """Take the plug-in out of ``profile``; False when it was not there."""
    target = profile.plug_ins / NAME
    try:
        if target.is_symlink():
            target.unlink()
        elif (target / MAIN).is_file():
            shutil.rmtree(target)
        else:
            return False
    except OSError as error:
        raise StorageError(
            f"Could not remove {target}: {error.strerror or error}; delete it by hand."
        ) from error
    return True


def _is_current(source: Path, target: Path) -> bool:
    main = target / MAIN
    if target.is_symlink() or not main.is_file():
        return False
    return os.access(main, os.X_OK) and digest(source) == digest(target)


def _swap(fresh: Path, target: Path, old: Path) -> None:
    had_one = target.is_symlink() or target.exists()
    if had_one:
        target.rename(old)
    try:
        fresh.rename(target)
    except OSError:
        if had_one:
            old.rename(target)
        raise


def _main_time(target: Path) -> float:
    try:
        return (target / MAIN).stat().st_mtime
    except OSError:
        return 0.0


def _copy(source: Path, target: Path) -> Path:
    for path in plugin_files(source):
        copy = target / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / path, copy)
        copy.chmod(0o755 if path.as_posix() == MAIN else 0o644)
    target.chmod(0o755)
    return target
