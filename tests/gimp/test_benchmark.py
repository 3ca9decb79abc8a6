"""``latentfu bench gimp``: that the figures of a real window come; not how large they are."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.gimp import machine
from tests.gimp.desktop import Desktop
from tests.gimp.machine import Shell

PASSED_ON = ("GIMP3_DIRECTORY", "LATENTFU_HOME")


@pytest.fixture
def program(shell: Shell, share: Path) -> Path:
    """A program as the user's ``gimp`` is, on a screen of its own, wherever GIMP is."""
    (share / "measured").mkdir()
    desktop = Desktop(shell, share / "measured")
    given = {"DISPLAY": desktop.display, "PATH": "/usr/bin:/bin", "HOME": str(share / "home")}
    words = ["env", "-i", *(f"{name}={value}" for name, value in given.items())]
    root = machine.find().root
    if root:
        private = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
        words = [*private, "sh", "-c", machine.ENTER, "sh", str(root), str(share), *words]
    passed = " ".join(f'{name}="${name}"' for name in PASSED_ON)
    program = share / "gimp-on-its-screen"
    program.write_text(f'#!/bin/sh\nexec {shlex.join(words)} {passed} gimp "$@"\n')
    program.chmod(0o755)
    return program


def run_bench(share: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "TMPDIR": str(share / "tmp"), "OMP_NUM_THREADS": "1", **more}
    command = [sys.executable, "-m", "latentfu", "bench", "gimp", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_every_wait_of_a_person_is_measured(program: Path, share: Path) -> None:
    small = ["--gimp", str(program), "--large", "600", "750", "--moves", "3", "--json"]
    done = run_bench(share, *small, DISPLAY="of the program")
    assert done.returncode == 0, done.stderr
    figures = {one["name"]: one for one in json.loads(done.stdout)["measures"]}
    assert figures["a slider to its preview"]["runs"] == 3
    known, new = (
        figures[name]["value"]
        for name in ("the same, known portrait", "the window to its first preview, new portrait")
    )
    assert 0 < known < new, "a portrait that was learnt is learnt again"
    assert figures["600 x 750, next edit"]["value"] > 0
    assert {"a call that asks the server one thing", "a slider, beyond the network's time"} < set(
        figures
    )


def test_a_program_that_is_no_gimp_is_named(share: Path) -> None:
    done = run_bench(share, "--gimp", "/bin/true", DISPLAY=":0")
    assert done.returncode != 0
    assert "/bin/true does not answer as GIMP 3 does" in done.stderr


def test_without_a_screen_it_says_how(share: Path) -> None:
    done = run_bench(share, "--gimp", "/bin/true", DISPLAY="", WAYLAND_DISPLAY="")
    assert done.returncode != 0 and "xvfb-run latentfu bench gimp" in done.stderr
