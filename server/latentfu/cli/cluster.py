"""``latentfu cluster``: Ray on the machines of a file, for ``--engine ray://HOST:PORT``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from latentfu.cli.output import json_option, print_json, print_table
from latentfu.core.errors import ServerError

if TYPE_CHECKING:
    from latentfu.engine.cluster import HostAnswer

_PORT = click.IntRange(1, 65535)


@click.command("up")
@click.argument("hosts", type=click.Path(path_type=Path), metavar="HOSTS-FILE")
@click.option(
    "--address", metavar="IP", help="This machine's, as the others reach it (default: it looks)."
)
@click.option(
    "--cpus", type=click.IntRange(0), metavar="N",
    help="Workers of one core each on this machine (default: all cores).",
)  # fmt: skip
@click.option("--port", type=_PORT, default=6379, show_default=True, help="Where the others join.")
@click.option(
    "--client-port", type=_PORT, default=10001, show_default=True, help="Where --engine goes."
)
@json_option
def cluster_up(hosts: Path, as_json: bool, **asked: Any) -> None:
    """Start a cluster of the machines in HOSTS-FILE, with its head here.

    A line for each machine: [user@]host, then cpus=N, gpus=N and python=PATH as needed. ssh must
    reach it without a password, and Latent-Fu of this version with Ray must be installed there, in
    the same place or the one that python= names.
    """
    from latentfu.engine.cluster import ClusterHead, read_hosts, start_cluster

    head = ClusterHead(**asked)
    answers = start_cluster(read_hosts(hosts), head)
    use = f"ray://127.0.0.1:{head.client_port}"
    if as_json:
        print_json({"engine": use, "hosts": _as_rows(answers)})
    else:
        click.echo(f"{_count_good(answers)} of {len(answers)} machines joined: --engine {use}")
    _tell_failures(answers, as_json)


@click.command("down")
@json_option
def cluster_down(as_json: bool) -> None:
    """End the cluster, and nothing else that runs on its machines."""
    from latentfu.engine.cluster import stop_cluster

    answers = stop_cluster()
    if as_json:
        print_json({"hosts": _as_rows(answers)})
    else:
        click.echo(f"The cluster is down; {_count_good(answers)} of {len(answers)} machines left.")
    _tell_failures(answers, as_json)


@click.command("status")
@json_option
def cluster_status(as_json: bool) -> None:
    """List the machines of the cluster whose head is here."""
    from latentfu.engine.cluster import list_machines

    machines = list_machines()
    if as_json:
        print_json({"machines": machines})
        return
    cells = [
        (each["address"], "up" if each["alive"] else "lost", str(each["cpus"]), str(each["gpus"]))
        for each in machines
    ]
    print_table(("machine", "state", "cpus", "gpus"), cells)


def _as_rows(answers: list[HostAnswer]) -> list[dict[str, object]]:
    return [{"host": each.host, "error": each.error or None} for each in answers]


def _count_good(answers: list[HostAnswer]) -> int:
    return sum(not each.error for each in answers)


def _tell_failures(answers: list[HostAnswer], as_json: bool) -> None:
    """A failure where a machine could not be used; raises ServerError."""
    errors = [each.error for each in answers if each.error]
    if errors and as_json:
        click.get_current_context().exit(1)
    if errors:
        raise ServerError("\n".join(errors))
