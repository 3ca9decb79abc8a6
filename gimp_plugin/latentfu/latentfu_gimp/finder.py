"""Finding the running server, or starting one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .client import Client, RefusedError
from .errors import PluginError, ServerGoneError

PATIENCE = 60.0
# Set by AppImage, Flatpak and GIMP itself for their own programs; harmful for another Python.
FOREIGN = ("LD_PRELOAD", "LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH", "GI_TYPELIB_PATH")
Report = Callable[[float, str], None]


def config_folder() -> Path:
    """The folder with ``server.json``, ``token`` and ``program.json``."""
    home = os.environ.get("LATENTFU_HOME")
    return Path(home) / "config" if home else Path.home() / ".config" / "latentfu"


def find() -> tuple[Client, dict[str, Any]] | None:
    """A client of the running server and its health; None when none runs.

    Raises PluginError when something runs that does not accept us.
    """
    folder = config_folder()
    try:
        server = json.loads((folder / "server.json").read_text(encoding="utf-8"))
        host, port = str(server["host"]), int(server["port"])
        token = (folder / "token").read_text(encoding="ascii").strip()
    except (OSError, ValueError, KeyError, TypeError):
        return None
    client = Client(host, port, token)
    try:
        with client.another(timeout=5.0) as probe:
            return client, probe.get("/v1/health")
    except ServerGoneError:  # or a stranger listens there: then one is started, elsewhere
        return None
    except RefusedError as error:
        raise PluginError(str(error)) from error


def connect(report: Report = lambda fraction, message: None) -> Client:
    """A client of the running server; starts one when there is none.

    ``report`` is called while waiting. Raises PluginError in one sentence.
    """
    found = find()
    if found:
        return found[0]
    if Path("/.flatpak-info").exists():
        raise PluginError(
            "GIMP runs as a Flatpak and may not start programs: run `latentfu serve` in a "
            "terminal, then try again."
        )
    log = config_folder() / "server.log"
    process = _start(_program(), log)
    return _wait(process, log, report)


def stop() -> bool:
    """Stop the running server; False when none runs."""
    found = find()
    if not found:
        return False
    client, _ = found
    with client:
        client.post("/v1/shutdown")
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and find():
        time.sleep(0.1)
    return True


def _program() -> list[str]:
    file = config_folder() / "program.json"
    if file.exists():
        try:
            python = str(json.loads(file.read_text(encoding="utf-8"))["python"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise PluginError(
                f"{file} cannot be read: run `latentfu gimp install` again."
            ) from error
        if not Path(python).exists():
            raise PluginError(
                f"The Python that has Latent-Fu is gone ({python}): run install.py again."
            )
        return [python, "-m", "latentfu"]
    program = shutil.which("latentfu")
    if not program:
        raise PluginError(
            "The Latent-Fu server is not installed for this user: run install.py, or "
            "`latentfu gimp install` where it is installed."
        )
    return [program]


def _start(program: list[str], log: Path) -> subprocess.Popen[bytes]:
    environment = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    options: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
        options = {"creationflags": flags}
    try:
        log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with log.open("wb") as out:
            return subprocess.Popen(
                [*program, "serve"],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=log.parent,
                **options,
            )
    except OSError as error:
        raise PluginError(
            f"The Latent-Fu server could not be started ({error.strerror or error}): run "
            "`latentfu serve` in a terminal, then try again."
        ) from error


def _wait(process: subprocess.Popen[bytes], log: Path, report: Report) -> Client:
    began = time.monotonic()
    while (waited := time.monotonic() - began) < PATIENCE:
        report(min(waited / 10.0, 0.95), "Starting the Latent-Fu server ...")
        found = find()
        if found:
            return found[0]
        if process.poll() not in (None, 0):
            raise PluginError(f"The Latent-Fu server could not be started: {_last_line(log)}")
        time.sleep(0.1)
    raise PluginError(
        f"The Latent-Fu server did not answer within {PATIENCE:.0f} seconds: see {log}."
    )


def _last_line(log: Path) -> str:
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        lines = []
    return lines[-1].strip()[:300] if lines else "run `latentfu serve` in a terminal to see why."
