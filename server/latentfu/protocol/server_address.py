"""Where the running server listens, its token, and how it shows that it has the token.

A client that found an address in ``server.json`` cannot know who listens there: after a sudden end
of the server any user of the machine may have taken its port. So the first request on every
connection is ``GET /v1/proof?nonce=...``, without the token, and the answer is an HMAC over the
nonce and the port (so that nobody can pass the question on to a server at another port).
"""

from __future__ import annotations

import hmac
import http.client
import json
import re
import secrets
from dataclasses import dataclass

from latentfu.core.errors import ServerError
from latentfu.core.paths import server_path, token_path


@dataclass(frozen=True)
class ServerAddress:
    """Where the running server listens, as ``server.json`` says it."""

    host: str
    port: int
    pid: int
    version: str

    @property
    def url(self) -> str:
        """The address for people and clients, without a slash at the end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


def read_token() -> str:
    """The token for a client; raises ServerError when no server has ever made one."""
    try:
        return token_path().read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ServerError("There is no token yet: start the server with: latentfu serve") from error


def read_address() -> ServerAddress | None:
    """What ``server.json`` says, or None when it is missing or damaged."""
    try:
        found = json.loads(server_path().read_text("utf-8"))
        return ServerAddress(
            str(found["host"]), int(found["port"]), int(found["pid"]), str(found["version"])
        )
    except (OSError, ValueError, KeyError, TypeError, ArithmeticError, RecursionError):
        return None


PROOF_PATH = "/v1/proof"
"""The one address that is answered without the token."""

_NONCE = re.compile(r"[0-9a-f]{32,128}")
_PURPOSE = b"latentfu server\n"


def is_nonce(text: str) -> bool:
    """Whether ``text`` is 32 to 128 hex digits in lower case."""
    return _NONCE.fullmatch(text) is not None


def make_proof(token: str, nonce: str, port: int) -> str:
    """HMAC-SHA256 of nonce and port under the token, as 64 hex digits."""
    return hmac.digest(token.encode(), _PURPOSE + f"{nonce}\n{port}".encode(), "sha256").hex()


def proves_itself(connection: http.client.HTTPConnection, token: str, port: int) -> bool:
    """Ask whoever answers on ``connection`` whether it has the token, which is not sent.

    Args:
        connection: To the server; stays open for the request that follows.
        token: What the server must know.
        port: The server's own port, as it sees it.

    Raises:
        OSError: Nobody answers.
        http.client.HTTPException: What answers does not speak HTTP.
    """
    nonce = secrets.token_hex(16)
    connection.request("GET", f"{PROOF_PATH}?nonce={nonce}")
    answer = connection.getresponse()
    data = answer.read(1 << 16)
    try:
        given = str(json.loads(data)["proof"])
    except (ValueError, KeyError, TypeError):
        return False
    expected = make_proof(token, nonce, port)
    return answer.status == 200 and hmac.compare_digest(given.encode(), expected.encode())
