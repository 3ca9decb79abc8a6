"""Commands in a container with little memory: they work, or say so, and leave nothing behind."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from latentfu.core.process_memory import measure_machine
from PIL import Image

from tests.support.memory_group import memory_group

pytestmark = pytest.mark.slow
CHECKPOINT = next(
    (Path(__file__).parents[1] / "reference/checkpoints/rosinality-pt/cm1").glob("*.pt")
)
MUCH, LITTLE = 2048, 1024
"""Megabytes. In 512 torch itself breaks off here and there, in words of its own."""
SQUARE = ("--corners", "0,0,96,0,96,96,0,96")
COMMANDS = {
    "edit": (
        "edit",
        "{in}",
        "-o",
        "{out}",
        "--set",
        "smile=1",
        *SQUARE,
        "--local",
        "--quality",
        "draft",
    ),
    "invert": (
        "invert",
        "{in}",
        "-o",
        "{out}.safetensors",
        *SQUARE,
        "--quality",
        "draft",
    ),
    "render": ("generators", "render", "portraits", "--count", "2", "-o", "{out}s"),
    "import": ("generators", "import", str(CHECKPOINT), "--name", "small"),
    "directions": (
        "directions",
        "find",
        "--generator",
        "portraits",
        "--method",
        "sefa",
        "--count",
        "1",
        "--out",
        "{out}",
    ),
}


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("megabytes", [MUCH, LITTLE])
def test_a_command_works_or_says_that_memory_is_short(
    tmp_path: Path, name: str, megabytes: int
) -> None:
    picture, out, home = tmp_path / "in.png", tmp_path / "out.png", tmp_path / "home"
    noise = np.random.default_rng(0).integers(0, 255, (96, 96, 3), dtype=np.uint8)
    Image.fromarray(noise).save(picture)
    words = [word.format(**{"in": picture, "out": out}) for word in COMMANDS[name]]
    with memory_group(megabytes) as group:
        ran = group.run([sys.executable, "-P", "-m", "latentfu", *words], home)
    assert ran.returncode in ((0,) if megabytes == MUCH else (0, 1)), ran.stderr
    if ran.returncode:
        said = ran.stderr.strip().splitlines()[-1]
        assert "memory" in said and said.endswith("."), ran.stderr
        assert "Traceback" not in ran.stderr
    left = [path for path in home.rglob("*") if path.suffix in (".part", ".trial")]
    assert left == []


def test_the_limit_of_the_group_is_the_machines(tmp_path: Path) -> None:
    code = "from latentfu.core.process_memory import measure_machine; print(measure_machine())"
    with memory_group(512) as group:
        ran = group.run([sys.executable, "-P", "-c", code], tmp_path)
    assert int(ran.stdout) == 512 << 20
    assert measure_machine() <= os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
