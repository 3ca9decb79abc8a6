"""A worker that has nothing to do lets go of its networks once, and works on afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from latentfu.jobs.frames import pack_frame

EDITOR = """
import os

class Editor:
    def __init__(self, device):
        self.device = device

    def release_memory(self):
        with open(os.environ["RELEASED"], "a") as file:
            file.write("released\\n")
"""
CATALOG = """
import os

def read_catalog():
    with open(os.environ["READ"], "a") as file:
        file.write("read\\n")
    return {}
"""


class Hand:
    """A worker process, the pipe to it, and what it wrote down."""

    def __init__(self, folder: Path) -> None:
        self.released, self.read = folder / "released", folder / "read"
        (folder / "resting_editor.py").write_text(EDITOR)
        (folder / "resting_catalog.py").write_text(CATALOG)
        environment = {
            **os.environ,
            "LATENTFU_HOME": str(folder / "home"),
            "LATENTFU_NETWORKS_UNLOAD_MINUTES": "0.005",
            "RELEASED": str(self.released),
            "READ": str(self.read),
            "PYTHONPATH": os.pathsep.join([str(folder), *filter(None, sys.path)]),
        }
        command = [sys.executable, "-m", "latentfu.worker.main", "--layers", str(folder)]
        command += ["--editing", "resting_editor", "--catalog", "resting_catalog"]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=environment
        )

    def say(self, **message: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(pack_frame(message))
        self.process.stdin.flush()

    def wait_for(self, *, released: int, read: int) -> None:
        until = time.monotonic() + 60
        while (seen := (_count(self.released), _count(self.read))) != (released, read):
            assert time.monotonic() < until, seen
            time.sleep(0.02)

    def stop(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert self.process.wait(60) == 0


def _count(path: Path) -> int:
    return len(path.read_text().splitlines()) if path.exists() else 0


@pytest.fixture
def hand(tmp_path: Path) -> Iterator[Hand]:
    hand = Hand(tmp_path)
    yield hand
    hand.stop()


def test_rest_comes_once_after_each_work(hand: Hand) -> None:
    hand.wait_for(released=0, read=1)  # the catalogue that every worker begins with
    time.sleep(1.5)
    hand.wait_for(released=0, read=1)  # nothing was loaded, so there is nothing to let go of
    hand.say(do="catalog")
    hand.wait_for(released=1, read=2)
    time.sleep(1.0)
    hand.wait_for(released=1, read=2)
    hand.say(do="catalog")
    hand.wait_for(released=2, read=3)
