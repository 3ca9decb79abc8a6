"""``latentfu drain``: the server ends when its work is done, and takes no more meanwhile."""

from __future__ import annotations

import time

import click

from latentfu.cli.output import json_option, print_json, progress_bar

_LOOK_EVERY_S = 0.5


@click.command("drain")
@click.option(
    "--keep-waiting",
    is_flag=True,
    help="Finish only what runs: jobs that wait are done by the next server.",
)
@json_option
def drain_command(*, keep_waiting: bool, as_json: bool) -> None:
    """Stop the server of this machine when its work is done; it takes no more meanwhile.

    Waits until it has ended. Ctrl-C ends the waiting only: the server drains on.
    """
    from latentfu.client.client import Client
    from latentfu.core.errors import ServerError

    client = Client.connect()
    pid = client.health().pid
    began, most = time.monotonic(), 1
    with progress_bar("Draining", quiet=as_json) as progress:
        while True:
            try:
                if client.health().pid != pid:
                    break  # the next one runs already
                left = client.drain(keep_waiting).left
            except ServerError:
                break
            most = max(most, left)
            progress(1.0 - left / most, f"{left} jobs are left")
            time.sleep(_LOOK_EVERY_S)
    seconds = round(time.monotonic() - began, 1)
    if as_json:
        print_json({"drained": True, "pid": pid, "seconds": seconds})
    else:
        click.echo(f"The server (process {pid}) has ended after {seconds:g} s.")
