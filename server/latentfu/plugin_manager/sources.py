"""Which plug-ins there are, and which of them the user has switched off.

They come from the entry-point group ``latentfu`` and from the plug-in folder. Nothing is imported
here.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
import json
import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path

from latentfu.core import paths
from latentfu.core.errors import StorageError
from latentfu.storage.atomic import write_whole

GROUP = "latentfu"
_OURS = "latentfu"
_FIRST = ("people-network", "portraits")
"""Ours whose networks stand first: the first is used where none is named."""
_NEEDS = re.compile(r"latentfu\s*([(<>=!~][^;]*)(?:;(.*))?", re.IGNORECASE)
"""A line of ``Requires-Dist`` about this program that names versions."""


NEEDS_CONSTANT = "REQUIRES_LATENTFU"
"""In the text of a plug-in that is a file: the versions of this program that it works with."""
LARGEST_TEXT = 4 << 20
"""Bytes of a plug-in's text that is read without running it."""


@dataclass(frozen=True)
class Source:
    """A plug-in that has been found but not imported: ``load()`` imports it and may do anything.

    ``origin`` says for people where it lies: ``package NAME`` or ``file PATH``. ``stamp`` changes
    when it is installed again. ``needs``: what its package, or the constant ``REQUIRES_LATENTFU``
    of its file, says it needs of this program, such as ``>=0.3`` (empty where it says nothing).
    ``module``: of a package's entry point; ``file``: of a plug-in that is one.
    """

    name: str
    origin: str
    version: str
    load: Callable[[], object]
    stamp: str = ""
    needs: str = ""
    module: str = ""
    file: Path | None = None

    @property
    def is_ours(self) -> bool:
        """Whether it comes with the program."""
        return self.origin == f"package {_OURS}"

    @property
    def described(self) -> str:
        """For sentences: ``the plug-in NAME (package PACKAGE)``."""
        return f"the plug-in {self.name} ({self.origin})"


def installed_sources() -> list[Source]:
    """Plug-ins of installed packages: the project's own first, then by name."""
    points = sorted(metadata.entry_points(group=GROUP), key=_order)
    return [_from_entry_point(point) for point in points]


def installed_stamps() -> list[str]:
    """Changes whenever a package with plug-ins is installed again, even in the same version."""
    points = metadata.entry_points(group=GROUP)
    return sorted({f"{point.value} {_stamp_of(point)}" for point in points})


def _stamp_of(point: metadata.EntryPoint) -> str:
    folder = getattr(point.dist, "_path", None)  # has no public name; "" where it is missing
    try:
        return str(folder.stat().st_mtime_ns) if isinstance(folder, Path) else ""
    except OSError:
        return ""


def quick_stamp() -> tuple[int, ...]:
    """Changes when packages, files or settings of plug-ins may have changed; costs microseconds."""
    folder, chosen = paths.plugin_dir(), (_choices_path(), paths.settings_path())
    return tuple(map(_time_of, [*map(Path, sys.path), folder, *_plugin_files(folder), *chosen]))


def _time_of(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def fingerprint() -> str:
    """Changes when a plug-in comes, goes, is replaced, or is switched on or off.

    What was imported before a change stays as it was: a process has to start again to see it.
    """
    importlib.invalidate_caches()
    sources = [(each.name, each.origin, each.version, each.stamp) for each in all_sources()]
    choices = read_choices()
    state = (installed_stamps(), sources, sorted(disabled_names()), choices.preferred)
    return hashlib.sha256(repr(state).encode()).hexdigest()


def file_sources() -> list[Source]:
    """Plug-ins of the plug-in folder, by name: files, and folders with an ``__init__.py``.

    Those with ``_`` in front of their name are none: helpers are called so.
    """
    return sorted(map(_from_file, _plugin_files(paths.plugin_dir())), key=lambda each: each.name)


def _plugin_files(folder: Path) -> list[Path]:
    """The files that are imported as plug-ins."""
    files = [*folder.glob("*.py"), *folder.glob("*/__init__.py")]
    return [path for path in files if not path.relative_to(folder).parts[0].startswith(("_", "."))]


def all_sources() -> list[Source]:
    """Every plug-in there is, in the order in which names are given out."""
    return installed_sources() + file_sources()


DISABLED_VARIABLE = "LATENTFU_DISABLED_PLUGINS"
"""Names of plug-ins that are off for one run, by commas; ``*`` for all of other packages."""


@dataclass(frozen=True)
class Choices:
    """What a person chose about plug-ins, as ``CONFIG/plugins.json`` keeps it.

    ``disabled``: not loaded. ``preferred``: these get the short names first, in this order.
    """

    disabled: tuple[str, ...] = ()
    preferred: tuple[str, ...] = ()


def _choices_path() -> Path:
    """Where it is kept."""
    return paths.config_dir() / "plugins.json"


def read_choices() -> Choices:
    """What is chosen. Raises StorageError if the file is damaged."""
    path = _choices_path()
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Choices(_names_of(content["disabled"]), _names_of(content.get("preferred", [])))
    except FileNotFoundError:
        return Choices()
    except OSError as error:
        raise StorageError(f"Could not read {path}: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise StorageError(f"{path} is damaged: correct it, or delete it to enable all.") from error


def _names_of(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise ValueError
    return tuple(value)


def _write_choices(choices: Choices) -> None:
    content = {"disabled": sorted(choices.disabled)}
    if choices.preferred:
        content["preferred"] = list(choices.preferred)
    write_whole(_choices_path(), (json.dumps(content, indent=2) + "\n").encode())


def disabled_names() -> frozenset[str]:
    """Names of plug-ins that are not loaded: switched off, or left out by the environment.

    Raises StorageError if ``plugins.json`` is damaged.
    """
    return frozenset(read_choices().disabled) | _names_disabled_by_environment()


def _names_disabled_by_environment() -> frozenset[str]:
    """What ``LATENTFU_DISABLED_PLUGINS`` leaves out of this run."""
    said = {name.strip() for name in os.environ.get(DISABLED_VARIABLE, "").split(",")} - {""}
    if "*" in said:
        said |= {source.name for source in all_sources() if not source.is_ours}
    return frozenset(said - {"*"})


def set_disabled(name: str, disabled: bool) -> bool:
    """Switch ``name`` off or on; says whether that changed anything."""
    choices = read_choices()
    before = frozenset(choices.disabled)
    after = before | {name} if disabled else before - {name}
    if after == before:
        return False
    _write_choices(replace(choices, disabled=tuple(after)))
    return True


def set_preferred(name: str, preferred: bool) -> bool:
    """Let ``name`` have short names before all others, or no more; whether that changed anything.

    The newest preference comes first.
    """
    choices = read_choices()
    others = tuple(known for known in choices.preferred if known != name)
    after = (name, *others) if preferred else others
    if after == choices.preferred:
        return False
    _write_choices(replace(choices, preferred=after))
    return True


def _order(point: metadata.EntryPoint) -> tuple[bool, int, str]:
    ours = _owner(point)[0] == _OURS
    place = _FIRST.index(point.name) if ours and point.name in _FIRST else len(_FIRST)
    return (not ours, place, point.name)


def _owner(point: metadata.EntryPoint) -> tuple[str, str]:
    if point.dist is None:
        return ("?", "")
    return (point.dist.name, point.dist.version)


def _from_entry_point(point: metadata.EntryPoint) -> Source:
    package, version = _owner(point)
    origin, stamp, needs = f"package {package}", _stamp_of(point), _needs_of(point)
    return Source(point.name, origin, version, point.load, stamp, needs, point.module)


def _needs_of(point: metadata.EntryPoint) -> str:
    """The versions of this program that the plug-in's package asks for; empty for any."""
    for line in (point.dist.requires if point.dist is not None else None) or ():
        found = _NEEDS.fullmatch(line)
        if found and "extra" not in (found[2] or ""):
            return found[1].strip(" ()")
    return ""


def _from_file(path: Path) -> Source:
    def load() -> object:
        return _import_file(path)

    is_folder = path.name == "__init__.py"
    files = sorted(path.parent.rglob("*.py")) if is_folder else [path]
    stamp = " ".join(str(_time_of(each)) for each in files)
    name = path.parent.name if is_folder else path.stem
    return Source(name, f"file {path}", "", load, stamp, _read_needs(path), file=path)


def _read_needs(path: Path) -> str:
    """``REQUIRES_LATENTFU`` of the file, read from its text; empty where it has none.

    What is no plain text comes as it is written, which is no version.
    """
    try:
        text = path.read_bytes() if path.stat().st_size <= LARGEST_TEXT else b""
        body = ast.parse(text).body if NEEDS_CONSTANT.encode() in text else []
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return ""  # what is wrong with it is said when it is imported
    for node in body:
        targets = [node.target] if isinstance(node, ast.AnnAssign) else getattr(node, "targets", [])
        if any(isinstance(each, ast.Name) and each.id == NEEDS_CONSTANT for each in targets):
            value = getattr(node, "value", None)
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                return value.value.strip()
            return "" if value is None else ast.unparse(value)
    return ""


def _import_file(path: Path) -> object:
    """Run the file as a module of its own, outside every package; a folder as a package."""
    is_folder = path.name == "__init__.py"
    name = f"latentfu_plugin_file_{path.parent.name if is_folder else path.stem}"
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
