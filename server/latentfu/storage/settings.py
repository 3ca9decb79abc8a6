"""The token, the running server's address, and the lock that keeps servers to one."""

from __future__ import annotations

import json
import logging
import math
import os
import secrets
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from latentfu.core.errors import BadInputError, StorageError
from latentfu.core.paths import (
    config_dir,
    make_private,
    server_path,
    settings_path,
    token_path,
)
from latentfu.core.setting import Setting, SettingValue
from latentfu.protocol.replies import SettingReply
from latentfu.protocol.server_address import ServerAddress, read_address
from latentfu.storage.atomic import keep_if_locked, write_whole


def read_or_make_token(renew: bool = False) -> str:
    """The secret of this installation; made on first use, readable by its owner only.

    ``renew``: make a new one, because somebody may have the old one.
    """
    make_private(config_dir())
    path = token_path()
    try:
        token = "" if renew else path.read_text("utf-8").strip()
    except FileNotFoundError:
        token = ""
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(f"Could not read the token in {path}: {error}.") from error
    if _is_usable(token):
        path.chmod(0o600)
        return token
    token = secrets.token_urlsafe(32)
    _write_token(token)
    return token


def keep_token(token: str) -> str:
    """The token that holds from now on, for a running server that has ``token``.

    Another one in the file is what its owner wants; a lost or damaged file is written again, so
    that clients find their way back without a restart.
    """
    try:
        found = token_path().read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        found = ""
    if _is_usable(found):
        return found
    if not config_dir().is_dir():  # its disk is away: nothing is left where it will be again
        raise StorageError(f"The settings folder {config_dir()} is not there.")
    _write_token(token)
    return token


IDLE_MINUTES = 30.0
"""After how long without use a server that GIMP started ends, unless its owner says otherwise."""


def read_idle_minutes() -> float:
    """What the owner set; the default where nothing readable is there. 0: the server stays."""
    try:
        minutes = float(json.loads(_idle_path().read_text("utf-8"))["minutes"])
    except (OSError, ValueError, KeyError, TypeError, ArithmeticError, RecursionError):
        return IDLE_MINUTES
    return minutes if 0 <= minutes < math.inf else IDLE_MINUTES


def write_idle_minutes(minutes: float) -> None:
    """Keep it for the next servers too; raises StorageError."""
    make_private(config_dir())
    write_whole(_idle_path(), (json.dumps({"minutes": minutes}) + "\n").encode(), mode=0o600)


def _idle_path() -> Path:
    return config_dir() / "idle-stop.json"


def _is_usable(token: str) -> bool:
    return len(token) >= 20 and token.isascii() and token.isprintable()


def _write_token(token: str) -> None:
    write_whole(token_path(), (token + "\n").encode(), mode=0o600)


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
    try:
        make_private(config_dir())
        file = (config_dir() / "server.lock").open("ab")
    except OSError as error:
        raise StorageError(
            f"The settings folder {config_dir()} cannot be written: {error.strerror or error}."
        ) from error
    return keep_if_locked(file)


_log = logging.getLogger(__name__)


def read_setting(setting: Setting) -> SettingValue:
    """What a setting is now: of the environment, else of the settings file, else its default.

    A value that the setting does not take any more counts as none.
    """
    for found in (os.environ.get(setting.variable), _kept(setting)):
        if found is None:
            continue
        try:
            return setting.check(found)
        except BadInputError as error:
            _log.warning("%s The default is taken.", error)
    return setting.default


def is_set(setting: Setting) -> bool:
    """Whether a person, or the environment, has said anything."""
    return setting.variable in os.environ or _kept(setting) is not None


def write_setting(setting: Setting, value: object) -> SettingValue:
    """Keep ``value``, for all programs of this user; gives it in the setting's own type.

    Raises:
        BadInputError: the setting does not take it.
        StorageError: the file is damaged or cannot be written.
    """
    checked = setting.check(value)
    content = _read_all()
    content.setdefault(setting.plugin, {})[setting.name] = checked
    _write_all(content)
    return checked


def reset_setting(setting: Setting) -> bool:
    """Back to the default; says whether anything was kept."""
    content = _read_all()
    found = content.get(setting.plugin, {}).pop(setting.name, None) is not None
    if found:
        _write_all({plugin: kept for plugin, kept in content.items() if kept})
    return found


def describe_setting(setting: Setting) -> SettingReply:
    """A setting with what it is now; a secret stays one."""
    is_secret = setting.widget == "secret"
    return SettingReply(
        **asdict(setting),
        value=None if is_secret else read_setting(setting),
        is_set=is_set(setting),
    )


def _kept(setting: Setting) -> Any:
    try:
        return _read_all().get(setting.plugin, {}).get(setting.name)
    except StorageError as error:
        _log.warning("%s", error)
        return None


def _read_all() -> dict[str, dict[str, Any]]:
    path = settings_path()
    try:
        content = json.loads(path.read_text("utf-8"))
        if not isinstance(content, dict) or not all(map(_is_dict, content.values())):
            raise ValueError
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise StorageError(f"Could not read {path}: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise StorageError(f"{path} is damaged: correct it, or delete it.") from error
    return content


def _is_dict(value: object) -> bool:
    return isinstance(value, dict)


def _write_all(content: dict[str, dict[str, Any]]) -> None:
    make_private(config_dir())
    text = json.dumps(content, indent=2, sort_keys=True) + "\n"
    write_whole(settings_path(), text.encode(), mode=0o600)
