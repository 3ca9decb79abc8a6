"""The child that reads files of others has no network, where the system can take it away."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from latentfu.sandbox import parent
from latentfu.sandbox.no_network import no_network_prefix

needs_namespaces = pytest.mark.skipif(
    not no_network_prefix(), reason="this system gives no network namespaces"
)


def reach(port: int) -> str:
    return f"import socket; socket.create_connection(('127.0.0.1', {port}), 2); print('reached')"


@needs_namespaces
def test_it_reaches_no_address_not_even_this_machines_own() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        command = [sys.executable, "-c", reach(listening.getsockname()[1])]
        free = subprocess.run(command, capture_output=True, text=True, check=False)
        held = subprocess.run(
            [*no_network_prefix(), *command], capture_output=True, text=True, check=False
        )
    assert free.stdout.strip() == "reached"
    assert held.returncode and "reached" not in held.stdout
    assert "unreachable" in held.stderr


@needs_namespaces
def test_it_is_who_it_was_and_killed_as_one_process() -> None:
    code = "import os; print(os.getuid(), os.getpid())"
    process = subprocess.Popen(
        [*no_network_prefix(), sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
    )
    out, _ = process.communicate(timeout=20)
    assert out.split() == [str(os.getuid()), str(process.pid)]


@needs_namespaces
@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("setpriv") is None, reason="needs root, to become another"
)
def test_a_user_without_rights_can_have_it_too() -> None:
    """Or is refused by the system, and then works as before."""
    code = "from latentfu.sandbox.no_network import no_network_prefix; print(no_network_prefix())"
    asked = subprocess.run(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
    )
    if asked.returncode:
        pytest.skip("another user cannot read this Python")
    assert asked.stdout.strip() == "()" or "--user" in asked.stdout


@needs_namespaces
def test_files_of_others_are_read_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import numpy as np

    seen: list[list[str]] = []
    run = parent._run

    def watch(command: list[str], *more: object) -> None:
        seen.append(command)
        run(command, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(parent, "_run", watch)
    np.save(tmp_path / "codes.npy", np.arange(6.0))
    found = parent.read_foreign(tmp_path / "codes.npy").content
    assert np.array_equal(found, np.arange(6.0))
    assert tuple(seen[0][: len(no_network_prefix())]) == no_network_prefix()
