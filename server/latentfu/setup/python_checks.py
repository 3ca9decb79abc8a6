"""Can the Python that GIMP uses load the plug-in?"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from latentfu.setup.checks import Check, note, ok, wrong
from latentfu.setup.command import typed
from latentfu.setup.places import InstalledGimp

_INTERPRETER = re.compile(r"^python3?=(.+)$", re.MULTILINE)
_SECONDS = 30.0

# Runs the plug-in's main file as GIMP would, with the call into GIMP taken out.
_PROBE = """
import json, os, runpy, sys
main = sys.argv[1]
result = {"version": "%d.%d" % sys.version_info[:2], "gi": None, "plug_in": None}
folder = os.path.dirname(main)
for place, _, names in os.walk(folder):
    for name in names:
        if name.endswith(".py"):
            path = os.path.join(place, name)
            try:
                with open(path, "rb") as file:
                    compile(file.read(), path, "exec")
            except Exception as error:
                result["plug_in"] = "%s: %s" % (name, error)
try:
    import gi
    gi.require_version("Gimp", "3.0")
    from gi.repository import Gimp
except Exception as error:
    result["gi"] = "%s: %s" % (type(error).__name__, error)
else:
    if result["plug_in"] is None:
        Gimp.main = lambda *arguments: 0
        sys.argv = [main]
        sys.path.insert(0, folder)
        try:
            runpy.run_path(main, run_name="__main__")
        except SystemExit as stop:
            if stop.code not in (None, 0):
                result["plug_in"] = "it stops with %r" % (stop.code,)
        except BaseException as error:
            result["plug_in"] = "%s: %s" % (type(error).__name__, error)
sys.stdout.flush()
print("\\n" + json.dumps(result))
"""


def check_python(gimp: InstalledGimp, main: Path) -> Iterator[Check]:
    """Load ``main`` under GIMP's Python and say what it is missing."""
    pythons = _pythons(gimp)
    results = [(python, _probe(python, main)) for python in pythons]
    usable = [(python, found) for python, found in results if found and not found["gi"]]
    if not usable:
        tried = ", ".join(" ".join(python) for python in pythons) or "no python3 at all"
        reason = next((found["gi"] for _, found in results if found), "it does not run")
        yield wrong(
            "python",
            f"GIMP's Python can not load GIMP's bindings ({tried}: {reason}).",
            "Install them: on Debian and Ubuntu `apt install python3-gi gir1.2-gtk-3.0`, on "
            "Fedora `dnf install python3-gobject`; other systems' GIMP brings them.",
        )
        return
    python, found = usable[0]
    yield ok("python", f"{' '.join(python)} (Python {found['version']}) has GIMP's bindings.")
    for other, result in results:
        if other != python and (not result or result["gi"]):
            yield note(
                "python-path",
                f"{' '.join(other)} comes first in this terminal's PATH and has no GIMP bindings: "
                "GIMP started from here will not show the plug-in.",
                "Start GIMP from the desktop's menu, or with /usr/bin first in PATH.",
            )
    if found["plug_in"]:
        yield wrong(
            "loads",
            f"The plug-in does not load in GIMP's Python: {found['plug_in']}.",
            f"{typed('gimp install')} (and report the message if it stays)",
        )
    else:
        yield ok("loads", "The plug-in loads in GIMP's Python.")


def _pythons(gimp: InstalledGimp) -> list[list[str]]:
    """Commands of the Pythons that GIMP may take, the likeliest first."""
    if gimp.packaging == "flatpak":
        return [["flatpak", "run", "--command=python3", "org.gimp.GIMP"]]
    if gimp.packaging == "snap":
        return [["snap", "run", "--shell", "gimp", "-c", 'exec python3 "$@"', "python3"]]
    named = [python for python in _interpreter_files(gimp) if Path(python).is_file()]
    if named:
        return [[named[0]]]
    beside = Path(gimp.command[0]).with_name("pythonw.exe" if os.name == "nt" else "python3")
    desktop = Path("/usr/bin/python3")
    candidates = [shutil.which("python3", path=_outer_path()), str(desktop), str(beside)]
    existing = [c for c in candidates if c and Path(c).is_file()]
    return [[python] for python in dict.fromkeys(existing)]


def _interpreter_files(gimp: InstalledGimp) -> list[str]:
    """What GIMP's own ``interpreters/*.interp`` files name for Python."""
    prefix = Path(gimp.command[0]).resolve().parent.parent
    found: list[str] = []
    for pattern in ("lib*/gimp/3.*/interpreters", "lib*/*/gimp/3.*/interpreters"):
        for file in sorted(prefix.glob(f"{pattern}/*.interp")):
            found += _INTERPRETER.findall(file.read_text(encoding="utf-8", errors="replace"))
    return [path.strip() for path in found]


def _outer_path() -> str:
    """PATH without the virtual environment that this program runs in."""
    own = Path(sys.executable).parent
    entries = os.environ.get("PATH", "").split(os.pathsep)
    return os.pathsep.join(entry for entry in entries if entry and Path(entry) != own)


def _probe(python: list[str], main: Path) -> dict[str, str | None] | None:
    """The probe's findings, None when that Python does not run."""
    try:
        done = subprocess.run(
            [*python, "-B", "-c", _PROBE, str(main)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_SECONDS,
            check=True,
        )
        found: dict[str, str | None] = json.loads(done.stdout.decode().splitlines()[-1])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None
    return found
