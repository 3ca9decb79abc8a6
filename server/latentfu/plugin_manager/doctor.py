"""Trying each plug-in in a process of its own: that survives one that hangs or crashes."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from latentfu.plugin_manager.plugin import PluginStatus
from latentfu.plugin_manager.sources import Source, all_sources, disabled_names

SLOW_SECONDS = 2.0
PROGRAM_FOLDERS = ("latentfu", "latentfu_builtin")
_MARK = "latentfu-doctor:"


@dataclass(frozen=True)
class Finding:
    """What was found out about one plug-in; ``well``: nothing needs to be done."""

    name: str
    origin: str
    state: Literal["ok", "off", "slow", "broken", "hangs", "dies"]
    well: bool
    seconds: float
    message: str
    traceback: str = ""


def examine_all(limit_seconds: float) -> Iterator[Finding]:
    """One finding per plug-in, in order, and one per package that overwrites the program.

    Nothing is imported into this process.
    """
    yield from _examine_plugins(limit_seconds)
    for name in _overwriting_packages():
        told = (
            f"has files of the program itself: uninstall {name}, then install latentfu again "
            f"(pip install --force-reinstall --no-deps latentfu)"
        )
        yield Finding(name, f"package {name}", "broken", False, 0.0, told)


def _overwriting_packages() -> list[str]:
    """Installed packages of others that put files into ``latentfu`` or ``latentfu_builtin``."""
    found = set()
    for package in metadata.distributions():
        name = package.metadata["Name"] or ""
        if name.lower().replace("_", "-") == "latentfu":
            continue
        if any(path.parts[0] in PROGRAM_FOLDERS for path in package.files or () if path.parts):
            found.add(name)
    return sorted(found)


def _examine_plugins(limit_seconds: float) -> Iterator[Finding]:
    off = disabled_names()
    for position, source in enumerate(all_sources()):
        if source.name in off:
            told = f"is switched off (latentfu plugins enable {source.name})"
            yield Finding(source.name, source.origin, "off", True, 0.0, told)
        else:
            yield _examine(source, position, limit_seconds)


def _examine(source: Source, position: int, limit_seconds: float) -> Finding:
    began = time.perf_counter()
    command = [sys.executable, "-m", "latentfu.plugin_manager.doctor", str(position)]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=limit_seconds,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except subprocess.TimeoutExpired:
        told = (
            f"has not come back after {limit_seconds:g} s: it hangs when imported or called; "
            f"switch it off with: latentfu plugins disable {source.name}"
        )
        return Finding(source.name, source.origin, "hangs", False, limit_seconds, told)
    seconds = round(time.perf_counter() - began, 3)
    return _judge(source, done, seconds)


def _judge(source: Source, done: subprocess.CompletedProcess[str], seconds: float) -> Finding:
    lines = [line for line in done.stdout.splitlines() if line.startswith(_MARK)]
    if not lines:
        told = f"ended the whole process (exit code {done.returncode}) instead of raising an error"
        return Finding(source.name, source.origin, "dies", False, seconds, told)
    report = json.loads(lines[-1].removeprefix(_MARK))
    if report["reason"]:
        return Finding(
            source.name,
            source.origin,
            "broken",
            False,
            seconds,
            report["reason"],
            report["traceback"],
        )
    taken = report["seconds"]
    if taken > SLOW_SECONDS:
        heavy = " and imports torch; import torch inside load functions" if report["torch"] else ""
        told = f"works, but takes {taken:.1f} s to list{heavy}"
        return Finding(source.name, source.origin, "slow", False, seconds, told)
    told = "; ".join([f"works ({taken * 1000:.0f} ms)", *report["old_names"]])
    return Finding(source.name, source.origin, "ok", True, seconds, told)


def _own_status(source: Source) -> PluginStatus:
    """The plug-in with its first-party elders absent: only its own faults show."""
    from latentfu.plugin_manager.registry import Registry

    return Registry([source]).statuses()[0]


def _count_waiting_seconds() -> float:
    """Seconds for which this thread was ready and no core was free; 0 where no system tells.

    They are the machine's: on a busy one no plug-in is slow for that.
    """
    try:
        return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


def _child(position: int) -> None:
    import os
    import warnings

    from latentfu.core.deprecation import OldNameWarning

    began, waited = time.perf_counter(), _count_waiting_seconds()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", OldNameWarning)
        status = _own_status(all_sources()[position])
    report = {
        "reason": status.reason,
        "traceback": status.traceback,
        "old_names": sorted(
            {str(one.message) for one in caught if issubclass(one.category, OldNameWarning)}
        ),
        "seconds": time.perf_counter() - began - (_count_waiting_seconds() - waited),
        "torch": "torch" in sys.modules,
    }
    print(f"\n{_MARK}{json.dumps(report)}", flush=True)
    os._exit(0)  # threads that the plug-in left behind must not keep the process


if __name__ == "__main__":
    _child(int(sys.argv[1]))
