"""``latentfu gimp doctor``: why is the menu entry missing?"""

from __future__ import annotations

import http.client
import json
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from latentfu.core.errors import StorageError
from latentfu.core.paths import server_path, token_path
from latentfu.protocol.server_address import proves_itself
from latentfu.setup.gimp_checks import (
    Check,
    check_minor,
    check_profile,
    check_python,
    check_strays,
    never_started,
    note,
    ok,
    wrong,
)
from latentfu.setup.gimp_placement import (
    MAIN,
    NAME,
    program_call,
    program_path,
    read_program,
    sandbox_note,
)
from latentfu.setup.gimp_places import (
    InstalledGimp,
    Profile,
    installed_gimps,
    profile_for,
    profiles,
)


def examine_gimp() -> list[Check]:
    """Every check in the order in which a person would go through them."""
    gimps = installed_gimps()
    threes = [gimp for gimp in gimps if gimp.is_three]
    known = profiles()
    found = [_gimp(gimps, threes, known), *check_strays()]
    if threes or known:
        found += _all_profiles(threes, known)
        found += [_check_program(), *_check_server(gimps)]
    for gimp in threes:
        if gimp.packaging != "native":
            found.append(note("sandbox", sandbox_note(gimp.packaging)))
    return [*found, *_config_notes()]


def _gimp(gimps: list[InstalledGimp], threes: list[InstalledGimp], known: list[Profile]) -> Check:
    remedy = f"Install GIMP 3.0 or newer, then run: {program_call('gimp install')}"
    if threes:
        return ok("gimp", " and ".join(str(gimp) for gimp in threes) + ".")
    if known:
        return note("gimp", "No GIMP 3 was found in PATH, but there are folders of one.")
    if gimps:
        return wrong("gimp", f"Only {gimps[0]} was found; Latent-Fu needs GIMP 3.", remedy)
    return wrong("gimp", "No GIMP was found on this machine.", remedy)


def _all_profiles(threes: list[InstalledGimp], known: list[Profile]) -> Iterator[Check]:
    """Profiles of the GIMPs that are installed; the known ones where no GIMP was found."""
    if not threes:
        for profile in known:
            yield from check_profile(profile)
        return
    for gimp in threes:
        profile = profile_for(gimp)
        misplaced = check_minor(gimp.minor, profile, known)
        if misplaced is not None:
            yield misplaced
        elif not profile.folder.is_dir():
            yield never_started(profile)
        else:
            yield from check_profile(profile)
        main = profile.plug_ins / NAME / MAIN
        if main.is_file():
            yield from check_python(gimp, main)


def _check_program() -> Check:
    """``program.json`` names a Python that is there."""
    again = program_call("gimp install")
    try:
        program = read_program()
    except FileNotFoundError:
        message = f"{program_path()} is missing, so the plug-in cannot start the server."
        return wrong("program", message, again)
    except StorageError as error:
        return wrong("program", str(error), again)
    if not program.python.is_file():
        message = f"{program_path()} names {program.python}, which is gone."
        return wrong("program", message, again)
    return ok("program", f"The plug-in starts the server with {program.python}.")


def _check_server(gimps: list[InstalledGimp]) -> Iterator[Check]:
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
        return wrong("token", f"{path} cannot be read ({_reason(error)}).", fresh)
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
        message = f"{path} cannot be read ({_reason(error)})."
        return wrong("server", message, f"Delete {path} and run: {program_call('serve')}")


def _health(where: tuple[str, int, int], token: str, gimps: list[InstalledGimp]) -> Check:
    host, port, pid = where
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        if not proves_itself(connection, token, port):
            return _stranger(pid, port)
        connection.request("GET", "/v1/health", headers={"Authorization": f"Bearer {token}"})
        reply = connection.getresponse()
        body = reply.read(65536)
    except (OSError, http.client.HTTPException):
        if not _alive(pid):
            return _not_running(gimps)
        message = f"The server (process {pid}) does not answer on port {port}."
        return wrong("server", message, f"kill {pid} and run: {program_call('serve')}")
    finally:
        connection.close()
    if reply.status != 200 or b'"status"' not in body:
        return _stranger(pid, port)
    return ok("server", f"The server answers on {host}:{port}.")


def _stranger(pid: int, port: int) -> Check:
    running = f"Stop process {pid}" if _alive(pid) else f"Delete {server_path()}"
    message = (
        f"What answers on port {port}, which {server_path()} names, is not your server: another "
        "program, a server with another token, or an older version."
    )
    return wrong("server", message, f"{running} and run: {program_call('serve')}")


def _not_running(gimps: list[InstalledGimp]) -> Check:
    sandboxed = [gimp for gimp in gimps if gimp.is_three and gimp.packaging != "native"]
    if sandboxed:
        packaging = sandboxed[0].packaging.capitalize()
        message = f"The server is not running, and GIMP from {packaging} cannot start it."
        return wrong("server", message, f"{program_call('serve')} (before you use the menu)")
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


def _config_notes() -> Iterator[Check]:
    """A private home that GIMP, started from the desktop, does not know of."""
    home = os.environ.get("LATENTFU_HOME")
    if home:
        yield note(
            "home",
            f"LATENTFU_HOME is {Path(home)}: GIMP must be started with the same setting.",
        )
