"""What people chose for the settings of plug-ins: ``CONFIG/settings.json``, their owner's alone."""

from __future__ import annotations

import json
import logging
import os
from dataclasses import asdict
from typing import Any

from latentfu.core.errors import BadInputError, StorageError
from latentfu.core.paths import config_dir, make_private
from latentfu.core.setting import Setting, SettingValue
from latentfu.protocol.replies import SettingReply
from latentfu.storage.atomic import write_whole

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
    path = config_dir() / "settings.json"
    try:
        content = json.loads(path.read_text("utf-8"))
        if not isinstance(content, dict) or not all(map(_is_dict, content.values())):
            raise ValueError
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise StorageError(f"Could not read {path}: {error.strerror}.") from error
    except ValueError as error:
        raise StorageError(f"{path} is damaged: correct it, or delete it.") from error
    return content


def _is_dict(value: object) -> bool:
    return isinstance(value, dict)


def _write_all(content: dict[str, dict[str, Any]]) -> None:
    make_private(config_dir())
    text = json.dumps(content, indent=2, sort_keys=True) + "\n"
    write_whole(config_dir() / "settings.json", text.encode(), mode=0o600)
