"""A server on another machine: its address, and what is kept of it for the next time.

``servers.json`` in the settings folder holds the servers that were added, each with the token of
the user and the fingerprint of the certificate that was trusted, and which one is used.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from latentfu.core.errors import BadInputError, ServerError, StorageError
from latentfu.core.paths import config_dir

# What reading a file that anybody could have changed can raise.
_UNUSABLE = (ValueError, LookupError, TypeError, AttributeError, RecursionError, BadInputError)
HERE = "local"
"""Instead of an address: this machine."""

SERVER_VARIABLE = "LATENTFU_SERVER"
TOKEN_VARIABLE = "LATENTFU_SERVER_TOKEN"
_DEFAULT_PORT = 443
_PATH = re.compile(r"(?:/[A-Za-z0-9._~-]+)*/?")
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class RemoteAddress:
    """``path``: what stands before ``/v1``, where a reverse proxy has it; no slash at its end."""

    host: str
    port: int
    path: str = ""

    @property
    def url(self) -> str:
        """As people write it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _DEFAULT_PORT else f":{self.port}"
        return f"https://{host}{port}{self.path}"


def parse_remote(url: str) -> RemoteAddress:
    """The address of ``https://HOST[:PORT][/PATH]``; raises BadInputError in one sentence."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise BadInputError(_no_address(url)) from error
    if parts.scheme == "http":
        raise BadInputError(
            f"{url} is not encrypted: whoever is on the way would see your pictures and your "
            "token; use https, or an SSH tunnel to the server's https address."
        )
    is_plain = _PATH.fullmatch(parts.path) and not parts.query and not parts.fragment
    if parts.scheme != "https" or not parts.hostname or parts.username or not is_plain:
        raise BadInputError(_no_address(url))
    return RemoteAddress(parts.hostname, port or _DEFAULT_PORT, parts.path.rstrip("/"))


def _no_address(url: str) -> str:
    return f"{url!r} is no address of a server: give one like https://studio.lan:7860."


@dataclass(frozen=True)
class KnownServer:
    """What is kept of a server. ``fingerprint``: empty where authorities vouch for it."""

    address: RemoteAddress
    token: str = field(repr=False, default="")
    fingerprint: str = ""


def servers_path() -> Path:
    """The list; mode 0600."""
    return config_dir() / "servers.json"


def read_known_servers() -> tuple[dict[str, KnownServer], str]:
    """The servers that were added, by address, and the one that is used (empty: none).

    Raises:
        StorageError: the file is damaged.
    """
    path = servers_path()
    try:
        content = json.loads(path.read_text("utf-8"))
        servers = {}
        for url, kept in content["servers"].items():
            fingerprint = str(kept.get("fingerprint", ""))
            if fingerprint and not _FINGERPRINT.fullmatch(fingerprint):
                raise ValueError
            servers[url] = KnownServer(parse_remote(url), str(kept["token"]), fingerprint)
        used = str(content.get("used", ""))
    except FileNotFoundError:
        return {}, ""
    except OSError as error:
        raise StorageError(f"Could not read {path}: {error.strerror}.") from error
    except _UNUSABLE as error:
        raise StorageError(f"{path} is damaged: correct it, or delete it.") from error
    return servers, used if used in servers else ""


def choose_server(given: str | None = None) -> KnownServer | None:
    """The server that the user chose; None: this machine.

    ``given`` on the command line comes before the environment (``LATENTFU_SERVER``), and that
    before what ``latentfu servers use`` has kept. ``local`` is this machine.

    Raises:
        BadInputError: it is no address.
        ServerError: there is no token for it.
    """
    wanted = given or os.environ.get(SERVER_VARIABLE, "")
    if wanted == HERE:
        return None
    servers, used = read_known_servers()
    if not wanted:
        return servers.get(used)
    address = parse_remote(wanted)
    known = servers.get(address.url)
    token = os.environ.get(TOKEN_VARIABLE) or (known.token if known else "")
    if not token:
        raise ServerError(
            f"There is no token for {address.url}: add it with latentfu servers add {address.url}."
        )
    return KnownServer(address, token, known.fingerprint if known else "")


def group_fingerprint(fingerprint: str) -> str:
    """As openssl writes it: pairs of upper case digits with colons.

    >>> group_fingerprint("0a1b2c")
    '0A:1B:2C'
    """
    upper = fingerprint.upper()
    return ":".join(upper[start : start + 2] for start in range(0, len(upper), 2))


def parse_fingerprint(text: str) -> str:
    """The fingerprint that a person typed; raises BadInputError."""
    plain = text.strip().lower().removeprefix("sha256:").replace(":", "").replace(" ", "")
    if not _FINGERPRINT.fullmatch(plain):
        raise BadInputError(
            "A fingerprint is 64 hex digits, as latentfu serve and latentfu users say it."
        )
    return plain
