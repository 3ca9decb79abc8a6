"""TLS to a server on another machine: by its kept fingerprint, or by the authorities of the system.

As SSH does: the fingerprint of a certificate that no authority vouches for is shown once, kept
when the person agrees, and compared on each connection before anything is sent.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import socket
import ssl

from latentfu.core.errors import ServerError
from latentfu.protocol.remote_server import KnownServer, RemoteAddress, group_fingerprint

_CHANGED = (
    "The server at {url} shows another certificate than before (fingerprint {new}): nothing was "
    "sent; ask its administrator whether it was renewed, and if so add it again with "
    "latentfu servers add {url}, else somebody is in between."
)
_UNKNOWN = (
    "No authority vouches for the certificate of {url} (fingerprint {new}): nothing was sent; "
    "compare the fingerprint with what latentfu serve says there, and trust it with "
    "latentfu servers add {url}."
)


class UnknownServerError(ServerError):
    """Nothing vouches for the server's certificate; ``fingerprint``: of the one that it shows."""

    def __init__(self, message: str, fingerprint: str) -> None:
        super().__init__(message)
        self.fingerprint = fingerprint


class ChangedServerError(UnknownServerError):
    """The server shows another certificate than the one that was trusted."""


class TrustedConnection(http.client.HTTPSConnection):
    """A connection whose other end has shown the certificate that is trusted.

    Raises :class:`ChangedServerError` or :class:`UnknownServerError` before anything is sent.
    """

    def __init__(self, server: KnownServer, timeout_s: float) -> None:
        address = server.address
        context = _pinned_context() if server.fingerprint else ssl.create_default_context()
        super().__init__(address.host, address.port, timeout=timeout_s, context=context)
        self._server = server

    def connect(self) -> None:
        """Connect, and compare the certificate with the one that was trusted."""
        address = self._server.address
        try:
            super().connect()
        except ssl.SSLCertVerificationError as error:
            self.close()
            shown = fetch_fingerprint(address, float(self.timeout or 20.0))
            text = _UNKNOWN.format(url=address.url, new=group_fingerprint(shown))
            raise UnknownServerError(text, shown) from error
        wanted = self._server.fingerprint
        if not wanted:
            return
        shown = _fingerprint_of(self.sock)
        if not hmac.compare_digest(shown, wanted):
            self.close()
            text = _CHANGED.format(url=address.url, new=group_fingerprint(shown))
            raise ChangedServerError(text, shown)


def fetch_fingerprint(address: RemoteAddress, timeout_s: float = 20.0) -> str:
    """sha256 of the certificate that a server shows, hex; nothing is sent to it.

    Raises:
        ServerError: nobody answers, or not with TLS.
    """
    try:
        with (
            socket.create_connection((address.host, address.port), timeout_s) as plain,
            _pinned_context().wrap_socket(plain, server_hostname=address.host) as connection,
        ):
            return _fingerprint_of(connection)
    except OSError as error:
        raise ServerError(
            f"Nobody answers with https at {address.url} ({error}): ask its administrator for the "
            "address."
        ) from error


def is_vouched_for(address: RemoteAddress, timeout_s: float = 20.0) -> bool:
    """Whether the authorities that this system trusts vouch for the server's certificate."""
    try:
        with (
            socket.create_connection((address.host, address.port), timeout_s) as plain,
            ssl.create_default_context().wrap_socket(plain, server_hostname=address.host),
        ):
            return True
    except OSError:
        return False


def _fingerprint_of(connection: ssl.SSLSocket) -> str:
    return hashlib.sha256(connection.getpeercert(binary_form=True) or b"").hexdigest()


def _pinned_context() -> ssl.SSLContext:
    """Encrypts; whom it speaks to is judged by the fingerprint."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
