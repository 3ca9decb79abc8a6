"""``latentfu gimp doctor``: why is the menu entry missing?"""

from __future__ import annotations

from collections.abc import Iterator

from latentfu.setup.checks import Check, note, ok, wrong
from latentfu.setup.command import typed
from latentfu.setup.install import sandbox_note
from latentfu.setup.package import MAIN, NAME
from latentfu.setup.places import InstalledGimp, Profile, installed_gimps, profile_for, profiles
from latentfu.setup.profile_checks import (
    check_minor,
    check_profile,
    check_strays,
    never_started,
)
from latentfu.setup.python_checks import check_python
from latentfu.setup.server_checks import check_program, check_server, config_notes


def examine() -> list[Check]:
    """Every check in the order in which a person would go through them."""
    gimps = installed_gimps()
    threes = [gimp for gimp in gimps if gimp.is_three]
    known = profiles()
    found = [_gimp(gimps, threes, known), *check_strays()]
    if threes or known:
        found += _all_profiles(threes, known)
        found += [check_program(), *check_server(gimps)]
    for gimp in threes:
        if gimp.packaging != "native":
            found.append(note("sandbox", sandbox_note(gimp.packaging)))
    return [*found, *config_notes()]


def _gimp(gimps: list[InstalledGimp], threes: list[InstalledGimp], known: list[Profile]) -> Check:
    remedy = f"Install GIMP 3.0 or newer, then run: {typed('gimp install')}"
    if threes:
        return ok("gimp", " and ".join(str(gimp) for gimp in threes) + ".")
    if known:
        return note("gimp", "No GIMP 3 was found in PATH, but there are folders of one.")
    if gimps:
        return wrong("gimp", f"Only {gimps[0]} was found; Latent-Fu needs GIMP 3.", remedy)
    return wrong("gimp", "No GIMP was found on this machine.", remedy)


def _all_profiles(threes: list[InstalledGimp], known: list[Profile]) -> Iterator[Check]:
    """Profiles of the GIMPs that are installed; the known ones where no GIMP was found."""
    if not threes:
        for profile in known:
            yield from check_profile(profile)
        return
    for gimp in threes:
        profile = profile_for(gimp)
        misplaced = check_minor(gimp.minor, profile, known)
        if misplaced is not None:
            yield misplaced
        elif not profile.folder.is_dir():
            yield never_started(profile)
        else:
            yield from check_profile(profile)
        main = profile.plug_ins / NAME / MAIN
        if main.is_file():
            yield from check_python(gimp, main)
