"""A cluster of the machines in a file: the head here, the others over ssh."""

from __future__ import annotations

import concurrent.futures
import json
import shlex
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from latentfu.core.errors import BadInputError, LatentFuError, ServerError
from latentfu.core.paths import config_dir, make_private
from latentfu.engine.cluster_node import NodeOrder, start_node, stop_node, write_order
from latentfu.engine.ray_security import read_ray_token
from latentfu.storage.atomic import write_whole

_SSH = ("ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10")
_PATIENCE_S = 150.0
_MODULE = "latentfu.engine.cluster_node"


@dataclass(frozen=True)
class ClusterHost:
    """A line of the hosts file.

    Attributes:
        name: as ssh takes it, ``[user@]host``.
        cpus: workers of one core each; None for all cores.
        gpus: graphics cards; None for all.
        python: the Python there that has Latent-Fu; None for the path of this one.
    """

    name: str
    cpus: int | None = None
    gpus: int | None = None
    python: str | None = None


@dataclass(frozen=True)
class ClusterHead:
    """What this machine is in a cluster.

    Attributes:
        address: as the others reach it; None for what it finds itself.
        port: where they join.
        client_port: where ``ray://HOST:PORT`` goes.
        cpus: workers of one core each on this machine; None for all cores.
    """

    address: str | None = None
    port: int = 6379
    client_port: int = 10001
    cpus: int | None = None


@dataclass(frozen=True)
class HostAnswer:
    """What a machine said; ``error``: a sentence, "" where all is well."""

    host: str
    error: str = ""


def read_hosts(path: Path) -> list[ClusterHost]:
    """The machines of a file: lines like ``anna@10.0.0.7 cpus=8 gpus=1 python=/opt/lf/bin/python``.

    Args:
        path: the file; what follows a # is not read.

    Returns:
        The machines, in the order of the file.

    Raises:
        BadInputError: a line is otherwise, or there is none.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise BadInputError(f"{path} cannot be read as a list of hosts: {error}.") from error
    found = []
    for number, line in enumerate(lines, 1):
        words = line.partition("#")[0].split()
        if words:
            found.append(_read_host(words, f"{path}, line {number}"))
    if not found:
        raise BadInputError(f"{path} names no host: write a line for each machine.")
    return found


def _read_host(words: Sequence[str], where: str) -> ClusterHost:
    name, *rest = words
    facts: dict[str, Any] = {}
    for word in rest:
        key, _, value = word.partition("=")
        if key in ("cpus", "gpus") and value.isdecimal():
            facts[key] = int(value)
        elif key == "python" and value:
            facts[key] = value
        else:
            raise BadInputError(f"{where}: {word!r} is not like cpus=8, gpus=1 or python=PATH.")
    if name.startswith("-") or "=" in name:
        raise BadInputError(f"{where}: {name!r} is no host.")
    return ClusterHost(name, **facts)


def start_cluster(hosts: Sequence[ClusterHost], head: ClusterHead) -> list[HostAnswer]:
    """The head on this machine and a worker on each host; those that fail are left out.

    Args:
        hosts: the others.
        head: this machine.

    Returns:
        What each host said.

    Raises:
        ServerError: the head does not start.
        NotInstalledError: Ray is not installed here.
    """
    token, place = read_ray_token(), f"{head.address or _find_own_address()}:{head.port}"
    start_node(NodeOrder(token, place, True, head.client_port, head.cpus))
    _remember(hosts, head.client_port)
    orders = [NodeOrder(token, place, cpus=host.cpus, gpus=host.gpus) for host in hosts]
    return _ask_all(hosts, "start", [write_order(order) for order in orders])


def stop_cluster() -> list[HostAnswer]:
    """End the workers on all hosts of the last ``start_cluster``, and the head.

    Returns:
        What each host said; one that cannot be reached is still listed for the next time.
    """
    hosts, port = _recall()
    answers = _ask_all(hosts, "stop", [""] * len(hosts))
    stop_node()
    failed = {answer.host for answer in answers if answer.error}
    left = [host for host in hosts if host.name in failed]
    if left:
        _remember(left, port)
    else:
        _cluster_file().unlink(missing_ok=True)
    return answers


def _ask_all(hosts: Sequence[ClusterHost], word: str, texts: Sequence[str]) -> list[HostAnswer]:
    """All at once; the answers in their order."""
    with concurrent.futures.ThreadPoolExecutor(max(1, min(32, len(hosts)))) as threads:
        return list(threads.map(_ask_host, hosts, [word] * len(hosts), texts))


def _ask_host(host: ClusterHost, word: str, text: str) -> HostAnswer:
    """Run the node's module on a host over ssh."""
    command = shlex.join([host.python or sys.executable, "-m", _MODULE, word])
    try:
        told = subprocess.run(
            [*_SSH, host.name, command],
            input=text, capture_output=True, text=True, timeout=_PATIENCE_S, check=False,
        )  # fmt: skip
        answer = json.loads(told.stdout.strip().splitlines()[-1]) if told.stdout.strip() else {}
    except FileNotFoundError:
        return HostAnswer(host.name, "There is no ssh on this machine: install it.")
    except subprocess.TimeoutExpired:
        return HostAnswer(host.name, f"{host.name} does not answer: see whether ssh reaches it.")
    except ValueError:
        answer = {}
    if not answer:
        lines = told.stderr.strip().splitlines()
        said = lines[-1].rstrip(".") if lines else f"exit status {told.returncode}"
        return HostAnswer(
            host.name,
            f"{host.name} cannot be used ({said}): see that `ssh {host.name} {command}` works.",
        )
    return HostAnswer(host.name, str(answer.get("error", "")))


def _find_own_address() -> str:
    """The address that this machine has on the network; no packet is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        try:
            found.connect(("10.255.255.255", 9))
        except OSError:
            return "127.0.0.1"
        return str(found.getsockname()[0])


def list_machines() -> list[dict[str, Any]]:
    """The machines of the cluster whose head is here, with their cores and cards.

    Raises:
        ServerError: none runs here.
        NotInstalledError: Ray is not installed.
    """
    from latentfu.engine.ray_engine import connect_ray

    try:
        with connect_ray(f"ray://127.0.0.1:{_recall()[1]}") as engine:
            nodes = engine.list_nodes()
    except ServerError as error:
        raise ServerError(f"No cluster runs on this machine: {error}") from error
    return nodes


def _cluster_file() -> Path:
    return make_private(config_dir()) / "cluster.json"


def _remember(hosts: Sequence[ClusterHost], client_port: int) -> None:
    rows = [{"name": host.name, "python": host.python} for host in hosts]
    told = {"hosts": rows, "client_port": client_port}
    write_whole(_cluster_file(), json.dumps(told).encode(), mode=0o600)


def _recall() -> tuple[list[ClusterHost], int]:
    """The hosts of the last cluster, and the port of its door for clients."""
    try:
        told = json.loads(_cluster_file().read_text("utf-8"))
        hosts = [ClusterHost(str(each["name"]), python=each["python"]) for each in told["hosts"]]
        return hosts, int(told["client_port"])
    except FileNotFoundError:
        return [], ClusterHead.client_port
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LatentFuError(
            f"{_cluster_file()} cannot be read: remove it, and end the workers on their machines."
        ) from error
