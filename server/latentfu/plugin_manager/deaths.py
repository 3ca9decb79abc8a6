"""Plug-ins that end the whole process while they are imported or asked, or never come back.

Such an end cannot be caught. So the name of a plug-in stands in a file of the process while it
is at work; the next process finds the file of one that is gone, and knows who it was.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from latentfu.core.errors import StorageError
from latentfu.core.paths import cache_dir, make_private
from latentfu.plugin_manager.sources import Source
from latentfu.storage.atomic import keep_if_locked, lock_or_fail, write_whole

MOST_DEATHS = 2
"""After so many a plug-in is set aside until it is installed or enabled again."""
_REMEMBERED_S = 7 * 86_400.0
"""A death that long after the one before is a first one."""

_log = logging.getLogger(__name__)


def _folder() -> Path:
    return cache_dir() / "plugins-at-work"


def _deaths_path() -> Path:
    return cache_dir() / "plugin-deaths.json"


@dataclass(frozen=True)
class AtWork:
    """The plug-in that a process has been importing or asking since ``started`` (time.time())."""

    name: str
    stamp: str
    started: float


def read_at_work(pid: int) -> AtWork | None:
    """Which plug-in the process ``pid`` is importing or asking, or was when it ended."""
    return _read(_folder() / str(pid))


def _read(path: Path) -> AtWork | None:
    try:
        return AtWork(**json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


class DeathWatch:
    """Says which plug-in this process is at, and knows which ended others before."""

    def __init__(self) -> None:
        self._counts = _collect_deaths()

    @contextlib.contextmanager
    def watch(self, source: Source) -> Iterator[None]:
        """While the plug-in works; the program's own are not watched."""
        path = _folder() / str(os.getpid())
        file = None if source.is_ours else _open_locked(path)
        if file is None:
            yield
            return
        with file:
            file.write(json.dumps(asdict(AtWork(source.name, source.stamp, time.time()))).encode())
            try:
                yield
            finally:
                path.unlink(missing_ok=True)

    def why_set_aside(self, source: Source) -> str:
        """The reason, empty for one that may be tried."""
        stamp, count, _ = self._counts.get(source.name, ("", 0, 0.0))
        if count < MOST_DEATHS or stamp != source.stamp:
            return ""
        return (
            f"ended the whole program, or hung, {count} times while it was imported or asked: "
            f"latentfu plugins doctor says which; latentfu plugins enable {source.name} tries it "
            f"again"
        )


def _open_locked(path: Path) -> IO[bytes] | None:
    """The file, locked as long as it is open; None where none can be written."""
    try:
        make_private(path.parent)
        file = path.open("wb", buffering=0)
    except (OSError, StorageError):
        return None
    return keep_if_locked(file)


def forget_deaths(name: str) -> bool:
    """Try ``name`` again; says whether it was known for any."""
    counts = _read_counts()
    found = counts.pop(name, None) is not None
    if found:
        _write_counts(counts)
    return found


_Counts = dict[str, tuple[str, int, float]]
"""Stamp, number of deaths and when the last one began, by plug-in."""


def _collect_deaths() -> _Counts:
    """The deaths, with those since the last time."""
    counts = _read_counts()
    changed = False
    for path in _left_behind():
        dead = _read(path)
        path.unlink(missing_ok=True)
        if dead is None:
            continue
        stamp, count, last = counts.get(dead.name, ("", 0, 0.0))
        is_again = stamp == dead.stamp and dead.started - last < _REMEMBERED_S
        count = count + 1 if is_again else 1
        counts[dead.name] = (dead.stamp, count, dead.started)
        changed = True
        _log.warning(
            "The plug-in %s ended a process while it was imported or asked%s",
            dead.name,
            ": it is set aside." if count >= MOST_DEATHS else "; once more, and it is set aside.",
        )
    if changed:
        _write_counts(counts)
    return counts


def _left_behind() -> Iterator[Path]:
    """Files of processes that are gone: those that nobody holds."""
    try:
        paths = sorted(_folder().iterdir())
    except OSError:
        return
    for path in paths:
        if path.name == str(os.getpid()):
            continue
        try:
            with path.open("r+b") as file:
                lock_or_fail(file.fileno())
        except OSError:
            continue
        yield path


def _read_counts() -> _Counts:
    try:
        content = json.loads(_deaths_path().read_text("utf-8"))
        return {str(k): (str(stamp), int(n), float(at)) for k, (stamp, n, at) in content.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _write_counts(counts: _Counts) -> None:
    with contextlib.suppress(StorageError):
        write_whole(_deaths_path(), json.dumps(counts).encode())
