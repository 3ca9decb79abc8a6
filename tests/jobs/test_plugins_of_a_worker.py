"""A server whose plug-ins crash, hang, come and go while it runs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.broken_plugins import inverter
from tests.support.serving import Server, wait_until

Start = Callable[..., Server]


def put(home: Path, name: str, text: str) -> Path:
    path = home / "config" / "plugins" / f"{name}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def plugin(server: Server, name: str) -> Any:
    status, body = server.get("/v1/plugins")
    assert status == 200, body
    return next((one for one in body["plugins"] if one["name"] == name), None)


def test_one_that_ends_the_process_is_named_and_set_aside(start: Start, tmp_path: Path) -> None:
    put(tmp_path, "crash", "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)")
    put(tmp_path, "fine", inverter("fine"))
    server = start(real=True)
    crash = plugin(server, "crash")
    assert crash["state"] == "quarantined"
    assert crash["reason"].startswith("ended the whole program, or hung, 2 times")
    assert plugin(server, "fine")["state"] == "ok"
    assert "was ended by SIGSEGV while the plug-in crash was imported or asked" in server.log
    put(tmp_path, "crash", inverter("mended"))
    wait_until(lambda: plugin(server, "crash")["state"] == "ok")


def test_one_that_never_comes_back_is_named_and_set_aside(start: Start, tmp_path: Path) -> None:
    put(tmp_path, "sleepy", "import time\ntime.sleep(3600)")
    server = start(real=True, limits={"import_s": 3.0})
    sleepy = plugin(server, "sleepy")
    assert sleepy["state"] == "quarantined"
    assert "the plug-in sleepy has not come back after 3 s" in server.log


def test_a_running_server_takes_up_what_comes_and_goes(start: Start, tmp_path: Path) -> None:
    server = start(real=True)
    assert plugin(server, "late") is None
    path = put(tmp_path, "late", inverter("late"))
    wait_until(lambda: plugin(server, "late") is not None)
    assert plugin(server, "late")["state"] == "ok"
    path.write_text(inverter("later"))
    names = lambda: [one["name"] for one in server.get("/v1/inverters")[1]["inverters"]]  # noqa: E731
    wait_until(lambda: "later" in names())
    assert "late" not in names()
    environment = {"LATENTFU_HOME": str(tmp_path)}
    subprocess.run(
        [sys.executable, "-m", "latentfu", "plugins", "disable", "late"],
        env=environment,
        check=True,
        capture_output=True,
    )
    wait_until(lambda: plugin(server, "late")["state"] == "disabled")
    assert "plug-ins have changed" in server.log


def test_the_command_line_sets_aside_after_the_second_death(isolated_home: Path) -> None:
    put(isolated_home, "crash", "import os\nos._exit(7)")

    def list_plugins() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "latentfu", "plugins", "list"]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert list_plugins().returncode == 7
    second = list_plugins()
    assert second.returncode == 7
    assert "The plug-in crash ended a process while it was imported" in second.stderr
    third = list_plugins()
    assert third.returncode == 0
    assert "ended the whole program, or hung, 2 times" in third.stdout
    enable = [sys.executable, "-m", "latentfu", "plugins", "enable", "crash"]
    assert subprocess.run(enable, check=False, capture_output=True).returncode == 0
    assert list_plugins().returncode == 7
