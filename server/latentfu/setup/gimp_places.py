"""Which GIMPs this machine has, and the folders in which each of them looks for plug-ins."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from latentfu.core.errors import NotInstalledError

Packaging = Literal["native", "flatpak", "snap"]

# A GIMP that hangs on --version (a wedged display, a dead network home) must not hang us.
_ANSWER_SECONDS = 10.0
_PROFILE_SECONDS = 90.0

_EXECUTABLE = re.compile(r"gimp(-console)?(-\d+(\.\d+)?)?(\.exe)?", re.IGNORECASE)
_VERSION = re.compile(r"\b(\d+)\.(\d+)(?:\.(\d+))?")
_MINOR = re.compile(r"3\.\d+")


@dataclass(frozen=True)
class InstalledGimp:
    """A GIMP that answered when asked for its version.

    ``version``: "3.0.4". ``command``: what starts it. ``packaging``: how it was installed.
    """

    version: str
    command: tuple[str, ...]
    packaging: Packaging = "native"

    @property
    def minor(self) -> str:
        """The part of the version that names its folder: "3.0"."""
        return ".".join(self.version.split(".")[:2])

    @property
    def is_three(self) -> bool:
        return self.version.split(".")[0] == "3"

    def __str__(self) -> str:
        return f"GIMP {self.version} ({' '.join(self.command)})"


@dataclass(frozen=True)
class Profile:
    """A folder with one GIMP minor version's settings; plug-ins lie in ``plug-ins`` inside."""

    minor: str
    folder: Path
    packaging: Packaging = "native"

    @property
    def plug_ins(self) -> Path:
        return self.folder / "plug-ins"


def answer(command: Sequence[str], seconds: float = _ANSWER_SECONDS) -> str | None:
    """What a program prints on stdout, None when it is missing, fails or takes too long."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=seconds,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode(errors="replace")


def installed_gimps() -> list[InstalledGimp]:
    """Every GIMP found, 2.10 included, newest first; one entry per version and packaging."""
    found: dict[tuple[str, str], InstalledGimp] = {}
    for gimp in (*_native_gimps(), *_flatpak_gimps(), *_snap_gimps()):
        found.setdefault((gimp.version, gimp.packaging), gimp)
    return sorted(found.values(), key=lambda gimp: _sort_key(gimp.version), reverse=True)


def choose_gimp(program: str | None = None) -> InstalledGimp:
    """The newest GIMP 3 that is no Flatpak or Snap, or the one that ``program`` starts.

    Raises NotInstalledError in one sentence.
    """
    if program:
        match = _VERSION.search(answer([program, "--version"], _PROFILE_SECONDS) or "")
        if match and match[1] == "3":
            return InstalledGimp(match[0], (program,))
        raise NotInstalledError(f"{program} does not answer as GIMP 3 does: name its program.")
    for gimp in installed_gimps():
        if gimp.is_three and gimp.packaging == "native" and "console" not in gimp.command[0]:
            return gimp
    raise NotInstalledError(
        "No GIMP 3 was found that can be started here: install one that is no Flatpak or Snap, or "
        "name its program."
    )


def profiles() -> list[Profile]:
    """The GIMP 3 folders that exist, newest version first within each place."""
    override = os.environ.get("GIMP3_DIRECTORY")
    if override:
        folder = Path(override)
        minor = folder.name if _MINOR.fullmatch(folder.name) else "3.0"
        return [Profile(minor, folder)]
    return [
        Profile(folder.name, folder, packaging)
        for root, packaging in profile_roots()
        for folder in _folders(root)
        if _MINOR.fullmatch(folder.name)
    ]


def profile_for(gimp: InstalledGimp) -> Profile:
    """The folder that ``gimp`` uses, whether it exists yet or not."""
    known = [p for p in profiles() if p.minor == gimp.minor or "GIMP3_DIRECTORY" in os.environ]
    for profile in known:
        if profile.packaging == gimp.packaging:
            return profile
    if gimp.packaging == "snap":
        return Profile(gimp.minor, _snap_root() / gimp.minor, "snap")
    # Flatpak's GIMP has the host's own configuration folder, unless its private one exists.
    return Profile(gimp.minor, profile_roots()[0][0] / gimp.minor)


def profile_roots() -> list[tuple[Path, Packaging]]:
    """Folders that hold one folder per GIMP minor version, the platform's own first."""
    home = Path.home()
    if sys.platform == "win32":
        return [(Path(os.environ.get("APPDATA", home / "AppData/Roaming")) / "GIMP", "native")]
    if sys.platform == "darwin":
        return [(home / "Library/Application Support/GIMP", "native")]
    config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    flatpak = home / ".var/app/org.gimp.GIMP/config/GIMP"
    return [(config / "GIMP", "native"), (flatpak, "flatpak"), (_snap_root(), "snap")]


def make_profile(gimp: InstalledGimp, profile: Profile) -> None:
    """Let a GIMP that was never started make its own folder.

    Were we to make it, GIMP would take it for an old one and not carry over brushes and settings
    from the version before. When GIMP cannot be run without a window, the folder is made here.
    """
    if not profile.folder.is_dir():
        console = Path(gimp.command[0]).name.replace("gimp", "gimp-console", 1)
        program = (
            gimp.command[0]
            if "console" in gimp.command[0]
            else shutil.which(Path(gimp.command[0]).with_name(console))
        )
        if program and gimp.packaging == "native":
            answer([program, "-i", "-d", "-f", "--quit"], _PROFILE_SECONDS)
    profile.plug_ins.mkdir(parents=True, exist_ok=True)


def _snap_root() -> Path:
    return Path.home() / "snap/gimp/current/.config/GIMP"


def _folders(root: Path) -> list[Path]:
    try:
        inside = [entry for entry in root.iterdir() if entry.is_dir()]
    except OSError:
        return []
    return sorted(inside, key=lambda folder: _sort_key(folder.name), reverse=True)


def _sort_key(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


def _native_gimps() -> Iterator[InstalledGimp]:
    seen: set[Path] = set()
    for program in _native_programs():
        real = program.resolve()
        if real in seen:
            continue
        seen.add(real)
        said = answer([str(program), "--version"])
        match = _VERSION.search(said or "")
        if match:
            yield InstalledGimp(match.group(0), (str(program),))


def _native_programs() -> Iterator[Path]:
    folders = [Path(entry) for entry in os.environ.get("PATH", "").split(os.pathsep) if entry]
    if sys.platform == "darwin":
        folders += sorted(Path("/Applications").glob("GIMP*.app/Contents/MacOS"))
    if sys.platform == "win32":
        for variable, inside in (("ProgramFiles", ""), ("LOCALAPPDATA", "Programs/")):
            base = Path(os.environ.get(variable, "C:/"))
            folders += sorted(base.glob(f"{inside}GIMP*/bin"))
    for folder in folders:
        try:
            names = sorted(entry.name for entry in folder.iterdir())
        except OSError:
            continue
        yield from (folder / name for name in names if _EXECUTABLE.fullmatch(name))


def _flatpak_gimps() -> Iterator[InstalledGimp]:
    if shutil.which("flatpak") is None:
        return
    said = answer(["flatpak", "list", "--app", "--columns=application,version"]) or ""
    for line in said.splitlines():
        name, _, version = line.partition("\t")
        match = _VERSION.search(version)
        if name.strip() == "org.gimp.GIMP" and match:
            command = ("flatpak", "run", "org.gimp.GIMP")
            yield InstalledGimp(match.group(0), command, "flatpak")


def _snap_gimps() -> Iterator[InstalledGimp]:
    if shutil.which("snap") is None:
        return
    for line in (answer(["snap", "list", "gimp"]) or "").splitlines():
        name, _, rest = line.partition(" ")
        match = _VERSION.search(rest)
        if name == "gimp" and match:
            yield InstalledGimp(match.group(0), ("snap", "run", "gimp"), "snap")
