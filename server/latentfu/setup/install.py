"""``latentfu gimp install`` and ``uninstall``: every GIMP 3 on this machine, in one go."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from latentfu.core.errors import BadInputError
from latentfu.setup.command import typed
from latentfu.setup.package import NAME, source_folder
from latentfu.setup.placement import place, remove
from latentfu.setup.places import (
    InstalledGimp,
    Profile,
    installed_gimps,
    make_profile,
    profile_for,
    profile_roots,
    profiles,
)
from latentfu.setup.program import program_path, write_program


@dataclass
class Placed:
    """What an installation did: folders written, folders already right, and a word for people."""

    written: list[Path] = field(default_factory=list)
    unchanged: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def install(force_version: str | None = None) -> Placed:
    """Place the plug-in for each GIMP 3 and write ``program.json``.

    ``force_version``: a minor version ("3.0") to place it for although no such GIMP was found.
    Without any GIMP 3 nothing is written and the note says so.
    """
    gimps = installed_gimps()
    done = Placed()
    targets = _targets(gimps, force_version)
    if not targets:
        done.notes.append(_no_gimp(gimps))
        return done
    source = source_folder()
    for profile in targets:
        changed = place(source, profile)
        (done.written if changed else done.unchanged).append(profile.plug_ins / NAME)
    packagings = {gimp.packaging for gimp in gimps if gimp.is_three} - {"native"}
    done.notes += [sandbox_note(packaging) for packaging in sorted(packagings)]
    write_program([*done.written, *done.unchanged])
    return done


def uninstall() -> list[Path]:
    """Remove the plug-in from every profile and ``program.json``; the folders that went."""
    removed = [p.plug_ins / NAME for p in profiles() if remove(p)]
    program_path().unlink(missing_ok=True)
    return removed


def sandbox_note(packaging: str) -> str:
    """What a GIMP inside a sandbox can not do, and what to do about it."""
    if packaging == "flatpak":
        return (
            "GIMP from Flatpak may not start programs: start the server yourself with "
            f"`{typed('serve')}` before you use the menu."
        )
    return (
        "GIMP from Snap is shut off from your own programs and often from your own plug-ins: "
        f"start the server with `{typed('serve')}`, and if the menu stays empty use another build."
    )


def _targets(gimps: list[InstalledGimp], force_version: str | None) -> list[Profile]:
    targets = {profile.folder: profile for profile in profiles() if profile.folder.is_dir()}
    for gimp in gimps:
        if gimp.is_three:
            profile = profile_for(gimp)
            make_profile(gimp, profile)
            targets.setdefault(profile.folder, profile)
    if force_version is not None:
        if not force_version.startswith("3.") or not force_version[2:].isdigit():
            raise BadInputError(f"{force_version!r} is no GIMP 3 version: give one like 3.0.")
        folder = profile_roots()[0][0] / force_version
        targets.setdefault(folder, Profile(force_version, folder))
    return list(targets.values())


def _no_gimp(gimps: list[InstalledGimp]) -> str:
    seen = f"only {gimps[0]} is here" if gimps else "there is no GIMP on this machine"
    return (
        f"No GIMP 3 was found ({seen}), so the plug-in was not placed: install GIMP 3.0 or newer "
        f"and run `{typed('gimp install')}`."
    )
