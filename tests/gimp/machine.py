"""Where GIMP 3 runs: this machine's own, or the one in the chroot. Both look the same."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.gimp import chroot

INSIDE = Path(__file__).parent / "inside"
NEEDED = ("gimp-console", "python3", "Xvfb", "xdotool", "openbox", "import")
# $1 chroot, $2 folder that is seen at the same path on both sides; everything ends with the shell.
ENTER = (
    f"{chroot.MOUNTS} && "
    'mkdir -p "$1$2" && mount --bind "$2" "$1$2" && root="$1" && shift 2 && '
    'exec chroot "$root" "$@"'
)


@dataclass(frozen=True)
class Machine:
    """``root`` is the chroot, None for this machine's own GIMP."""

    root: Path | None

    def shell(self, share: Path) -> Shell:
        """A shell beside GIMP; ``share`` is seen there at the same path."""
        shutil.copytree(INSIDE, share / "inside", dirs_exist_ok=True)
        environment = {
            "HOME": str(share / "home"),
            "PATH": "/usr/bin:/bin",
            "LC_ALL": "C.UTF-8",
            "XDG_RUNTIME_DIR": str(share / "xdg"),
            "TMPDIR": str(share / "tmp"),
            "LATENTFU_HOME": str(share / "latentfu"),
        }
        for name in ("home", "xdg", "tmp", "latentfu"):
            (share / name).mkdir(exist_ok=True)
        (share / "xdg").chmod(0o700)
        command = ["env", "-i", *(f"{name}={value}" for name, value in environment.items())]
        command += ["python3", str(share / "inside" / "shell.py")]
        if self.root:
            private = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
            command = [*private, "sh", "-c", ENTER, "sh", str(self.root), str(share), *command]
        return Shell(command)


class Shell:
    """Starts programs beside GIMP; ``close`` ends all of them."""

    def __init__(self, command: list[str]) -> None:
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, *command: str, timeout: float = 60, **environment: str) -> bytes:
        """Run to the end and give what it printed; AssertionError when it fails."""
        answer = self._tell({"run": command, "timeout": timeout, "env": environment})
        out = base64.b64decode(answer["out"])
        assert answer["rc"] == 0, f"{command} ended with {answer['rc']}: {out[-2000:]!r}"
        return out

    def spawn(self, *command: str, log: Path, **environment: str) -> int:
        """Start and leave running; its process id in there."""
        answer = self._tell({"spawn": command, "log": str(log), "env": environment})
        assert "pid" in answer, answer
        return int(answer["pid"])

    def close(self) -> None:
        """End everything that was started."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)
        self._process.stdout.close()

    def _tell(self, order: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the shell beside GIMP has ended"
        answer: dict[str, Any] = json.loads(line)
        return answer


def find(build: bool = False) -> Machine:
    """The machine to test on; raises NoGimpError with one sentence when there is none.

    ``$LATENTFU_GIMP_VERSION`` (3.0 or 3.2) asks for the chroot with that version. Without it this
    machine's own GIMP 3 is taken where there is one.
    """
    asked = os.environ.get("LATENTFU_GIMP_VERSION", "")
    if not asked and is_gimp_3() and all(shutil.which(program) for program in NEEDED):
        return Machine(None)
    version = asked or chroot.OLDEST
    root = chroot.place(version)
    if build:
        return Machine(chroot.build(root, version))
    if chroot.is_complete(root, version) and os.geteuid() == 0:
        return Machine(root)
    reason = (
        chroot.why_not()
        or "GIMP 3 is not on PATH and its chroot is not built: run python tests/gimp/run.py"
    )
    raise chroot.NoGimpError(reason)


def is_gimp_3() -> bool:
    """Whether this machine's own GIMP is version 3."""
    program = shutil.which("gimp-console")
    if not program:
        return False
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    return bool(re.search(r"version 3\.", done.stdout))
