"""The plug-in's files as this package carries them."""

from __future__ import annotations

import hashlib
from importlib import metadata
from pathlib import Path

from latentfu.core.errors import StorageError

NAME = "latentfu"
MAIN = "latentfu.py"
_SHARE = "share/latentfu/gimp_plugin/latentfu"


def source_folder() -> Path:
    """The folder ``latentfu`` that GIMP shall load: in the clone, or beside an installed wheel.

    Raises StorageError when the installation has lost it.
    """
    clone = Path(__file__).resolve().parents[3] / "gimp_plugin" / NAME
    if (clone / MAIN).is_file():
        return clone
    for folder in _wheel_folders():
        if (folder / MAIN).is_file():
            return folder
    raise StorageError("The GIMP plug-in's files are missing from this installation: reinstall it.")


def plugin_files(folder: Path) -> list[Path]:
    """The files of a copy of the plug-in, relative to ``folder``, without compiled leftovers."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(
        path for path in found if "__pycache__" not in path.parts and path.suffix != ".pyc"
    )


def digest(folder: Path) -> str:
    """sha256 over names and contents of a copy of the plug-in."""
    total = hashlib.sha256()
    for path in plugin_files(folder):
        data = (folder / path).read_bytes()
        total.update(f"{path.as_posix()}:{len(data)}:".encode())
        total.update(data)
    return total.hexdigest()


def _wheel_folders() -> list[Path]:
    try:
        files = metadata.files("latentfu") or []
    except metadata.PackageNotFoundError:
        return []
    return [
        Path(str(file.locate())).resolve().parent
        for file in files
        if file.as_posix().endswith(f"{_SHARE}/{MAIN}")
    ]
