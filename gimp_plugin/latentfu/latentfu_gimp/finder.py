"""Finding the running server, or starting one."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import remote
from .client import RefusedError, ServerClient
from .errors import (
    PluginError,
    ServerGoneError,
    SilentServerError,
    TokenLostError,
    UnusableServerError,
)
from .translate import _

PATIENCE = 60.0
SOON, BUSY = 5.0, 15.0
"""Seconds in which a server answers, and in which one of a busy machine surely does."""
NO_TOKEN = "lost"
LARGEST_LOG = 1 << 20
# Set by AppImage, Flatpak and GIMP itself for their own programs; harmful for another Python.
FOREIGN = (
    "LD_PRELOAD", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_INSERT_LIBRARIES",
    "DYLD_FALLBACK_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH", "GI_TYPELIB_PATH",
    "GDK_PIXBUF_MODULE_FILE", "GDK_PIXBUF_MODULEDIR", "GIO_MODULE_DIR", "SSL_CERT_FILE",
    "SSL_CERT_DIR", "FONTCONFIG_FILE", "FONTCONFIG_PATH", "XDG_DATA_DIRS", "GEGL_PATH",
    "BABL_PATH",
)  # fmt: skip
Report = Callable[[float, str], None]


def config_folder() -> Path:
    """The folder with ``server.json``, ``token`` and ``program.json``."""
    home = os.environ.get("LATENTFU_HOME")
    return Path(home) / "config" if home else Path.home() / ".config" / "latentfu"


def find(patience: float = SOON) -> tuple[ServerClient, dict[str, Any]] | None:
    """A client of the running server and its health; None when none runs.

    Raises TokenLostError when one runs that does not take the token in our folder,
    SilentServerError when its process is there and does not answer for ``patience`` seconds, and
    PluginError when a server on another machine was chosen and is not to be had.
    """
    chosen = remote.read_chosen(config_folder())
    if chosen is not None:
        return _find_remote(chosen)
    address = _read_address()
    if address is None:
        return None
    client = ServerClient(address.host, address.port, find_token())
    try:
        with client.another(timeout=patience) as probe:
            known = probe.knows_us()
            if known:
                return client, probe.get("/v1/health")
    except (ServerGoneError, RefusedError) as error:
        if isinstance(error, ServerGoneError) and _is_server(address.pid):
            raise SilentServerError(
                _(
                    "The Latent-Fu server (process {pid}) does not answer: restart it in Filters > "
                    "Latent-Fu > Server."
                ).format(pid=address.pid),
                address.pid,
            ) from error
        return None
    if known is None:
        return None  # Somebody else listens where a server once was.
    raise TokenLostError(
        _(
            "A Latent-Fu server runs (process {pid}) that does not take the token in {folder}: "
            "restart it in Filters > Latent-Fu > Server."
        ).format(pid=address.pid, folder=config_folder()),
        address.pid,
    )


def _find_remote(chosen: remote.RemoteServer) -> tuple[ServerClient, dict[str, Any]]:
    """The server that was chosen; no other takes its place. Raises PluginError."""
    client = ServerClient(chosen.host, chosen.port, chosen.token, remote=chosen)
    with client.another(timeout=remote.SHORT) as probe:
        try:
            health: dict[str, Any] = probe.get("/v1/health")
        except RefusedError as error:
            if error.status != 401:
                raise
            raise PluginError(
                _(
                    "The server at {url} does not take your token: ask its administrator for a new "
                    "one."
                ).format(url=chosen.url)
            ) from error
    health.pop("idle_stop_minutes", None)  # others work there: it is not for us to end it
    return client, health


@dataclass(frozen=True)
class _Address:
    """What ``server.json`` says."""

    host: str
    port: int
    pid: int


def _read_address() -> _Address | None:
    try:
        server = json.loads((config_folder() / "server.json").read_text(encoding="utf-8"))
        return _Address(str(server["host"]), int(server["port"]), int(server.get("pid") or 0))
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None


def find_token() -> str:
    """The token; :data:`NO_TOKEN`, which no server takes, when it is lost."""
    try:
        token = (config_folder() / "token").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        token = ""
    return token or NO_TOKEN


def connect(report: Report = lambda fraction, message: None) -> ServerClient:
    """A client of the running server; starts one when there is none.

    A server that has lost our token, does not answer, or is older than what is installed is
    replaced: nobody can use it. ``report`` is called while waiting. Raises PluginError in one
    sentence.
    """
    found = _find_or_end(report)
    if found and found[0].remote is not None:
        report(0.0, _("The picture goes to {url} ...").format(url=found[0].remote.url))
        return found[0]
    if found and not is_outdated(found[1]):
        return found[0]
    if found:
        report(0.0, _("The server is of an earlier version: starting the new one ..."))
        stop()
    if Path("/.flatpak-info").exists():
        raise PluginError(
            _(
                "GIMP runs as a Flatpak and may not start programs: run `latentfu serve` in a "
                "terminal, then try again."
            )
        )
    log = _Log(config_folder() / "server.log")
    process = _start(_program(), log.path)
    return _wait(process, log, report)


def _find_or_end(report: Report) -> tuple[ServerClient, dict[str, Any]] | None:
    """As :func:`find`, but what nobody can use is ended."""
    try:
        try:
            return find()
        except SilentServerError:
            report(0.0, _("The server does not answer: waiting for it ..."))
            return _find_patiently(time.monotonic() + BUSY)
    except TokenLostError as error:
        report(0.0, _("The server does not know this installation: starting it anew ..."))
        end_process(error)
    except SilentServerError as error:
        report(0.0, _("The server does not answer: starting it anew ..."))
        end_process(error)
    return None


def _find_patiently(deadline: float) -> tuple[ServerClient, dict[str, Any]] | None:
    """As :func:`find`; one that is about to end refuses at once, and is not to be hurried."""
    while True:
        try:
            return find(max(SOON, deadline - time.monotonic()))
        except SilentServerError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(0.1)


def is_outdated(health: dict[str, Any]) -> bool:
    """Whether the running server is older than the one that was installed since it started."""
    program, address = config_folder() / "program.json", config_folder() / "server.json"
    try:
        installed = str(json.loads(program.read_text(encoding="utf-8"))["version"])
        running = str(health["version"])
        since = program.stat().st_mtime_ns > address.stat().st_mtime_ns
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return since and _order(running) < _order(installed)


def _order(version: str) -> list[int]:
    """``0.10.2.dev1`` as numbers that can be compared."""
    return [int(part) for part in re.findall(r"\d+", version)[:3]]


def end_process(unusable: UnusableServerError) -> None:
    """End a server that nobody can use; one that hangs does not end when it is asked to.

    Raises ``unusable`` itself when its process cannot be recognized as a server.
    """
    if not _is_server(unusable.pid):
        raise unusable
    kill = getattr(signal, "SIGKILL", signal.SIGTERM)  # Windows has one way only.
    is_silent = isinstance(unusable, SilentServerError)
    for order, seconds in ((signal.SIGTERM, 3.0 if is_silent else 15.0), (kill, 15.0)):
        if _is_server(unusable.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(unusable.pid, order)
            _wait_for_end(unusable.pid, seconds)


def _wait_for_end(pid: int, seconds: float = 15.0) -> None:
    """Until a server's process is gone: it answers no more before it lets go of its lock."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and _is_server(pid):
        time.sleep(0.1)


def _is_server(pid: int) -> bool:
    """Whether a process is ``latentfu serve``; a number may have gone to another program."""
    if pid <= 0:
        return False
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        words = _ask_ps(pid)
    started_here = "serve" in words and any(Path(word).name == "latentfu" for word in words)
    return started_here or "from latentfu.cli.main import main; main(['serve'])" in words


def _ask_ps(pid: int) -> list[str]:
    """The command line of a process where there is no /proc."""
    try:
        done = subprocess.run(
            ["ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False
        )
    except OSError:
        return []
    return done.stdout.split()


def stop() -> bool:
    """Stop the running server; False when none runs."""
    try:
        found = find()
    except UnusableServerError as error:
        end_process(error)
        return True
    if not found:
        return False
    client, health = found
    if client.remote is not None:
        raise PluginError(
            _("The server at {url} is not this machine's: its administrator stops it.").format(
                url=client.remote.url
            )
        )
    with client:
        client.post("/v1/shutdown")
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and _is_there():
        time.sleep(0.1)
    _wait_for_end(int(health.get("pid") or 0))
    return True


def restart() -> None:
    """Stop the server, whatever state it is in, and start it anew."""
    stop()
    connect().close()


def _is_there() -> bool:
    try:
        return find() is not None
    except UnusableServerError:
        return True


def _program() -> list[str]:
    file = config_folder() / "program.json"
    if file.exists():
        try:
            python = str(json.loads(file.read_text(encoding="utf-8"))["python"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise PluginError(
                _("{file} cannot be read: run `latentfu gimp install` again.").format(file=file)
            ) from error
        if not Path(python).exists():
            raise PluginError(
                _("The Python that has Latent-Fu is gone ({python}): run install.py again.").format(
                    python=python
                )
            )
        return [python, "-m", "latentfu"]
    program = shutil.which("latentfu")
    if not program:
        raise PluginError(
            _(
                "The Latent-Fu server is not installed for this user: run install.py, or "
                "`latentfu gimp install` where it is installed."
            )
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
        with log.open("ab") as out:  # What an earlier start said stays.
            return subprocess.Popen(
                [*program, "serve", "--stop-when-idle"],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=log.parent,
                **options,
            )
    except OSError as error:
        raise PluginError(
            _(
                "The Latent-Fu server could not be started ({reason}): run `latentfu serve` in a "
                "terminal, then try again."
            ).format(reason=error.strerror or error)
        ) from error


def _wait(process: subprocess.Popen[bytes], log: _Log, report: Report) -> ServerClient:
    began = time.monotonic()
    while (waited := time.monotonic() - began) < PATIENCE:
        report(min(waited / 10.0, 0.95), _("Starting the Latent-Fu server ..."))
        found = None
        # It comes up slowly on a busy machine, and listens before it has made a new token.
        with contextlib.suppress(UnusableServerError):
            found = find()
        if found:
            # It outlives us; if it does not, it must not stay a zombie.
            threading.Thread(target=process.wait, daemon=True).start()
            return found[0]
        if process.poll() not in (None, 0):
            raise PluginError(
                _("The Latent-Fu server could not be started: {reason}").format(
                    reason=log.last_line()
                )
            )
        time.sleep(0.1)
    raise PluginError(
        _("The Latent-Fu server did not answer within {seconds} seconds: see {log}.").format(
            seconds=round(PATIENCE), log=log.path
        )
    )


class _Log:
    """The file that a started server writes to; earlier starts are kept in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._since = path.stat().st_size if path.is_file() else 0
        if self._since > LARGEST_LOG:
            path.unlink()
            self._since = 0

    def last_line(self) -> str:
        """The last line that this start wrote."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._since)
                lines = file.read().decode("utf-8", "replace").strip().splitlines()
        except OSError:
            lines = []
        return (
            lines[-1].strip()[:300]
            if lines
            else _("run `latentfu serve` in a terminal to see why.")
        )
