"""Starting the server in the background."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from latentfu.core.errors import ServerError
from latentfu.core.paths import data_dir, make_private
from latentfu.core.progress import Progress

_PROGRAM = "from latentfu.cli.main import main; main(['serve'])"


def start_server(answers: Callable[[], bool], progress: Progress, patience_s: float = 30.0) -> None:
    """Start ``latentfu serve`` on its own and wait until it ``answers``; raises ServerError."""
    log = make_private(data_dir() / "log") / "start.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", _PROGRAM],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    # It outlives us; if it does not, it must not stay a zombie.
    threading.Thread(target=process.wait, daemon=True).start()
    start = time.monotonic()
    while (waited := time.monotonic() - start) < patience_s:
        progress(min(0.95, waited / 5.0), "Starting the server")
        try:
            if answers():
                return
        except ServerError:
            if process.poll() not in (None, 0, 1):
                break  # Exit code 1 may mean that another one was quicker.
        time.sleep(0.05)
    raise ServerError(f"The server did not start: {_last_line(log)}")


def _last_line(log: Path) -> str:
    lines = log.read_text("utf-8", "replace").strip().splitlines()
    return lines[-1][:300] if lines else f"see {log}."
