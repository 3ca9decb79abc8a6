"""Will the plug-in find or start the server?"""

from __future__ import annotations

import http.client
import json
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from latentfu.core.errors import StorageError
from latentfu.setup.checks import Check, note, ok, wrong
from latentfu.setup.command import typed
from latentfu.setup.places import InstalledGimp
from latentfu.setup.program import program_path, read_program
from latentfu.storage.paths import server_path, token_path


def check_program() -> Check:
    """``program.json`` names a Python that is there."""
    again = typed("gimp install")
    try:
        program = read_program()
    except FileNotFoundError:
        message = f"{program_path()} is missing, so the plug-in can not start the server."
        return wrong("program", message, again)
    except StorageError as error:
        return wrong("program", str(error), again)
    if not program.python.is_file():
        message = f"{program_path()} names {program.python}, which is gone."
        return wrong("program", message, again)
    return ok("program", f"The plug-in starts the server with {program.python}.")


def check_server(gimps: list[InstalledGimp]) -> Iterator[Check]:
    """The token, the address, and who answers there."""
    token = _token()
    if isinstance(token, Check):
        yield token
        return
    where = _address()
    if isinstance(where, Check):
        yield where
        return
    if where is None or token is None:
        yield _not_running(gimps)
        return
    yield ok("token", "The server's secret can be read by you alone.")
    yield _health(where, token, gimps)


def _token() -> str | Check | None:
    path = token_path()
    fresh = f"Stop the server, delete {path} and start the server again: it makes a new one."
    try:
        token = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        return wrong("token", f"{path} can not be read ({_reason(error)}).", fresh)
    if not token:
        return wrong("token", f"{path} is empty.", fresh)
    if sys.platform != "win32" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        return wrong("token", f"{path} can be read by others.", f"chmod 600 {path}")
    return token


def _address() -> tuple[str, int, int] | Check | None:
    path = server_path()
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return str(content["host"]), int(content["port"]), int(content["pid"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"{path} can not be read ({_reason(error)})."
        return wrong("server", message, f"Delete {path} and run: {typed('serve')}")


def _health(where: tuple[str, int, int], token: str, gimps: list[InstalledGimp]) -> Check:
    host, port, pid = where
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/v1/health", headers={"Authorization": f"Bearer {token}"})
        reply = connection.getresponse()
        body = reply.read(65536)
    except (OSError, http.client.HTTPException):
        if not _alive(pid):
            return _not_running(gimps)
        message = f"The server (process {pid}) does not answer on port {port}."
        return wrong("server", message, f"kill {pid} and run: {typed('serve')}")
    finally:
        connection.close()
    if reply.status == 401:
        message = f"The server on port {port} was started with another token."
        return wrong("server", message, f"Stop process {pid} and run: {typed('serve')}")
    if reply.status != 200 or b'"status"' not in body:
        message = f"Another program answers on port {port}, which {server_path()} names."
        return wrong("server", message, f"Delete {server_path()} and run: {typed('serve')}")
    return ok("server", f"The server answers on {host}:{port}.")


def _not_running(gimps: list[InstalledGimp]) -> Check:
    sandboxed = [gimp for gimp in gimps if gimp.is_three and gimp.packaging != "native"]
    if sandboxed:
        packaging = sandboxed[0].packaging.capitalize()
        message = f"The server is not running, and GIMP from {packaging} can not start it."
        return wrong("server", message, f"{typed('serve')} (before you use the menu)")
    return note("server", "The server is not running; the plug-in starts it when it is used.")


def _alive(pid: int) -> bool:
    if sys.platform == "win32" or pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def config_notes() -> Iterator[Check]:
    """A private home that GIMP, started from the desktop, does not know of."""
    home = os.environ.get("LATENTFU_HOME")
    if home:
        yield note(
            "home",
            f"LATENTFU_HOME is {Path(home)}: GIMP must be started with the same setting.",
        )
