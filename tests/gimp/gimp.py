"""A running GIMP with the plug-in in its profile, to which Python is sent."""

from __future__ import annotations

import json
import os
import re
import shutil
import textwrap
import time
from pathlib import Path
from typing import Any

from tests.gimp.machine import Shell

PLUG_IN = Path(__file__).resolve().parents[2] / "gimp_plugin" / "latentfu"

START_TIMEOUT = 400.0
"""GIMP's first start reads all of its plug-ins, on a busy machine for minutes."""


class GimpError(AssertionError):
    """The Python sent to GIMP failed there; the text is its traceback."""


class Gimp:
    """``gimp-console``, or ``gimp`` with a window when ``display`` is given.

    ``rc``: more lines of its settings, such as a theme. ``more``: of its environment, such as
    LANGUAGE.
    """

    def __init__(
        self, shell: Shell, folder: Path, display: str = "", rc: str = "", **more: str
    ) -> None:
        self.folder = folder
        self._number = 0
        self._orders = folder / "orders"
        self._orders.mkdir(parents=True)
        profile = folder / "profile"
        shutil.copytree(PLUG_IN, profile / "plug-ins" / "latentfu", ignore=_compiled)
        version = re.search(rb"version (\S+)", shell.run("gimp-console", "--version"))
        assert version
        (profile / "gimprc").write_text(
            f'(config-version "{version[1].decode()}")\n(show-welcome-dialog no)\n'
            "(check-updates no)\n" + rc
        )
        environment = {"GIMP3_DIRECTORY": str(profile), "LATENTFU_TEST_ORDERS": str(self._orders)}
        environment |= more
        program = ["gimp-console", "-i", "-d", "-f"]
        if display:
            program = ["gimp", "-n", "-s"]
            environment["DISPLAY"] = display
        agent = folder.parent / "inside" / "agent.py"
        batch = f"exec(open('{agent}').read())"
        command = [*program, "--batch-interpreter=python-fu-eval", "-b", batch, "--quit"]
        # What GIMP knows of its own plug-ins: to ask them all takes most of its start.
        self._known, self._asked = profile / "pluginrc", folder.parent / "pluginrc"
        if self._asked.exists():
            shutil.copy(self._asked, self._known)
        self._is_foreign = "LANGUAGE" in more
        if self._is_foreign:  # Ours is asked again, for its texts in that language.
            os.utime(profile / "plug-ins" / "latentfu" / "latentfu.py")
        self.log = folder / "gimp.log"
        self.pid = shell.spawn(*command, log=self.log, **environment)

    def run(self, source: str, timeout: float = 90) -> Any:
        """Run Python in GIMP and give what it assigned to ``value``."""
        number = self.send(source)
        return self.answer(number, timeout)

    def send(self, source: str) -> int:
        """Send Python and do not wait; :meth:`answer` does."""
        number = self._number
        self._number += 1
        part = self._orders / f"{number}.sending"
        part.write_text(textwrap.dedent(source))
        part.rename(self._orders / f"{number}.py")
        return number

    def answer(self, number: int, timeout: float = 90) -> Any:
        """What the Python of that number assigned to ``value``; GimpError when it raised."""
        path = self._orders / f"{number}.json"
        if number == 0:
            timeout = max(timeout, START_TIMEOUT)
        deadline = time.monotonic() + timeout
        while not path.exists():
            if time.monotonic() > deadline:
                tail = self.log.read_text(errors="replace")[-3000:]
                raise GimpError(f"GIMP did not answer within {timeout} s: {tail}")
            time.sleep(0.02)
        answer = json.loads(path.read_text())
        if number == 0 and self._known.exists() and not self._is_foreign:
            shutil.copy(self._known, self._asked)
        if "error" in answer:
            raise GimpError(answer["error"])
        return answer["value"]

    def quit(self) -> None:
        """Let the batch end, and GIMP with it."""
        self.send("quit")


def _compiled(_folder: str | os.PathLike[str], names: list[str]) -> set[str]:
    return {name for name in names if name == "__pycache__"}
