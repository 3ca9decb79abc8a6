"""latentfu cluster, with an ssh that runs what it is given on this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from latentfu.core.errors import BadInputError
from latentfu.engine.cluster import ClusterHost, read_hosts

from tests.engine.test_ray import free_port

needs_ray = pytest.mark.skipif(
    find_spec("ray") is None or os.name != "posix", reason="needs pip install 'latentfu[ray]'"
)
_SSH = """#!/bin/sh
# ssh -o X -o Y HOST COMMAND, on this machine; each host has a home of its own
while [ "$1" = -o ]; do shift 2; done
echo "$1 $2" >> "$ROOT/asked"
[ "$1" = gone ] && { echo "ssh: Could not resolve hostname gone" >&2; exit 255; }
LATENTFU_HOME="$ROOT/home-$1" exec sh -c "$2"
"""
Call = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def call(tmp_path: Path) -> Iterator[Call]:
    """The program with that ssh before any other on its path."""
    programs = tmp_path / "bin"
    programs.mkdir()
    ssh = programs / "ssh"
    ssh.write_text(_SSH)
    ssh.chmod(0o755)
    own = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    environment = {
        **own, "PATH": f"{programs}:{os.environ['PATH']}", "ROOT": str(tmp_path),
        "HOME": str(tmp_path), "LATENTFU_HOME": str(tmp_path / "home-here"),
    }  # fmt: skip

    def run(*words: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "latentfu", *map(str, words)]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, cwd=tmp_path
        )

    yield run
    run("cluster", "down")


def count_processes(root: Path) -> int:
    """Ray's processes with this test's home."""
    found = 0
    for place in Path("/proc").glob("[0-9]*/environ"):
        try:
            found += f"ROOT={root}".encode() in place.read_bytes() and b"ray" in (
                place.with_name("cmdline").read_bytes()
            )
        except OSError:
            continue
    return found


@needs_ray
@pytest.mark.cluster
def test_a_cluster_comes_up_works_and_goes_down(call: Call, tmp_path: Path) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text("# two machines\none cpus=1\ngone\n")
    ports = ("--port", free_port(), "--client-port", free_port())
    words = ("cluster", "up", hosts, "--cpus", "1", "--address", "127.0.0.1", *ports)
    up = call(*words, "--json")
    assert up.returncode == 1, up.stderr
    told = json.loads(up.stdout)
    one, gone = told["hosts"]
    assert one == {"host": "one", "error": None}
    assert "gone cannot be used (ssh: Could not resolve hostname gone)" in gone["error"]
    again = call("cluster", "up", hosts)
    assert again.returncode == 1 and "latentfu cluster down ends it" in again.stderr

    status = json.loads(call("cluster", "status", "--json").stdout)["machines"]
    assert [(each["alive"], each["cpus"]) for each in status] == [(True, 1), (True, 1)]

    out = tmp_path / "out"
    words = ("directions", "sample", "--count", "40", "--out", out, "--engine", told["engine"])
    ran = call(*words)
    assert ran.returncode == 0 and len(list(out.glob("*.png"))) == 40, ran.stderr

    tokens = [tmp_path / f"home-{name}" / "config" / "ray-token" for name in ("here", "one")]
    assert tokens[0].read_text() == tokens[1].read_text()
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in tokens)
    assert tokens[0].read_text() not in (tmp_path / "asked").read_text()

    down = call("cluster", "down")
    assert "The cluster is down" in down.stdout
    until = time.monotonic() + 60
    while count_processes(tmp_path) and time.monotonic() < until:
        time.sleep(0.2)
    assert count_processes(tmp_path) == 0
    assert (
        call("cluster", "status").returncode == 1 and "error" not in call("cluster", "down").stderr
    )


def test_hosts_are_read_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "hosts"
    path.write_text("\nanna@10.0.0.7 cpus=8 gpus=1 python=/opt/lf/bin/python  # by the window\nb\n")
    assert read_hosts(path) == [
        ClusterHost("anna@10.0.0.7", 8, 1, "/opt/lf/bin/python"), ClusterHost("b"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("# none\n", "names no host"),
        ("one two\n", "line 1: 'two' is not like cpus=8"),
        ("one\none cpus=many\n", "line 2: 'cpus=many'"),
        ("-oProxyCommand=sh\n", "is no host"),
    ],
)
def test_wrong_lines_are_sentences(tmp_path: Path, text: str, word: str) -> None:
    path = tmp_path / "hosts"
    path.write_text(text)
    with pytest.raises(BadInputError, match=word):
        read_hosts(path)
    with pytest.raises(BadInputError, match="cannot be read as a list of hosts"):
        read_hosts(tmp_path / "missing")
