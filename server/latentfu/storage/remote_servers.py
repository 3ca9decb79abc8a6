"""Servers on other machines, as they are kept: added, used, forgotten."""

from __future__ import annotations

import json

from latentfu.core.errors import BadInputError
from latentfu.core.paths import config_dir, make_private
from latentfu.protocol.remote_server import (
    HERE,
    KnownServer,
    RemoteAddress,
    read_known_servers,
    servers_path,
)
from latentfu.storage.atomic import write_whole


def keep_server(server: KnownServer, use: bool = True) -> None:
    """Keep a server in place of what was kept of it; ``use``: from now on in all programs."""
    servers, used = read_known_servers()
    servers[server.address.url] = server
    _write(servers, server.address.url if use else used)


def use_server(address: RemoteAddress | None) -> None:
    """Use a server that was added, or this machine; raises BadInputError for one that was not."""
    servers, _ = read_known_servers()
    if address is not None and address.url not in servers:
        raise BadInputError(f"{address.url} was not added: latentfu servers add {address.url}.")
    _write(servers, address.url if address else "")


def forget_server(address: RemoteAddress) -> None:
    """Remove its token and its fingerprint; raises BadInputError where there are none."""
    servers, used = read_known_servers()
    if address.url not in servers:
        known = ", ".join(servers) or HERE
        raise BadInputError(f"{address.url} was not added; there are: {known}.")
    del servers[address.url]
    _write(servers, "" if used == address.url else used)


def _write(servers: dict[str, KnownServer], used: str) -> None:
    rows = {
        url: {"token": server.token, "fingerprint": server.fingerprint}
        for url, server in servers.items()
    }
    make_private(config_dir())
    text = json.dumps({"used": used, "servers": rows}, indent=2) + "\n"
    write_whole(servers_path(), text.encode(), mode=0o600)
