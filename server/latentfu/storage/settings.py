"""The token, the running server's address, and the lock that keeps servers to one."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass
from typing import IO

from latentfu.core.errors import ServerError, StorageError
from latentfu.storage.atomic import lock_or_fail, write_whole
from latentfu.storage.paths import config_dir, make_private, server_path, token_path


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


def read_or_make_token() -> str:
    """The secret of this installation; made on first use, readable by its owner only."""
    make_private(config_dir())
    path = token_path()
    try:
        token = path.read_text("utf-8").strip()
    except FileNotFoundError:
        token = ""
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(f"Could not read the token in {path}: {error}.") from error
    if len(token) >= 20 and token.isascii() and token.isprintable():
        path.chmod(0o600)
        return token
    token = secrets.token_urlsafe(32)
    write_whole(path, (token + "\n").encode(), mode=0o600)
    return token


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


def write_address(address: ServerAddress) -> None:
    """Say where the server listens."""
    write_whole(server_path(), (json.dumps(asdict(address)) + "\n").encode(), mode=0o600)


def remove_address() -> None:
    """Remove ``server.json`` if it is this process's own."""
    found = read_address()
    if found is not None and found.pid == os.getpid():
        server_path().unlink(missing_ok=True)


def take_server_lock() -> IO[bytes] | None:
    """Hold the lock as long as the returned file is open; None when another server holds it.

    The system lets go of it when its holder dies, however it dies.
    """
    make_private(config_dir())
    file = (config_dir() / "server.lock").open("ab")
    try:
        lock_or_fail(file.fileno())
    except OSError:
        file.close()
        return None
    return file
