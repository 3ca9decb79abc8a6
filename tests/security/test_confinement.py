"""The child that reads files of others has no network, where the system can take it away."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from latentfu.core.process_memory import measure_machine
from latentfu.sandbox import parent
from latentfu.sandbox.no_network import no_network_prefix

from tests.support.serving import pixel_body

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


def confined(code: str) -> str:
    """What Python code says after the child's calls were forbidden."""
    start = "from latentfu.sandbox.few_calls import forbid_calls; print(forbid_calls(), end=' ')"
    command = [sys.executable, "-c", f"{start}\n{code}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return done.stdout.strip() + done.stderr.strip()[-200:]


needs_seccomp = pytest.mark.skipif(
    not confined("").startswith("True"), reason="this system has no libseccomp"
)


@needs_seccomp
@pytest.mark.parametrize(
    "attempt",
    [
        "__import__('subprocess').run(['true'])",
        "__import__('os').system('true') and 1 / 0",
        "__import__('os').execv('/bin/true', ['true'])",
        "__import__('os').fork()",
        "__import__('socket').socket()",
        "__import__('socket').socketpair()",
        "__import__('os').kill(__import__('os').getppid(), 0)",
        "__import__('os').setuid(65534)",
        "__import__('threading').Thread(target=print).start()",
    ],
)
def test_it_starts_no_program_and_reaches_no_other(attempt: str) -> None:
    told = confined(f"{attempt}\nprint('done')")
    assert told.startswith("True") and "done" not in told, told


@needs_seccomp
def test_it_reads_and_writes_files_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "in").write_text("3")
    code = f"import pathlib; p = pathlib.Path({str(tmp_path)!r})\n"
    told = confined(code + "(p / 'out').write_text((p / 'in').read_text()); print('done')")
    assert told == "True done" and (tmp_path / "out").read_text() == "3"


@needs_seccomp
def test_the_reader_itself_is_held(tmp_path: Path) -> None:
    """By the filter that the system shows for the process, not by what we say of it."""
    import numpy as np

    big = tmp_path / "big.npy"
    np.save(big, np.zeros(1))
    seen: list[str] = []
    found = Path("/proc/self/task")
    assert found.exists()

    def look(_fraction: float, _message: str = "") -> None:
        for status in Path("/proc").glob("[0-9]*/status"):
            with contextlib.suppress(OSError):
                words = status.with_name("cmdline").read_bytes().split(b"\0")
                if b"latentfu.sandbox.child" in words and str(big).encode() in words:
                    seen.extend(re.findall(r"Seccomp:\s+(\d)", status.read_text()))

    with big.open("r+b") as file:  # hashing it takes a while
        file.truncate(1 << 30)
    parent.read_foreign(big, look)
    assert "2" in seen


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone has such a limit")
def test_server_and_worker_have_a_limit_of_memory(start) -> None:
    server = start()
    job = server.put_job(server.put_layer(pixel_body()))
    server.wait_for(job)

    def limit_of(pid: int) -> int:
        found = re.search(r"Max data size\s+(\d+)", Path(f"/proc/{pid}/limits").read_text())
        return int(found[1]) if found else 0

    worker = server.worker_pid()
    assert limit_of(server.process.pid) == 2 << 30
    assert limit_of(worker) == int(0.9 * measure_machine())
    much = {"hoard": min(100, int(measure_machine() / 2**30) + 1)}
    failed = server.wait_for(server.put_job(server.put_layer(pixel_body()), edits=much))
    assert (failed["state"], failed["error"]["code"]) == ("failed", "memory")
    assert server.worker_pid() == worker  # nothing was killed for it


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
