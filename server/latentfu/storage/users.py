"""The users of a studio's server: a name, a role, and the hash of a token that is shown once.

A token is 256 random bits, so that a plain sha256 of it tells nothing and no slow hash is needed.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from latentfu.core.errors import BadInputError, StorageError
from latentfu.core.paths import config_dir, make_private
from latentfu.storage.atomic import lock_or_fail, write_whole

Role = Literal["edit", "administer"]
"""``edit``: pictures and jobs of one's own. ``administer``: also networks, plug-ins, the server."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,62}")
_ID = re.compile(r"[0-9a-f]{16}")
_HASH = re.compile(r"[0-9a-f]{64}")
_PREFIX = "lfu_"
_FORMAT = "latentfu-users-1"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class User:
    """Somebody who may use a server.

    ``id``: never given to another user, also of the same name; what he owns carries it. Empty: the
    person under whose account the server runs. ``created``: seconds since 1970. ``token_hash``:
    sha256 of his token, hex.
    """

    id: str
    name: str
    role: Role
    created: float = 0.0
    token_hash: str = ""


SERVER_OWNER = User("", "owner", "administer")
"""Whoever comes to the loopback address with the token in the settings folder."""


def users_path() -> Path:
    """The list; mode 0600."""
    return config_dir() / "users.json"


def add_user(name: str, role: Role) -> tuple[User, str]:
    """A new user and his token, which is kept nowhere; raises BadInputError or StorageError."""
    if not _NAME.fullmatch(name):
        raise BadInputError(
            "A user's name is 1 to 63 letters, digits, dots, dashes, underscores or @, a letter or "
            "digit first."
        )
    with _locked():
        users = read_users()
        if any(user.name.lower() == name.lower() for user in users):
            raise BadInputError(
                f"There is a user {name} already: revoke that one first, or take another name."
            )
        token = _PREFIX + secrets.token_urlsafe(32)
        user = User(secrets.token_hex(8), name, role, time.time(), hash_token(token))
        _write_users([*users, user])
    return user, token


def revoke_user(name: str) -> User:
    """Take a user's token back at once; raises BadInputError or StorageError."""
    with _locked():
        users = read_users()
        found = [user for user in users if user.name == name]
        if not found:
            known = ", ".join(user.name for user in users) or "none"
            raise BadInputError(f"There is no user {name}; there are: {known}.")
        _write_users([user for user in users if user.name != name])
    return found[0]


def read_users() -> list[User]:
    """All users; raises StorageError where the file is damaged."""
    path = users_path()
    try:
        content = json.loads(path.read_text("utf-8"))
        if content["format"] != _FORMAT:
            raise ValueError
        return [_read_user(fields) for fields in content["users"]]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StorageError(f"Could not read {path}: {error.strerror}.") from error
    except (ValueError, LookupError, TypeError, ArithmeticError, RecursionError) as error:
        raise StorageError(
            f"{path} is damaged: correct it, or delete it and add the users again."
        ) from error


def hash_token(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


class UserList:
    """The users as the file has them now, for a running server: a change counts at once.

    A damaged file lets nobody in.
    """

    def __init__(self) -> None:
        self._stamp: tuple[int, ...] = ()
        self._users: list[User] = []
        self.is_damaged = False

    def find(self, token: str) -> User | None:
        """Whose token it is; takes the same time wherever it differs."""
        wanted, found = hash_token(token), None
        for user in self.read():
            if hmac.compare_digest(user.token_hash, wanted):
                found = user
        return found

    def is_known(self, user: User) -> bool:
        """Whether the user's token has not been revoked since."""
        return user in self.read()

    def read(self) -> list[User]:
        """All of them."""
        stamp = _stamp()
        if stamp != self._stamp:
            try:
                self._users, self.is_damaged = read_users(), False
            except StorageError as error:
                _log.error("nobody is let in: %s", error)
                self._users, self.is_damaged = [], True
            self._stamp = stamp
        return self._users


def _stamp() -> tuple[int, ...]:
    try:
        state = users_path().stat()
    except OSError:
        return (0,)
    return state.st_mtime_ns, state.st_size, state.st_ino


def _read_user(fields: dict[str, Any]) -> User:
    user = User(
        str(fields["id"]),
        str(fields["name"]),
        fields["role"],
        float(fields["created"]),
        str(fields["sha256"]),
    )
    whole = (
        _ID.fullmatch(user.id) and _NAME.fullmatch(user.name) and _HASH.fullmatch(user.token_hash)
    )
    if not whole or user.role not in get_args(Role):
        raise ValueError
    return user


def _write_users(users: list[User]) -> None:
    rows = [
        {
            "id": user.id,
            "name": user.name,
            "role": user.role,
            "created": user.created,
            "sha256": user.token_hash,
        }
        for user in users
    ]
    text = json.dumps({"format": _FORMAT, "users": rows}, indent=2) + "\n"
    write_whole(users_path(), text.encode(), mode=0o600, durable=True)


@contextmanager
def _locked() -> Iterator[None]:
    """One change at a time; raises StorageError while another goes on."""
    make_private(config_dir())
    with (config_dir() / "users.lock").open("ab") as file:
        try:
            lock_or_fail(file.fileno())
        except OSError as error:
            raise StorageError("The users are being changed right now: try again.") from error
        yield
