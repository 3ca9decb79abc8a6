"""Talking to the Latent-Fu server over HTTP (docs/reference/http-api.md), standard library only."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import http.client
import json
import secrets
import socket
from collections.abc import Iterator, Mapping
from typing import Any

from .errors import PluginError, ServerGoneError, StoppedError
from .remote import PinnedConnection, RemoteServer
from .sent_texts import translate_sent
from .translate import _
from .wire import Change, Picture, read_change, read_picture

TIMEOUT = 300.0
SHORT = 5.0
GONE = _("The Latent-Fu server stopped answering: try again, it will be started anew.")
STRANGER = _(
    "What answers in place of the Latent-Fu server is not yours, or an older version of it: "
    "nothing was sent to it. Stop it, then try again."
)
PIXELS = "application/octet-stream"


class RefusedError(PluginError):
    """The server answered with an error; ``code`` is its short word for programs."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class StrangerError(ServerGoneError):
    """Whoever listens where the server should be does not have the token."""


class ServerClient:
    """One kept-alive connection; used by one thread, except :meth:`abort`.

    ``remote``: a server on another machine, which its certificate proves; None: this machine's.
    """

    def __init__(
        self,
        host: str,
        port: int,
        token: str,
        timeout: float = TIMEOUT,
        remote: RemoteServer | None = None,
    ) -> None:
        self.host, self.port, self.token, self.remote = host, port, token, remote
        self._connection: http.client.HTTPConnection = (
            PinnedConnection(remote, timeout)
            if remote
            else http.client.HTTPConnection(host, port, timeout=timeout)
        )
        self._socket: socket.socket | None = None
        self._aborted = False

    def another(self, timeout: float = TIMEOUT) -> ServerClient:
        """A second connection to the same server."""
        return ServerClient(self.host, self.port, self.token, timeout, self.remote)

    def abort(self) -> None:
        """From any thread: what runs now and everything later raises StoppedError."""
        self._aborted = True
        if self._socket is not None:
            with contextlib.suppress(OSError):  # It was closed in the meantime.
                self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def __enter__(self) -> ServerClient:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def get(self, path: str) -> Any:
        """GET a JSON document."""
        return _json(self._ask("GET", path)[1])

    def put(self, path: str, document: Mapping[str, object]) -> bytes:
        """PUT a JSON document and return the body of the answer."""
        return self._ask("PUT", path, json.dumps(document).encode(), "application/json")[1]

    def delete(self, path: str) -> bytes:
        """DELETE a path and return the body of the answer."""
        return self._ask("DELETE", path)[1]

    def post(self, path: str, document: Mapping[str, object] | None = None) -> Any:
        """POST a JSON object, an empty one if none is given; the JSON that is answered."""
        body = json.dumps(document or {}).encode()
        return _json(self._ask("POST", path, body, "application/json")[1])

    def send_picture(self, picture: Picture) -> str:
        """Bring ``picture`` to the server unless it is there already; its name there."""
        path = f"/v1/layers/{picture.sha256}"
        status, _ = self._ask("GET", path, allow=(404,))
        if status == 404:
            self._ask("PUT", path, picture.body(), PIXELS)
        return picture.sha256

    def send_latent(self, data: bytes) -> str:
        """Bring a latent to the server; its name there."""
        name = hashlib.sha256(data).hexdigest()
        self._ask("PUT", f"/v1/latents/{name}", data, PIXELS)
        return name

    def fetch_latent(self, name: str) -> bytes:
        """The latent of an inversion's key; empty when the server no longer has it."""
        status, data = self._ask("GET", f"/v1/latents/{name}", allow=(404, 405))
        return data if status == 200 else b""

    def result(self, job: str) -> Picture:
        """The picture that a finished job made."""
        return read_picture(self._ask("GET", f"/v1/jobs/{job}/result")[1])

    def change(self, job: str) -> Change:
        """The change that a finished job made."""
        return read_change(self._ask("GET", f"/v1/jobs/{job}/result")[1])

    def knows_us(self) -> bool | None:
        """Whether the server takes our token; None when it is no Latent-Fu server at all.

        A stranger may listen where a server once was: it does not get to see the token.
        """
        try:
            return self._ask("GET", "/v1/health", allow=(401,))[0] == 200
        except StrangerError:
            return False if self._refuses_strangers() else None

    def _refuses_strangers(self) -> bool:
        """Whether what listens there asks for a token, as a server with another one does."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=SHORT)
        try:
            connection.request("GET", "/v1/health")
            answer = connection.getresponse()
            return _refusal(answer.status, answer.read(1 << 16)).code == "unauthorized"
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def events(self, job: str) -> Iterator[dict[str, Any]]:
        """The states of a job as they come, until it has ended."""
        response = self._send("GET", f"/v1/jobs/{job}/events", None, "")
        try:
            if response.status != 200:
                raise _refusal(response.status, response.read(), self.remote is None)
            for line in response:
                if self._aborted:
                    break
                if line.strip():
                    yield _json(line)
            if self._aborted:  # Its closed socket looks like the end of the stream.
                raise StoppedError
        except (OSError, http.client.HTTPException) as error:
            raise self._gone() from error
        finally:
            self._connection.close()  # The stream may not have been read to its end.

    def _ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        content_type: str = "",
        allow: tuple[int, ...] = (),
    ) -> tuple[int, bytes]:
        response = self._send(method, path, body, content_type)
        try:
            data = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise self._gone() from error
        if response.status >= 400 and response.status not in allow:
            raise _refusal(response.status, data, self.remote is None)
        return response.status, data

    def _send(
        self,
        method: str,
        path: str,
        body: bytes | None,
        content_type: str,
    ) -> http.client.HTTPResponse:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if content_type:
            headers["Content-Type"] = content_type
        # A kept-alive connection may have been closed by the server meanwhile: ask once more.
        for last in (self._connection.sock is None, True):
            if self._aborted:
                raise StoppedError
            try:
                if self._connection.sock is None:
                    self._check_server()
                base = self.remote.path if self.remote else ""
                self._connection.request(method, base + path, body, headers)
                self._socket = self._connection.sock
                return self._connection.getresponse()
            except (OSError, http.client.HTTPException) as error:
                self._connection.close()
                if last or isinstance(error, TimeoutError):
                    raise self._gone() from error
        raise AssertionError("unreachable")

    def _check_server(self) -> None:
        """The server shows that it has the token before it is sent (protocol/server_address.py).

        After a sudden end of the server anybody on this machine may listen on its port. One on
        another machine has a certificate for that.
        """
        if self.remote is not None:
            self._connection.connect()
            return
        nonce = secrets.token_hex(16)
        self._connection.request("GET", f"/v1/proof?nonce={nonce}")
        self._socket = self._connection.sock
        answer = self._connection.getresponse()
        try:
            given = str(json.loads(answer.read(1 << 16))["proof"])
        except (ValueError, KeyError, TypeError):
            given = ""
        text = f"latentfu server\n{nonce}\n{self.port}".encode()
        expected = hmac.digest(self.token.encode(), text, "sha256").hex()
        if not hmac.compare_digest(given.encode(), expected.encode()):
            self._connection.close()
            raise StrangerError(STRANGER)

    def _gone(self) -> PluginError:
        self._connection.close()
        if self._aborted:
            return StoppedError()
        if self.remote is not None:
            return ServerGoneError(
                _(
                    "The server at {url} does not answer: see whether the network is there, or "
                    "choose this machine in Filters > Latent-Fu > Server."
                ).format(url=self.remote.url)
            )
        return ServerGoneError(GONE)


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError as error:
        raise ServerGoneError(
            _("The Latent-Fu server answered with something unreadable: stop it and try again.")
        ) from error


def _refusal(status: int, data: bytes, is_here: bool = True) -> RefusedError:
    try:
        error = json.loads(data)["error"]
        code, message = str(error["code"]), translate_sent(str(error["message"]))
    except (ValueError, KeyError, TypeError):
        code, message = (
            "failed",
            _("The Latent-Fu server refused the request (status {status}).").format(status=status),
        )
    if status == 401 and is_here:
        message = _(
            "The Latent-Fu server does not accept the token in its settings folder: stop that "
            "server and try again."
        )
    return RefusedError(status, code, message)
