"""``latentfu servers``: servers on other machines, and which one does the work."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import click

from latentfu.cli.output import json_option, print_json, print_table
from latentfu.core.errors import BadInputError
from latentfu.protocol.remote_server import (
    HERE,
    KnownServer,
    group_fingerprint,
    parse_fingerprint,
    parse_remote,
    read_known_servers,
)


@click.command("add")
@click.argument("url")
@click.option(
    "--token-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A file with your token.  [default: it is asked for]",
)
@click.option(
    "--fingerprint", metavar="HEX", help="Of the server's certificate, from its administrator."
)
@click.option("--use/--no-use", default=True, help="Work there from now on (default), or not.")
@json_option
def servers_add(
    url: str, token_file: Path | None, fingerprint: str | None, use: bool, as_json: bool
) -> None:
    """Add the server at URL, e.g. https://studio.lan:7860, with the token that you were given.

    Where no authority vouches for its certificate, its fingerprint is shown, and kept if you agree.
    """
    from latentfu.client.client import Client
    from latentfu.client.trust import is_vouched_for
    from latentfu.storage.remote_servers import keep_server

    address = parse_remote(url)
    token = _read_token_of(token_file)
    server = KnownServer(address, token)
    if fingerprint is not None:
        server = replace(server, fingerprint=parse_fingerprint(fingerprint))
    elif not is_vouched_for(address):
        server = _ask_for_trust(server)
    health = Client.connect_to(server).health()
    keep_server(server, use)
    if as_json:
        told = {"url": address.url, "fingerprint": server.fingerprint, "is_used": use}
        print_json({**told, "version": health.version})
        return
    click.echo(f"{address.url} is a Latent-Fu server of version {health.version}.")
    if use:
        click.echo(f"Pictures are sent there from now on; back again: latentfu servers use {HERE}.")


@click.command("list")
@json_option
def servers_list(as_json: bool) -> None:
    """List the servers that were added, and which one is used."""
    servers, used = read_known_servers()
    rows = [
        {"url": url, "fingerprint": each.fingerprint, "is_used": url == used}
        for url, each in servers.items()
    ]
    if as_json:
        print_json({"servers": rows})
        return
    cells = [(HERE, "" if used else "used", "this machine")]
    for row in rows:
        shown = group_fingerprint(str(row["fingerprint"])) or "vouched for by an authority"
        cells.append((str(row["url"]), "used" if row["is_used"] else "", shown))
    print_table(("server", "", "fingerprint"), cells)


@click.command("use")
@click.argument("url")
@json_option
def servers_use(url: str, as_json: bool) -> None:
    """Work at URL from now on; local: on this machine."""
    from latentfu.storage.remote_servers import use_server

    address = None if url == HERE else parse_remote(url)
    use_server(address)
    if as_json:
        print_json({"used": address.url if address else HERE})
    elif address:
        click.echo(f"Pictures are sent to {address.url} from now on.")
    else:
        click.echo("Pictures stay on this machine from now on.")


@click.command("forget")
@click.argument("url")
@json_option
def servers_forget(url: str, as_json: bool) -> None:
    """Forget the server at URL, with its token and its fingerprint."""
    from latentfu.storage.remote_servers import forget_server

    address = parse_remote(url)
    forget_server(address)
    if as_json:
        print_json({"forgotten": address.url})
    else:
        click.echo(f"{address.url} is forgotten.")


def trust_by_asking(server: KnownServer, fingerprint: str) -> KnownServer:
    """The server with the fingerprint that it shows, if the person at the terminal agrees.

    It is kept. Raises BadInputError if not.
    """
    from latentfu.storage.remote_servers import keep_server

    trusted = _confirm(server, fingerprint)
    keep_server(trusted, use=False)
    return trusted


def _ask_for_trust(server: KnownServer) -> KnownServer:
    from latentfu.client.trust import UnknownServerError, fetch_fingerprint

    shown = fetch_fingerprint(server.address)
    if not sys.stdin.isatty():
        raise UnknownServerError(
            f"No authority vouches for the certificate of {server.address.url}: compare its "
            f"fingerprint {group_fingerprint(shown)} with what latentfu serve says there, and give "
            "it with --fingerprint.",
            shown,
        )
    return _confirm(server, shown)


def _confirm(server: KnownServer, fingerprint: str) -> KnownServer:
    url = server.address.url
    click.echo(f"No authority vouches for the certificate of {url}. Its fingerprint is", err=True)
    click.echo(f"  {group_fingerprint(fingerprint)}", err=True)
    if not click.confirm("Is it what latentfu serve says there?", err=True):
        raise BadInputError(f"{url} is not trusted: nothing was sent to it.")
    return replace(server, fingerprint=fingerprint)


def _read_token_of(path: Path | None) -> str:
    """The token in a file, or typed; raises BadInputError."""
    if path is not None:
        try:
            token = path.read_text("ascii").strip()
        except (OSError, ValueError) as error:
            raise BadInputError(f"{path} holds no token: {error}.") from error
    elif sys.stdin.isatty():
        token = str(click.prompt("Token", hide_input=True, err=True)).strip()
    else:
        token = sys.stdin.readline().strip()
    if not token or not token.isascii() or not token.isprintable():
        raise BadInputError("There is no token: ask the administrator of the server for one.")
    return token
