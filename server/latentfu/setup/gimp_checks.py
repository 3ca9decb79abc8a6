"""Why a GIMP does not show the plug-in: its folder, GIMP's list of plug-ins, GIMP's Python."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from latentfu.setup.gimp_placement import (
    MAIN,
    NAME,
    plugin_digest,
    plugin_files,
    program_call,
    source_folder,
)
from latentfu.setup.gimp_places import InstalledGimp, Profile, profile_roots

CheckState = Literal["ok", "note", "wrong"]


@dataclass(frozen=True)
class Check:
    """What was looked at, how it is, and what to do.

    ``name``: a stable short word ("run-bit"). ``state``: "note" is worth knowing but breaks
    nothing. ``remedy``: what to do, empty when there is nothing to do.
    """

    name: str
    state: CheckState
    message: str
    remedy: str = ""


def ok(name: str, message: str) -> Check:
    """All is well with ``name``."""
    return Check(name, "ok", message)


def note(name: str, message: str, remedy: str = "") -> Check:
    """Something a person should know about ``name``."""
    return Check(name, "note", message, remedy)


def wrong(name: str, message: str, remedy: str) -> Check:
    """``name`` keeps the menu entry away or the plug-in from working."""
    return Check(name, "wrong", message, remedy)


_ENTRY = re.compile(r'\(plug-in-def "([^"]+)" (\d+)')


_INTERPRETER = re.compile(r"^python3?=(.+)$", re.MULTILINE)
_PROBE_SECONDS = 30.0


_PATH_SETTING = re.compile(r'^\s*\(plug-in-path\s+"([^"]*)"', re.MULTILINE)


def check_profile(profile: Profile) -> Iterator[Check]:
    """Everything that can be wrong with the plug-in inside one profile."""
    folder = profile.plug_ins / NAME
    main = folder / MAIN
    if not main.is_file():
        yield from _missing(profile)
        return
    yield ok("placed", f"GIMP {profile.minor} has the plug-in in {folder}.")
    yield _run_bit(main)
    yield _copy(folder)
    yield _search_path(profile)
    yield _check_pluginrc(profile)


def check_strays() -> Iterator[Check]:
    """Copies in folders where no GIMP 3 ever looks."""
    for root, _ in profile_roots():
        for place in _stray_places(root):
            yield wrong(
                "wrong-folder",
                f"There is a copy of the plug-in in {place}, where GIMP 3 does not look.",
                f"Delete {place} and run: {program_call('gimp install')}",
            )


def _stray_places(root: Path) -> list[Path]:
    old = [root.parent / ".gimp-2.8", Path.home() / ".gimp-2.8", *root.glob("2.*")]
    folders = [root, *old]
    return [
        place
        for folder in folders
        for place in (folder / "plug-ins" / NAME, folder / "plug-ins" / MAIN)
        if place.exists()
    ]


def _missing(profile: Profile) -> Iterator[Check]:
    """Say how the plug-in was misplaced, or that it is not there at all."""
    loose = profile.plug_ins / MAIN
    if loose.is_file():
        yield wrong(
            "loose-file",
            f"{loose} lies loose in plug-ins; GIMP 3 loads only {NAME}/{MAIN}.",
            f"Delete it and run: {program_call('gimp install')}",
        )
        return
    for found in sorted(profile.plug_ins.glob(f"*/{MAIN}")):
        yield wrong(
            "folder-name",
            f"The folder {found.parent.name} and the file {MAIN} have different names, so GIMP "
            "skips the plug-in.",
            f"Delete {found.parent} and run: {program_call('gimp install')}",
        )
        return
    nested = profile.plug_ins / NAME / NAME / MAIN
    if nested.is_file():
        message = f"The plug-in lies one folder too deep, in {nested.parent}."
        yield wrong(
            "folder-name",
            message,
            f"Delete {nested.parents[1]} and run: {program_call('gimp install')}",
        )
        return
    yield wrong(
        "placed",
        f"GIMP {profile.minor} has no plug-in in {profile.plug_ins}.",
        program_call("gimp install"),
    )


def _run_bit(main: Path) -> Check:
    if sys.platform == "win32" or os.access(main, os.X_OK):
        return ok("run-bit", "The main file may be run.")
    return wrong("run-bit", f"{main} is not executable, so GIMP skips it.", f"chmod +x {main}")


def _copy(folder: Path) -> Check:
    if plugin_digest(folder) == plugin_digest(source_folder()):
        return ok("copy", "The copy is the one of this version.")
    return wrong(
        "copy", f"{folder} is not the copy that this version brings.", program_call("gimp install")
    )


def _search_path(profile: Profile) -> Check:
    """A ``plug-in-path`` in gimprc replaces the default one."""
    for gimprc in (profile.folder / "gimprc", Path(f"/etc/gimp/{profile.minor}/gimprc")):
        try:
            settings = _PATH_SETTING.findall(gimprc.read_text(encoding="utf-8", errors="replace"))
        except OSError:
            continue
        if not settings:
            continue
        entries = settings[-1].split(os.pathsep)
        own = {"${gimp_dir}/plug-ins", "${gimp_dir}\\plug-ins", str(profile.plug_ins)}
        if own.isdisjoint(entry.rstrip("/\\") for entry in entries):
            return wrong(
                "search-path",
                f"The plug-in-path in {gimprc} leaves out {profile.plug_ins}.",
                "Add ${gimp_dir}/plug-ins to it, or remove the line (Edit > Preferences > "
                "Folders > Plug-ins).",
            )
        break
    return ok("search-path", "GIMP's search path has the folder.")


def check_minor(minor: str, profile: Profile, others: list[Profile]) -> Check | None:
    """A plug-in placed for another minor version than the GIMP that is installed."""
    if (profile.plug_ins / NAME / MAIN).is_file():
        return None
    elsewhere = [p for p in others if p.minor != minor and (p.plug_ins / NAME / MAIN).is_file()]
    if not elsewhere:
        return None
    return wrong(
        "wrong-folder",
        f"The plug-in is in GIMP {elsewhere[0].minor}'s folder, but GIMP {minor} is installed and "
        f"looks in {profile.plug_ins}.",
        program_call("gimp install"),
    )


def never_started(profile: Profile) -> Check:
    """A GIMP whose folder does not exist yet."""
    return note(
        "placed",
        f"GIMP {profile.minor} has not been started yet; its folder {profile.folder} is missing.",
        program_call("gimp install"),
    )


def _check_pluginrc(profile: Profile) -> Check:
    """Compare GIMP's list with the files on disk."""
    folder = profile.plug_ins / NAME
    main_time = int((folder / MAIN).stat().st_mtime)
    try:
        listing = profile.folder / "pluginrc"
        listed = _listed_time(listing, folder / MAIN)
        written = int(listing.stat().st_mtime)
    except OSError:
        return note("pluginrc", "GIMP has not made its list of plug-ins yet.", "Start GIMP.")
    newest = max(int((folder / path).stat().st_mtime) for path in plugin_files(folder))
    if listed is None and written <= main_time:
        return note("pluginrc", "GIMP was not started since the plug-in came.", "Start GIMP again.")
    if listed is None:
        return wrong(
            "pluginrc",
            f"GIMP was started since and did not take the plug-in into {listing}.",
            "Put right what else is wrong here, then run `touch "
            f"{folder / MAIN}` and start GIMP from a terminal to see its message.",
        )
    if listed != main_time:
        return note("pluginrc", "GIMP knows an older state of it.", "Start GIMP again.")
    if newest > written:
        return wrong(
            "pluginrc",
            "Files of the plug-in have changed, but GIMP asks it again only when the main file "
            "has a new time.",
            f"touch {folder / MAIN} and start GIMP again",
        )
    return ok("pluginrc", "GIMP has it in its list of plug-ins.")


def _listed_time(listing: Path, main: Path) -> int | None:
    """The time of the main file as GIMP noted it, None when it has no entry."""
    text = listing.read_text(encoding="utf-8", errors="replace")
    for path, moment in _ENTRY.findall(text):
        normal = path.replace("\\\\", "/").replace("\\", "/")
        if normal == main.as_posix() or normal == f"${{gimp_dir}}/plug-ins/{NAME}/{MAIN}":
            return int(moment)
    return None


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
            f"GIMP's Python cannot load GIMP's bindings ({tried}: {reason}).",
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
            f"{program_call('gimp install')} (and report the message if it stays)",
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
            timeout=_PROBE_SECONDS,
            check=True,
        )
        found: dict[str, str | None] = json.loads(done.stdout.decode().splitlines()[-1])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None
    return found
