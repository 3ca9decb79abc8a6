"""Puts the plug-in into every GIMP 3 on this machine and takes it out again.

``program.json`` tells the plug-in which Python starts the server.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

import latentfu
from latentfu.core.errors import BadInputError, StorageError
from latentfu.core.paths import config_dir, make_private
from latentfu.setup.gimp_places import (
    InstalledGimp,
    Profile,
    installed_gimps,
    make_profile,
    profile_for,
    profile_roots,
    profiles,
)
from latentfu.storage.atomic import write_whole

NAME = "latentfu"
MAIN = "latentfu.py"
_SHARE = "share/latentfu/gimp_plugin/latentfu"


def source_folder() -> Path:
    """The folder ``latentfu`` that GIMP shall load: in the clone, or beside an installed wheel.

    Raises StorageError when the installation has lost it.
    """
    clone = Path(__file__).resolve().parents[3] / "gimp_plugin" / NAME
    if (clone / MAIN).is_file():
        return clone
    for folder in _wheel_folders():
        if (folder / MAIN).is_file():
            return folder
    raise StorageError("The GIMP plug-in's files are missing from this installation: reinstall it.")


def plugin_files(folder: Path) -> list[Path]:
    """The files of a copy of the plug-in, relative to ``folder``, without compiled leftovers."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(
        path for path in found if "__pycache__" not in path.parts and path.suffix != ".pyc"
    )


def plugin_digest(folder: Path) -> str:
    """sha256 over names and contents of a copy of the plug-in."""
    total = hashlib.sha256()
    for path in plugin_files(folder):
        data = (folder / path).read_bytes()
        total.update(f"{path.as_posix()}:{len(data)}:".encode())
        total.update(data)
    return total.hexdigest()


def _place_plugin(source: Path, profile: Profile) -> bool:
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


def _remove_plugin(profile: Profile) -> bool:
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


def _wheel_folders() -> list[Path]:
    try:
        files = metadata.files("latentfu") or []
    except metadata.PackageNotFoundError:
        return []
    return [
        Path(str(file.locate())).resolve().parent
        for file in files
        if file.as_posix().endswith(f"{_SHARE}/{MAIN}")
    ]


def _is_current(source: Path, target: Path) -> bool:
    main = target / MAIN
    if target.is_symlink() or not main.is_file():
        return False
    return os.access(main, os.X_OK) and plugin_digest(source) == plugin_digest(target)


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


@dataclass(frozen=True)
class Program:
    """``python``: the interpreter that has latentfu installed. ``version``: latentfu's."""

    python: Path
    version: str


def program_path() -> Path:
    """Where the plug-in looks for it; mode 0600."""
    return config_dir() / "program.json"


def _write_program(placed: list[Path]) -> None:
    """Name this interpreter, and the copies of the plug-in that belong to it."""
    make_private(config_dir())
    content = {
        "python": sys.executable,
        "version": latentfu.__version__,
        "plug_ins": [str(folder) for folder in placed],
    }
    write_whole(program_path(), json.dumps(content, indent=1).encode() + b"\n", mode=0o600)


def read_program() -> Program:
    """Raises FileNotFoundError when there is none, StorageError when it is damaged."""
    try:
        content = json.loads(program_path().read_text(encoding="utf-8"))
        return Program(Path(content["python"]), str(content["version"]))
    except FileNotFoundError:
        raise
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StorageError(
            f"{program_path()} cannot be read ({error}): run `latentfu gimp install` again."
        ) from error


@dataclass
class Installation:
    """What an installation did: folders written, folders already right, and a word for people."""

    written: list[Path] = field(default_factory=list)
    unchanged: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def install_plugin(force_version: str | None = None) -> Installation:
    """Place the plug-in for each GIMP 3 and write ``program.json``.

    ``force_version``: a minor version ("3.0") to place it for although no such GIMP was found.
    Without any GIMP 3 nothing is written and the note says so.
    """
    gimps = installed_gimps()
    done = Installation()
    targets = _targets(gimps, force_version)
    if not targets:
        done.notes.append(_no_gimp(gimps))
        return done
    source = source_folder()
    for profile in targets:
        changed = _place_plugin(source, profile)
        (done.written if changed else done.unchanged).append(profile.plug_ins / NAME)
    packagings = {gimp.packaging for gimp in gimps if gimp.is_three} - {"native"}
    done.notes += [sandbox_note(packaging) for packaging in sorted(packagings)]
    _write_program([*done.written, *done.unchanged])
    return done


def uninstall_plugin() -> list[Path]:
    """Remove the plug-in from every profile and ``program.json``; the folders that went."""
    removed = [p.plug_ins / NAME for p in profiles() if _remove_plugin(p)]
    program_path().unlink(missing_ok=True)
    return removed


def sandbox_note(packaging: str) -> str:
    """What a GIMP inside a sandbox cannot do, and what to do about it."""
    if packaging == "flatpak":
        return (
            "GIMP from Flatpak may not start programs: start the server yourself with "
            f"`{program_call('serve')}` before you use the menu."
        )
    return (
        "GIMP from Snap is shut off from your own programs and often from your own plug-ins: "
        f"start the server with `{program_call('serve')}`, and if the menu stays empty use another "
        "build."
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
        f"and run `{program_call('gimp install')}`."
    )


def program_call(words: str) -> str:
    """``latentfu WORDS`` as it can be program_call here: with its folder if that is not in PATH."""
    program = Path(sys.executable).with_name(
        "latentfu.exe" if sys.platform == "win32" else "latentfu"
    )
    found = shutil.which("latentfu")
    if program.is_file() and (found is None or Path(found).resolve() != program.resolve()):
        return f"{program} {words}"
    return f"latentfu {words}"
