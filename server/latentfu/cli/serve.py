"""``latentfu serve``."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from latentfu.protocol.server_address import ServerAddress


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=None,
    help="Port; 0 for any free one.  [default: 7860, or any free one if that is taken]",
)
@click.option(
    "--device",
    "devices",
    multiple=True,
    default=("auto",),
    show_default=True,
    help="cpu, cuda, cuda:1, ...; given twice, two workers.",
)
@click.option("--allow-remote", is_flag=True, help="Let other machines connect (with the token).")
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    help="What the log holds.",
)
@click.option(
    "--stop-when-idle",
    is_flag=True,
    help="End when nobody has used it for the time set in GIMP (30 minutes).",
)
@click.option("--json", "as_json", is_flag=True, help="Say the address as a line of JSON.")
def serve_command(
    *,
    host: str,
    port: int | None,
    devices: tuple[str, ...],
    allow_remote: bool,
    log_level: str,
    stop_when_idle: bool,
    as_json: bool,
) -> None:
    """Run the server that GIMP and the other commands use.

    It stops with Ctrl-C, a TERM signal or a POST to /v1/shutdown.
    """
    from latentfu.http.serve import ServerSettings, serve

    settings = ServerSettings(
        host, port, devices, allow_remote, log_level, stop_when_idle=stop_when_idle
    )
    serve(settings, _say_json if as_json else _say)


def _say(address: ServerAddress) -> None:
    click.echo(f"Latent-Fu listens on {address.url} (Ctrl-C stops it).")


def _say_json(address: ServerAddress) -> None:
    click.echo(json.dumps(asdict(address)))
