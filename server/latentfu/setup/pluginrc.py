"""GIMP's own list of plug-ins, ``pluginrc``: did it see ours, and the present state of it?"""

from __future__ import annotations

import re
from pathlib import Path

from latentfu.setup.checks import Check, note, ok, wrong
from latentfu.setup.package import MAIN, NAME, plugin_files
from latentfu.setup.places import Profile

_ENTRY = re.compile(r'\(plug-in-def "([^"]+)" (\d+)')


def check_pluginrc(profile: Profile) -> Check:
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
