"""How the server is: what it does, its log, and a report for whoever is asked for help."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import finder, remote
from .client import ServerClient
from .errors import PluginError, UnusableServerError
from .sent_texts import translate_sent
from .translate import _

UNFINISHED = ("queued", "running")
LOG_LINES = 200
_NOTHING = _("The Latent-Fu server is not running.")


@dataclass(frozen=True)
class ServerState:
    """``sentence``: all of it in words; ``lost``: whether something is wrong with it.

    ``health`` and ``jobs`` as the server gives them, empty while none runs; of the jobs those that
    wait or run, the one at work first. ``is_remote``: whether another machine was chosen.
    """

    sentence: str
    running: bool = False
    lost: bool = False
    health: dict[str, Any] = field(default_factory=dict)
    jobs: list[dict[str, Any]] = field(default_factory=list)
    is_remote: bool = False


def look() -> ServerState:
    """The server as it is now; never raises."""
    try:
        found = finder.find()
        if not found:
            return ServerState(_NOTHING)
        client, health = found
        with client:
            jobs = client.get("/v1/jobs")["jobs"]
        open_jobs = [job for job in reversed(jobs) if job["state"] in UNFINISHED]
        open_jobs.sort(key=lambda job: job["state"] != "running")
        is_remote = client.remote is not None
        return ServerState(_say(client, health), True, False, health, open_jobs, is_remote)
    except UnusableServerError as error:
        return ServerState(str(error), True, True)
    except PluginError as error:
        return ServerState(str(error), False, True, is_remote=_is_elsewhere())


def _is_elsewhere() -> bool:
    """Whether a server on another machine was chosen; also when the choice cannot be read."""
    try:
        return remote.read_chosen(finder.config_folder()) is not None
    except PluginError:
        return True


def describe_server() -> str:
    """One sentence on the server's state."""
    found = finder.find()
    if not found:
        return _NOTHING
    client, health = found
    client.close()
    return _say(client, health)


def _say(client: ServerClient, health: Mapping[str, Any]) -> str:
    workers = ", ".join(
        _("worker {state} on {device}").format(
            state=translate_sent(str(one.get("state") or "unknown"), "state"),
            device=one.get("device") or _("an unknown device"),
        )
        for one in read_workers(health)
    )
    if client.remote is not None:
        return _("Pictures go to the Latent-Fu server {version} at {url}, {workers}.").format(
            version=health.get("version", ""), url=client.remote.url, workers=workers
        )
    return _("The Latent-Fu server {version} runs on port {port}, {workers}.").format(
        version=health.get("version", ""), port=client.port, workers=workers
    )


def read_workers(health: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The workers in a health reply; older servers name one only."""
    return list(health.get("workers") or [health.get("worker") or {}])


def end_job(job: str) -> None:
    """End a job, whoever asked for it; raises PluginError."""
    found = finder.find()
    if found:
        with found[0] as client:
            client.delete(f"/v1/jobs/{job}")


def set_idle_minutes(minutes: float) -> None:
    """After how long without use the server ends, 0 never; raises PluginError."""
    found = finder.find()
    if found:
        with found[0] as client:
            client.put("/v1/idle-stop", {"minutes": minutes})


def data_folder() -> Path:
    """Where the server keeps its data and its log (latentfu.core.paths.data_dir)."""
    home = os.environ.get("LATENTFU_HOME")
    if home:
        return Path(home) / "data"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local") / "latentfu"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "latentfu"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "latentfu"


def read_log() -> str:
    """The last lines of this machine's server's log, without any secret."""
    lines = _read_end(data_folder() / "log" / "server.log", LOG_LINES)
    return hide_secrets("\n".join(lines))


def make_report(state: ServerState) -> str:
    """What helps to understand a failure, as text without any secret."""
    lines = [f"Latent-Fu: {state.sentence}", f"Settings: {finder.config_folder()}"]
    for worker in read_workers(state.health):
        if worker:
            told = [worker.get("state"), worker.get("device"), worker.get("message")]
            parts = [str(part) for part in told if part]
            lines.append(f"Worker: {', '.join(parts)}, {worker.get('memory_mb', 0)} MB")
    lines += [f"Job: {job['kind']}, {job['state']}" for job in state.jobs]
    lines.append(f"Python of GIMP {sys.version.split()[0]} on {sys.platform}")
    lines += ["Last start:", *_read_end(finder.config_folder() / "server.log", 30)]
    lines += ["Log:", *_read_end(data_folder() / "log" / "server.log", 60)]
    return hide_secrets("\n".join(lines))


def hide_secrets(text: str) -> str:
    """The text without the token and without the name of the user's folder."""
    token = finder.find_token()
    if token != finder.NO_TOKEN:
        text = text.replace(token, "(token)")
    with contextlib.suppress(PluginError):
        chosen = remote.read_chosen(finder.config_folder())
        if chosen is not None and chosen.token:
            text = text.replace(chosen.token, "(token)")
    return text.replace(str(Path.home()), "~") if len(str(Path.home())) > 1 else text


def _read_end(path: Path, lines: int) -> list[str]:
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - lines * 500))
            found = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return ["(none)"]
    return found[-lines:]
