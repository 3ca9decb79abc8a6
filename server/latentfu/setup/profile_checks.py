"""Is the plug-in where a GIMP profile loads it, whole, and allowed to run?"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from latentfu.setup.checks import Check, note, ok, wrong
from latentfu.setup.command import typed
from latentfu.setup.package import MAIN, NAME, digest, source_folder
from latentfu.setup.places import Profile, profile_roots
from latentfu.setup.pluginrc import check_pluginrc

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
    yield check_pluginrc(profile)


def check_strays() -> Iterator[Check]:
    """Copies in folders where no GIMP 3 ever looks."""
    for root, _ in profile_roots():
        for place in _stray_places(root):
            yield wrong(
                "wrong-folder",
                f"There is a copy of the plug-in in {place}, where GIMP 3 does not look.",
                f"Delete {place} and run: {typed('gimp install')}",
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
            f"Delete it and run: {typed('gimp install')}",
        )
        return
    for found in sorted(profile.plug_ins.glob(f"*/{MAIN}")):
        yield wrong(
            "folder-name",
            f"The folder {found.parent.name} and the file {MAIN} have different names, so GIMP "
            "skips the plug-in.",
            f"Delete {found.parent} and run: {typed('gimp install')}",
        )
        return
    nested = profile.plug_ins / NAME / NAME / MAIN
    if nested.is_file():
        message = f"The plug-in lies one folder too deep, in {nested.parent}."
        yield wrong(
            "folder-name", message, f"Delete {nested.parents[1]} and run: {typed('gimp install')}"
        )
        return
    yield wrong(
        "placed",
        f"GIMP {profile.minor} has no plug-in in {profile.plug_ins}.",
        typed("gimp install"),
    )


def _run_bit(main: Path) -> Check:
    if sys.platform == "win32" or os.access(main, os.X_OK):
        return ok("run-bit", "The main file may be run.")
    return wrong("run-bit", f"{main} is not executable, so GIMP skips it.", f"chmod +x {main}")


def _copy(folder: Path) -> Check:
    if digest(folder) == digest(source_folder()):
        return ok("copy", "The copy is the one of this version.")
    return wrong(
        "copy", f"{folder} is not the copy that this version brings.", typed("gimp install")
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
        typed("gimp install"),
    )


def never_started(profile: Profile) -> Check:
    """A GIMP whose folder does not exist yet."""
    return note(
        "placed",
        f"GIMP {profile.minor} has not been started yet; its folder {profile.folder} is missing.",
        typed("gimp install"),
    )
