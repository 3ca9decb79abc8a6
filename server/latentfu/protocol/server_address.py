"""Where the running server listens and its token, as a client reads them."""

from __future__ import annotations

import json
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
    except (OSError, ValueError, KeyError, TypeError):
        return None
