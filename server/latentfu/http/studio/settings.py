"""Where a studio's server listens, and by which names it may be called."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from latentfu.core.errors import BadInputError, ServerError

DEFAULT_PORT = 7860


@dataclass(frozen=True)
class StudioSettings:
    """How others reach this server.

    ``certificate`` and ``key``: PEM files; without them one is made. ``names``: host names by which
    clients call it, beside those of the machine and of the certificate. ``proxies``: addresses of
    reverse proxies, whose word on the client's address counts.
    """

    host: str
    port: int
    certificate: Path | None = None
    key: Path | None = None
    names: Sequence[str] = ()
    proxies: Sequence[str] = ()

    def __post_init__(self) -> None:
        for proxy in self.proxies:
            try:
                ipaddress.ip_address(proxy)
            except ValueError as error:
                raise BadInputError(
                    f"{proxy} is no address of a proxy: give its IP address, e.g. 127.0.0.1."
                ) from error


def parse_listen(url: str) -> tuple[str, int]:
    """Host and port of ``https://HOST:PORT``; raises BadInputError in one sentence."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadInputError(f"{url} is no address: give one like https://0.0.0.0:7860.") from error
    if parts.scheme == "http":
        raise BadInputError(
            "Other machines are served over https only: plain http shows pictures and tokens to "
            "whoever is on the way."
        )
    is_plain = parts.path in ("", "/") and not parts.query and not parts.username
    if parts.scheme != "https" or not parts.hostname or not is_plain:
        raise BadInputError(f"{url} is no address: give one like https://0.0.0.0:7860.")
    return parts.hostname, DEFAULT_PORT if port is None else port


def open_listener(host: str, port: int) -> socket.socket:
    """A socket that listens and does not block; raises ServerError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server(
            (host, port), family=family, backlog=512, dualstack_ipv6=False
        )
    except (OSError, OverflowError) as error:
        raise ServerError(f"Could not listen on {host} port {port}: {error}.") from error
    listening.setblocking(False)
    return listening
