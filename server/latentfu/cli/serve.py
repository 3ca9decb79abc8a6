"""``latentfu serve``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from latentfu.protocol.remote_server import group_fingerprint

if TYPE_CHECKING:
    from latentfu.http.studio.serving import OpenDoor
    from latentfu.http.studio.settings import StudioSettings
    from latentfu.protocol.remote_server import KnownServer
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
@click.option(
    "--worker",
    "machines",
    multiple=True,
    metavar="URL",
    help="A server on another machine that works for this one (repeatable); latentfu servers add "
    "URL --no-use first.",
)
@click.option(
    "--allow-remote",
    is_flag=True,
    help="Let other machines connect over plain http, with the one token; better: --listen.",
)
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
@click.option(
    "--listen",
    metavar="URL",
    help="Let users on other machines in as well, e.g. https://0.0.0.0:7860.",
)
@click.option(
    "--certificate",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="For --listen: the certificate in PEM.  [default: one that is made once]",
)
@click.option(
    "--key", type=click.Path(path_type=Path), metavar="FILE", help="For --listen: its key in PEM."
)
@click.option(
    "--name",
    "names",
    multiple=True,
    metavar="HOST",
    help="For --listen: a host name by which clients call this server (repeatable).",
)
@click.option(
    "--proxy",
    "proxies",
    multiple=True,
    metavar="ADDRESS",
    help="For --listen: a reverse proxy, whose word on a client's address counts (repeatable).",
)
@click.option("--json", "as_json", is_flag=True, help="Say the address as a line of JSON.")
def serve_command(
    *,
    host: str,
    port: int | None,
    devices: tuple[str, ...],
    machines: tuple[str, ...],
    allow_remote: bool,
    log_level: str,
    stop_when_idle: bool,
    as_json: bool,
    **studio: Any,
) -> None:
    """Run the server that GIMP and the other commands use.

    It stops with Ctrl-C, a TERM signal or a POST to /v1/shutdown. With --listen it serves the
    people of a studio as well: latentfu users add NAME makes the token of each.
    """
    from latentfu.http.serve import ServerSettings, serve

    if studio["listen"] is not None and stop_when_idle:
        raise click.UsageError("--stop-when-idle goes with no --listen: others may come any time.")
    settings = ServerSettings(
        host,
        port,
        devices,
        allow_remote,
        log_level,
        stop_when_idle=stop_when_idle,
        studio=_studio_settings(**studio),
        machines=_find_machines(machines),
    )
    if allow_remote:
        click.echo(
            "With --allow-remote tokens and pictures go over the network in clear: --listen "
            "https://... encrypts them, and gives each user a token of his own.",
            err=True,
        )
    serve(settings, _say_json if as_json else _say)


def _find_machines(urls: tuple[str, ...]) -> list[KnownServer]:
    """The servers of these addresses with their tokens; raises BadInputError, ServerError."""
    from latentfu.protocol.remote_server import choose_server

    return [server for url in urls if (server := choose_server(url)) is not None]


def _studio_settings(listen: str | None, **more: Any) -> StudioSettings | None:
    from latentfu.http.studio.settings import StudioSettings, parse_listen

    if listen is None:
        words = {"names": "name", "proxies": "proxy"}
        given = [f"--{words.get(key, key)}" for key, value in more.items() if value]
        if given:
            raise click.UsageError(f"{', '.join(given)} goes with --listen only.")
        return None
    return StudioSettings(*parse_listen(listen), **more)


def _say(address: ServerAddress, door: OpenDoor | None) -> None:
    click.echo(f"Latent-Fu listens on {address.url} (Ctrl-C stops it).")
    if door is not None:
        click.echo(f"Users of other machines come to {door.url} (latentfu users add NAME).")
        click.echo(f"Fingerprint: {group_fingerprint(door.certificate.fingerprint)}")


def _say_json(address: ServerAddress, door: OpenDoor | None) -> None:
    told = asdict(address)
    if door is not None:
        told |= {"studio": door.url, "fingerprint": door.certificate.fingerprint}
    click.echo(json.dumps(told))
