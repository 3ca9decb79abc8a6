"""One machine of a cluster: its Ray is started and ended by ``python -m`` of this module.

``start`` reads one line of JSON (:class:`NodeOrder`) from standard input, so that the token is
never among a command's words, which other users can see. Both print one line of JSON.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from latentfu.core.errors import LatentFuError, NotInstalledError, ServerError
from latentfu.core.paths import config_dir, data_dir, make_private
from latentfu.engine.ray_security import keep_ray_token, ray_environment
from latentfu.storage.atomic import write_whole

_START_S = 90.0
_END_S = 20.0
_PAUSE_S = 0.2
_STARTED = "Ray runtime started"


@dataclass(frozen=True)
class NodeOrder:
    """What a machine is asked to be.

    Attributes:
        token: of the cluster.
        address: HOST:PORT of the head; for the head itself, where it is to be.
        head: whether it is the head.
        client_port: of the head, where ``ray://HOST:PORT`` goes.
        cpus: workers of one core each; None for all cores.
        gpus: graphics cards; None for all.
    """

    token: str
    address: str
    head: bool = False
    client_port: int = 0
    cpus: int | None = None
    gpus: int | None = None


def start_node(order: NodeOrder) -> int:
    """Start this machine's Ray, which stays when this process ends.

    Args:
        order: what it is to be.

    Returns:
        Its process id.

    Raises:
        NotInstalledError: Ray is not installed.
        ServerError: one runs already, or it does not start; its log's last line is told.
    """
    if _find_node() is not None:
        raise ServerError("A Ray of Latent-Fu runs on this machine: latentfu cluster down ends it.")
    program = Path(sys.executable).with_name("ray")
    if not program.is_file():
        raise NotInstalledError(f"Ray is not installed beside {sys.executable}: latentfu[ray].")
    token = keep_ray_token(order.token)
    log = make_private(data_dir() / "log") / "ray.log"
    environment = {**os.environ, "RAY_AUTH_TOKEN_PATH": str(token)}
    environment.pop("RAY_AUTH_TOKEN", None)
    environment |= ray_environment(environment)
    with log.open("wb") as file:
        running = subprocess.Popen(
            [str(program), "start", *_list_words(order)],
            stdin=subprocess.DEVNULL, stdout=file, stderr=file,
            env=environment, start_new_session=True,
        )  # fmt: skip
    write_whole(_node_file(), json.dumps({"pid": running.pid}).encode(), mode=0o600)
    until = time.monotonic() + _START_S
    while time.monotonic() < until and running.poll() is None:
        if _STARTED in log.read_text("utf-8", "replace"):
            return running.pid
        time.sleep(_PAUSE_S)
    stop_node()
    lines = [line for line in log.read_text("utf-8", "replace").splitlines() if line.strip()]
    raise ServerError(
        f"Ray did not start ({lines[-1] if lines else 'it said nothing'}): see {log}."
    )


def _list_words(order: NodeOrder) -> list[str]:
    """What ``ray start`` is told."""
    host, _, port = order.address.rpartition(":")
    words = ["--block", "--disable-usage-stats"]
    if order.head:
        words += [
            "--head", f"--node-ip-address={host}", f"--port={port}",
            f"--ray-client-server-port={order.client_port}", "--include-dashboard=false",
        ]  # fmt: skip
    else:
        words.append(f"--address={order.address}")
    words += [f"--num-cpus={order.cpus}"] if order.cpus is not None else []
    return words + ([f"--num-gpus={order.gpus}"] if order.gpus is not None else [])


def stop_node() -> bool:
    """End the Ray that ``start_node`` started here, and no other; whether there was one."""
    pid = _find_node()
    if pid is not None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        until = time.monotonic() + _END_S
        while _is_ray(pid) and time.monotonic() < until:
            time.sleep(_PAUSE_S)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)  # what it left of its own session
    _node_file().unlink(missing_ok=True)
    return pid is not None


def _node_file() -> Path:
    return make_private(config_dir()) / "ray-node.json"


def _find_node() -> int | None:
    """The process that was started here, if it runs."""
    try:
        pid = int(json.loads(_node_file().read_text("utf-8"))["pid"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return pid if _is_ray(pid) else None


def _is_ray(pid: int) -> bool:
    """Whether a process is a ``ray start``: the number may have become another's."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # a child of ours that has ended
    told = subprocess.run(
        ["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return "ray" in told.stdout and " start " in told.stdout


def main() -> None:
    """``start`` or ``stop`` this machine's Ray."""
    try:
        if sys.argv[1:] == ["start"]:
            told: dict[str, object] = {"pid": start_node(NodeOrder(**json.loads(sys.stdin.read())))}
        else:
            told = {"stopped": stop_node()}
    except LatentFuError as error:
        told = {"error": str(error)}
    print(json.dumps(told))


def write_order(order: NodeOrder) -> str:
    """An order as ``start`` reads it."""
    return json.dumps(asdict(order))


if __name__ == "__main__":
    main()
