"""Build a Debian chroot with GIMP 3 for the tests; the machine itself is not changed.

``python tests/gimp/chroot.py [3.0|3.2]`` builds it (about a minute, 1.1 GB) or finds it already
there and prints where it is: ``$LATENTFU_GIMP_CHROOT``, or a folder in ``~/.cache/latentfu-tests``.
Every mount is made in a private namespace, so none is left behind however the build ends.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

SUITES = {"3.0": "trixie", "3.2": "forky"}
"""The Debian that has a version of GIMP: 13, and what will be 14."""
OLDEST = "3.0"
PACKAGES = (
    "gimp",
    "python3-gi",
    "gir1.2-gtk-3.0",
    "python3-gi-cairo",
    "xvfb",
    "xdotool",
    "openbox",
    "imagemagick",
    "xauth",
    "fonts-dejavu-core",
    "adwaita-icon-theme",
)
SCRIPTS = Path("/usr/share/debootstrap/scripts")
LEFT_OUT = 77
# One shell line that runs in a private mount namespace; $1 is the chroot.
MOUNTS = (
    'mount -t proc proc "$1/proc" && mount -t sysfs sys "$1/sys" && mount --rbind /dev "$1/dev"'
    ' && mount -t tmpfs -o mode=1777 tmpfs "$1/tmp"'
)


class NoGimpError(Exception):
    """GIMP 3 cannot be had on this machine; the text is one sentence saying why."""


def place(version: str = OLDEST) -> Path:
    """Where the chroot with this version of GIMP is or will be."""
    given = os.environ.get("LATENTFU_GIMP_CHROOT")
    name = "gimp-chroot" if version == OLDEST else f"gimp-{version}-chroot"
    return Path(given) if given else Path.home() / ".cache" / "latentfu-tests" / name


def recipe(version: str = OLDEST) -> str:
    """Changes whenever the contents of the chroot would."""
    return hashlib.sha256(" ".join([SUITES[version], *PACKAGES]).encode()).hexdigest()


def is_complete(root: Path, version: str = OLDEST) -> bool:
    """Whether ``root`` was built to the end by the recipe for ``version``."""
    marker = root / ".latentfu-complete"
    return marker.is_file() and marker.read_text() == recipe(version)


def why_not() -> str | None:
    """One sentence why a chroot cannot be built here, or None."""
    if sys.platform != "linux":
        return "GIMP 3 is not on PATH, and its chroot needs Linux."
    if os.geteuid() != 0:
        return "GIMP 3 is not on PATH, and building its chroot needs root."
    if not shutil.which("unshare"):
        return "GIMP 3 is not on PATH, and its chroot needs unshare (package util-linux)."
    if not shutil.which("debootstrap") and not shutil.which("apt-get"):
        return "GIMP 3 is not on PATH, and its chroot needs debootstrap, which apt-get would bring."
    if subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode:
        return "GIMP 3 is not on PATH, and this machine does not allow private mounts (unshare)."
    return None


def build(root: Path, version: str = OLDEST) -> Path:
    """The chroot at ``root``, built when it is missing; raises NoGimpError."""
    if is_complete(root, version):
        return root
    if reason := why_not():
        raise NoGimpError(reason)
    import fcntl  # there is none on Windows

    try:
        root.parent.mkdir(parents=True, exist_ok=True)
        with root.with_name(root.name + ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # another run may be building it: it is waited for
            return root if is_complete(root, version) else _build(root, version)
    except OSError as error:
        raise NoGimpError(f"The GIMP 3 chroot could not be written to {root}: {error}.") from error


def _build(root: Path, version: str) -> Path:
    suite = SUITES[version]
    part = root.with_name(root.name + ".part")
    log = root.with_name(root.name + ".log")
    for old in (part, root):
        _remove(old)
    log.write_text("")
    install = ["apt-get", "install", "-y", "--no-install-recommends"]
    if not shutil.which("debootstrap"):
        _step(["apt-get", "update"], log)
        _step([*install, "debootstrap"], log)
    print(
        f"Building a Debian {suite} chroot with GIMP {version} in {root} (minutes) ...", flush=True
    )
    bootstrap = ["unshare", "-m", "debootstrap", "--variant=minbase", suite, str(part)]
    if not (SCRIPTS / suite).exists():  # A Debian that is newer than this debootstrap.
        bootstrap += ["", str(SCRIPTS / "sid")]
    _step(bootstrap, log)
    _configure(part)
    for command in (["apt-get", "update"], [*install, *PACKAGES], ["apt-get", "clean"]):
        _step(_inside(part, command), log)
    (part / ".latentfu-complete").write_text(recipe(version))
    part.rename(root)
    return root


def _configure(part: Path) -> None:
    """Give the chroot the machine's way to the network; start no service, skip manuals."""
    apt = part / "etc/apt/apt.conf.d"
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True).stdout
    wanted = ("Acquire::http::", "Acquire::https::", "Acquire::ftp::")
    lines = [line for line in dump.splitlines() if line.startswith(wanted)]
    lines += ['Acquire::Retries "3";', 'Acquire::Check-Valid-Until "false";']  # Mirrors may lag.
    (apt / "99machine").write_text("\n".join([*lines, ""]))
    (part / "etc/dpkg/dpkg.cfg.d/small").write_text(
        "force-unsafe-io\npath-exclude=/usr/share/man/*\npath-exclude=/usr/share/doc/*\n"
        "path-exclude=/usr/share/locale/*\n"
    )
    policy = part / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    for name in ("etc/resolv.conf", "etc/ssl/certs/ca-certificates.crt"):
        if (Path("/") / name).is_file():
            (part / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(Path("/") / name, part / name)


def _inside(root: Path, command: list[str]) -> list[str]:
    environment = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "HOME=/root"]
    environment.append("DEBIAN_FRONTEND=noninteractive")
    script = f'{MOUNTS} && root="$1" && shift && exec chroot "$root" "$@"'
    return [
        "unshare",
        "-m",
        "sh",
        "-c",
        script,
        "sh",
        str(root),
        "env",
        "-i",
        *environment,
        *command,
    ]


def _step(command: list[str], log: Path) -> None:
    with log.open("a") as out:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, check=False
        )
    if done.returncode:
        last = (log.read_text(errors="replace").strip().splitlines() or ["nothing"])[-1]
        raise NoGimpError(f"Building the GIMP 3 chroot failed ({last.strip()}): see {log}.")


def _remove(folder: Path) -> None:
    """Remove an unfinished or outdated chroot, but never through a mount in it."""
    mounts = Path("/proc/self/mounts").read_text() if folder.exists() else ""
    if f" {folder}/" in mounts:
        raise NoGimpError(f"Something is mounted below {folder}: unmount it first.")
    if folder.exists():
        shutil.rmtree(folder)


def main() -> int:
    """Build or find it and print the place."""
    try:
        version = sys.argv[1] if sys.argv[1:] else OLDEST
        print(build(place(version), version))
    except NoGimpError as error:
        print(f"GIMP tests left out: {error}", file=sys.stderr)
        return LEFT_OUT
    return 0


if __name__ == "__main__":
    sys.exit(main())
