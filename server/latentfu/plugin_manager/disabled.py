"""Which plug-ins the user has switched off: ``CONFIG/plugins.json``."""

from __future__ import annotations

import json
from pathlib import Path

from latentfu.core.errors import StorageError
from latentfu.storage import paths
from latentfu.storage.atomic import write_whole


def disabled_path() -> Path:
    """Where the list is kept."""
    return paths.config_dir() / "plugins.json"


def disabled_names() -> frozenset[str]:
    """Names of plug-ins that are not loaded. Raises StorageError if the file is damaged."""
    path = disabled_path()
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        names = content["disabled"]
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ValueError
    except FileNotFoundError:
        return frozenset()
    except OSError as error:
        raise StorageError(f"Could not read {path}: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise StorageError(f"{path} is damaged: correct it, or delete it to enable all.") from error
    return frozenset(names)


def set_disabled(name: str, disabled: bool) -> bool:
    """Switch ``name`` off or on; says whether that changed anything."""
    before = disabled_names()
    after = before | {name} if disabled else before - {name}
    if after == before:
        return False
    text = json.dumps({"disabled": sorted(after)}, indent=2) + "\n"
    write_whole(disabled_path(), text.encode())
    return True
