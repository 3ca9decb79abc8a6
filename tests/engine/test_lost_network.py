"""A cluster over a network of its own, whose cable is pulled while the machines work."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.engine.test_cluster import count_processes
from tests.engine.test_shards import files

CAN = os.name == "posix" and os.geteuid() == 0 and shutil.which("ip") is not None
pytestmark = [
    pytest.mark.cluster,
    pytest.mark.timeout(1500),
    pytest.mark.skipif(find_spec("ray") is None, reason="needs pip install 'latentfu[ray]'"),
    pytest.mark.skipif(not CAN, reason="needs root and ip (iproute2) to make networks"),
]
HEAD, OTHER = "10.77.0.1", "10.77.0.2"
COUNT = 640
_SSH = """#!/bin/sh
# ssh -o X HOST COMMAND: HOST is a network namespace, with a home of its own
while [ "$1" = -o ]; do shift 2; done
LATENTFU_HOME="$ROOT/home-$1" exec ip netns exec "$1" sh -c "$2"
"""
QUICK = {  # a machine that does not answer is given up after three seconds, not fifty
    "RAY_health_check_period_ms": "1000", "RAY_health_check_timeout_ms": "1000",
    "RAY_health_check_failure_threshold": "3",
}  # fmt: skip


class Lan:
    """Two network namespaces with a cable between them."""

    def __init__(self, root: Path) -> None:
        mine = os.getpid()
        self.root, self.head, self.other = root, f"lf{mine}a", f"lf{mine}b"

    def lay(self) -> None:
        for name in (self.head, self.other):
            self._ip("netns", "add", name)
            self._ip("-n", name, "link", "set", "lo", "up")
        peer = ("peer", "name", "cable", "netns", self.other)
        self._ip("-n", self.head, "link", "add", "cable", "type", "veth", *peer)
        for name, address in ((self.head, HEAD), (self.other, OTHER)):
            self._ip("-n", name, "address", "add", f"{address}/24", "dev", "cable")
            self._ip("-n", name, "link", "set", "cable", "up")

    def cut(self) -> None:
        """The other machine answers no more; for the first one the cable is in, as at a switch."""
        self._ip("-n", self.other, "address", "flush", "dev", "cable")

    def take_away(self) -> None:
        for name in (self.head, self.other):
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)

    @staticmethod
    def _ip(*words: str) -> None:
        done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"no networks can be made here: {done.stderr.strip()}")

    def start(self, *words: object) -> subprocess.Popen[str]:
        """The program on the first machine."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
        environment = {
            **own, **QUICK, "PATH": f"{self.root / 'bin'}:{os.environ['PATH']}",
            "ROOT": str(self.root), "HOME": str(self.root),
            "LATENTFU_HOME": str(self.root / "home-here"),
        }  # fmt: skip
        inside = ["ip", "netns", "exec", self.head, sys.executable, "-m", "latentfu"]
        return subprocess.Popen(
            [*inside, *map(str, words)], env=environment, cwd=self.root, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, *words: object) -> tuple[int | None, str, str]:
        running = self.start(*words)
        out, said = running.communicate(timeout=500)
        return running.returncode, out, said


@pytest.fixture
def lan(tmp_path: Path) -> Iterator[Lan]:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "ssh").write_text(_SSH)
    (programs / "ssh").chmod(0o755)
    made = Lan(tmp_path)
    try:
        made.lay()
        yield made
        made.run("cluster", "down")
    finally:
        made.take_away()


def test_a_machine_behind_a_broken_cable_loses_nothing(lan: Lan, tmp_path: Path) -> None:
    """The others do again what it was at; the pictures are those of one process."""
    hosts = tmp_path / "hosts"
    hosts.write_text(f"{lan.other} cpus=1\n")
    code, out, said = lan.run("cluster", "up", hosts, "--cpus", 1, "--address", HEAD, "--json")
    assert code == 0, said
    engine = json.loads(out)["engine"]
    code, out, said = lan.run("cluster", "status", "--json")
    assert code == 0, out + said
    machines = json.loads(out)["machines"]
    assert sorted(each["address"] for each in machines) == [HEAD, OTHER]

    words = ("directions", "sample", "--generator", "portraits", "--count", COUNT, "--out")
    working = lan.start(*words, tmp_path / "cluster", "--engine", engine)
    until = time.monotonic() + 120
    while time.monotonic() < until and len(list((tmp_path / "cluster").glob("*.png"))) < 32:
        assert working.poll() is None, working.communicate()
        time.sleep(0.1)
    lan.cut()
    missing = COUNT - len(list((tmp_path / "cluster").glob("*.png")))
    _, said = working.communicate(timeout=500)
    assert working.returncode == 0, said
    assert missing >= 64, "it was done before the cable was cut"

    code, _, said = lan.run(*words, tmp_path / "here", "--jobs", 1)
    assert code == 0, said
    pictures = files(tmp_path / "here")
    assert len(pictures) == COUNT and files(tmp_path / "cluster") == pictures
    lan.run("cluster", "down")
    until = time.monotonic() + 60
    while count_processes(tmp_path) and time.monotonic() < until:
        time.sleep(0.2)
    assert count_processes(tmp_path) == 0
