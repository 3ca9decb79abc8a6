"""``latentfu users``: who may use the server of this machine from others."""

from __future__ import annotations

import time
from pathlib import Path

import click

from latentfu.cli.output import json_option, print_json, print_table
from latentfu.storage.users import Role, add_user, read_users, revoke_user


@click.command("add")
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice(["edit", "administer"]),
    default="edit",
    show_default=True,
    help="edit: pictures and jobs of one's own; administer: networks, plug-ins, the server too.",
)
@json_option
def users_add(name: str, role: Role, as_json: bool) -> None:
    """Let NAME use this server from other machines; the token is shown this once."""
    user, token = add_user(name, role)
    fingerprint = _find_own_fingerprint()
    if as_json:
        told = {"name": user.name, "role": user.role, "token": token}
        print_json({**told, "fingerprint": fingerprint})
        return
    click.echo(f"{user.name} may {user.role}. The token, which is not shown again:")
    click.echo(f"  {token}")
    known = f" --fingerprint {fingerprint}" if fingerprint else ""
    click.echo(f"On the other machine: latentfu servers add https://THIS-MACHINE:7860{known}")


@click.command("list")
@json_option
def users_list(as_json: bool) -> None:
    """List who may use this server from other machines."""
    users = read_users()
    if as_json:
        rows = [{"name": user.name, "role": user.role, "created": user.created} for user in users]
        print_json({"users": rows})
        return
    cells = [
        (user.name, user.role, time.strftime("%Y-%m-%d", time.localtime(user.created)))
        for user in users
    ]
    print_table(("user", "role", "since"), cells)


@click.command("revoke")
@click.argument("name")
@json_option
def users_revoke(name: str, as_json: bool) -> None:
    """Take the token of NAME back at once; what he has waiting is ended."""
    user = revoke_user(name)
    if as_json:
        print_json({"revoked": user.name})
    else:
        click.echo(f"{user.name} is not let in any more, and his jobs are ended.")


def _find_own_fingerprint() -> str:
    """Of the certificate that this machine has made; empty where there is none yet."""
    from latentfu.core.errors import BadInputError
    from latentfu.core.paths import config_dir
    from latentfu.storage.certificate import read_fingerprint

    path: Path = config_dir() / "tls" / "certificate.pem"
    try:
        return read_fingerprint(path) if path.is_file() else ""
    except BadInputError:
        return ""
