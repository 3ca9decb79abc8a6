"""Which plug-ins there are, and which of them the user has switched off.

They come from the entry-point group ``latentfu`` and from the plug-in folder. Nothing is imported
here.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from latentfu.core.errors import StorageError
from latentfu.storage import paths
from latentfu.storage.atomic import write_whole

GROUP = "latentfu"
_OURS = "latentfu"
_DEFAULT = "portraits"


@dataclass(frozen=True)
class Source:
    """A plug-in that has been found but not imported: ``load()`` imports it and may do anything.

    ``origin`` says for people where it lies: ``package NAME`` or ``file PATH``.
    """

    name: str
    origin: str
    version: str
    load: Callable[[], object]


def installed_sources() -> list[Source]:
    """Plug-ins of installed packages: the project's own first, then by name."""
    points = sorted(metadata.entry_points(group=GROUP), key=_order)
    return [_from_entry_point(point) for point in points]


def installed_stamps() -> list[str]:
    """Changes whenever a package with plug-ins is installed again, even in the same version."""
    stamps = set()
    for point in metadata.entry_points(group=GROUP):
        folder = getattr(point.dist, "_path", None)  # has no public name; "" where it is missing
        stamp = folder.stat().st_mtime_ns if isinstance(folder, Path) and folder.exists() else ""
        stamps.add(f"{point.value} {stamp}")
    return sorted(stamps)


def file_sources() -> list[Source]:
    """Single-file plug-ins of the plug-in folder, by name; names with ``_`` in front are not."""
    files = sorted(paths.plugin_dir().glob("*.py"))
    return [_from_file(path) for path in files if not path.name.startswith("_")]


def all_sources() -> list[Source]:
    """Every plug-in there is, in the order in which names are given out."""
    return installed_sources() + file_sources()


def disabled_path() -> Path:
    """Where the list of what is switched off is kept: ``CONFIG/plugins.json``."""
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


def _order(point: metadata.EntryPoint) -> tuple[bool, bool, str]:
    return (_owner(point)[0] != _OURS, point.name != _DEFAULT, point.name)


def _owner(point: metadata.EntryPoint) -> tuple[str, str]:
    if point.dist is None:
        return ("?", "")
    return (point.dist.name, point.dist.version)


def _from_entry_point(point: metadata.EntryPoint) -> Source:
    package, version = _owner(point)
    return Source(point.name, f"package {package}", version, point.load)


def _from_file(path: Path) -> Source:
    def load() -> object:
        return _import_file(path)

    return Source(path.stem, f"file {path}", "", load)


def _import_file(path: Path) -> object:
    """Run the file as a module of its own, outside every package."""
    name = f"latentfu_plugin_file_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickling look their module up there
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module
