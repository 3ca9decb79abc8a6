"""A server on another machine that the user chose: where it is, and whether it is still the same.

``servers.json`` in the settings folder is the program's own (latentfu.protocol.remote_server): what
is added here counts for ``latentfu`` as well, and what is added there counts here.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import os
import re
import secrets
import socket
import ssl
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .errors import PluginError, ServerGoneError
from .translate import _

HERE = "local"
SHORT = 10.0
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
_PATH = re.compile(r"(?:/[A-Za-z0-9._~-]+)*/?")


@dataclass(frozen=True)
class RemoteServer:
    """``path``: what stands before ``/v1``. ``fingerprint``: empty where an authority vouches."""

    host: str
    port: int
    path: str = ""
    token: str = ""
    fingerprint: str = ""

    @property
    def url(self) -> str:
        """As people write it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == 443 else f":{self.port}"
        return f"https://{host}{port}{self.path}"


class UntrustedError(PluginError):
    """Nothing vouches for the server, or it is another than before; nothing was sent to it."""


def parse_url(url: str) -> RemoteServer:
    """``https://HOST[:PORT][/PATH]`` as a server; raises PluginError."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port or 443
    except ValueError:
        parts, port = urlsplit(""), 0
    plain = _PATH.fullmatch(parts.path) and not parts.query and not parts.username
    if parts.scheme != "https" or not parts.hostname or not plain:
        raise PluginError(
            _("This is no address of a server: give one like https://studio.lan:7860.")
        )
    return RemoteServer(parts.hostname, port, parts.path.rstrip("/"))


def read_chosen(folder: Path) -> RemoteServer | None:
    """The server that was chosen; None: this machine. Raises PluginError where it is unclear."""
    wanted = os.environ.get("LATENTFU_SERVER", "")
    if wanted == HERE:
        return None
    kept = _read(folder)
    url = parse_url(wanted).url if wanted else str(kept.get("used", ""))
    if not url:
        return None
    own = kept.get("servers", {}).get(url, {})
    token = (wanted and os.environ.get("LATENTFU_SERVER_TOKEN")) or own.get("token", "")
    fingerprint = str(own.get("fingerprint", ""))
    if not token or (fingerprint and not _FINGERPRINT.fullmatch(fingerprint)):
        raise PluginError(
            _("There is no token for {url}: add it in Filters > Latent-Fu > Server.").format(
                url=url
            )
        )
    return replace(parse_url(url), token=str(token), fingerprint=fingerprint)


def keep_chosen(folder: Path, server: RemoteServer | None) -> None:
    """Use a server from now on, in all programs; None: this machine. Raises PluginError."""
    kept = _read(folder)
    servers = dict(kept.get("servers", {}))
    if server is not None:
        servers[server.url] = {"token": server.token, "fingerprint": server.fingerprint}
    document = {"used": server.url if server else "", "servers": servers}
    path = folder / "servers.json"
    part = path.with_name(f".servers.{secrets.token_hex(6)}.part")
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(json.dumps(document, indent=2) + "\n")
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise PluginError(
            _("The choice could not be kept in {folder} ({error}).").format(
                folder=folder, error=error.strerror or error
            )
        ) from error


def _read(folder: Path) -> dict[str, Any]:
    path = folder / "servers.json"
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(kept, dict) or not isinstance(kept.get("servers"), dict):
            raise ValueError
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        # To go on here would keep pictures on this machine, or send them, against the choice.
        raise PluginError(
            _("{path} is damaged: correct it, or delete it.").format(path=path)
        ) from error
    return kept


class PinnedConnection(http.client.HTTPSConnection):
    """Compares the server's certificate with the one that was trusted before anything is sent."""

    def __init__(self, server: RemoteServer, timeout: float) -> None:
        context = _pinned() if server.fingerprint else ssl.create_default_context()
        super().__init__(server.host, server.port, timeout=timeout, context=context)
        self._server = server

    def connect(self) -> None:
        """Connect, or raise UntrustedError."""
        wanted, url = self._server.fingerprint, self._server.url
        try:
            super().connect()
        except ssl.SSLCertVerificationError as error:
            self.close()
            raise UntrustedError(
                _(
                    "Nothing vouches for the certificate of {url}: nothing was sent. Choose the "
                    "server again in Filters > Latent-Fu > Server."
                ).format(url=url)
            ) from error
        if wanted and not hmac.compare_digest(_fingerprint_of(self.sock), wanted):
            self.close()
            raise UntrustedError(
                _(
                    "The server at {url} shows another certificate than before: nothing was sent. "
                    "Ask its administrator whether it was renewed."
                ).format(url=url)
            )


def find_fingerprint(server: RemoteServer) -> str:
    """Of the certificate that it shows; empty where an authority vouches for it.

    Raises ServerGoneError when nobody answers with https.
    """
    gone = _("Nobody answers with https at {url}: ask its administrator for the address.")
    address = (server.host, server.port)
    try:
        with (
            socket.create_connection(address, SHORT) as plain,
            ssl.create_default_context().wrap_socket(plain, server_hostname=server.host),
        ):
            return ""
    except ssl.SSLCertVerificationError:
        pass
    except OSError as error:
        raise ServerGoneError(gone.format(url=server.url)) from error
    try:
        with (
            socket.create_connection(address, SHORT) as plain,
            _pinned().wrap_socket(plain, server_hostname=server.host) as connection,
        ):
            return _fingerprint_of(connection)
    except OSError as error:
        raise ServerGoneError(gone.format(url=server.url)) from error


def show_digits(fingerprint: str) -> str:
    """In pairs, four lines of them, as a person compares it."""
    upper = fingerprint.upper()
    pairs = [upper[start : start + 2] for start in range(0, len(upper), 2)]
    return "\n".join(":".join(pairs[start : start + 8]) for start in range(0, len(pairs), 8))


def _fingerprint_of(connection: Any) -> str:
    return hashlib.sha256(connection.getpeercert(binary_form=True) or b"").hexdigest()


def _pinned() -> ssl.SSLContext:
    """Encrypts; whom it speaks to is judged by the fingerprint."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
