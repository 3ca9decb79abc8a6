"""What lies in a file, a folder or a zip of directions, as plain arrays; nothing is run."""

from __future__ import annotations

import hashlib
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from latentfu import BadInputError, read_foreign

OURS = ".safetensors"
ENDINGS = (".npy", ".npz", ".pt", ".pth", ".pkl", ".pickle", OURS)
LARGEST_FILE = 512 << 20
MOST_FILES = 5000


@dataclass(frozen=True)
class Held:
    """A file's name, the sha256 of its bytes, and what it holds: arrays in dicts and lists."""

    name: str
    sha256: str
    content: Any


def read_one(path: Path) -> Held:
    """What one file holds; BadInputError in one sentence when it can not be read.

    Plain arrays are read here; all else is taken apart in the importer's child process.
    """
    if not path.is_file():
        raise BadInputError(f"There is no file {path}.")
    if path.suffix.lower() not in ENDINGS:
        raise BadInputError(f"{path} is no known file of directions: {' '.join(ENDINGS)}.")
    if path.stat().st_size > LARGEST_FILE:
        raise BadInputError(f"{path} is too large for directions ({LARGEST_FILE >> 20} MB).")
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    content = plain_array(path)
    return Held(path.name, sha256, read_foreign(path).content if content is None else content)


def plain_array(path: Path) -> Any:
    """The numbers of a .npy file; None when it is another kind of file, or holds objects."""
    if path.suffix.lower() != ".npy":
        return None
    try:
        return np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None


@contextmanager
def files_at(path: Path) -> Iterator[list[Path]]:
    """The files of directions at ``path``: itself, those below a folder, or those in a zip.

    A zip's files are laid out in a temporary folder under their own names, without its folders.
    """
    if path.is_dir():
        found = sorted(item for item in path.rglob("*") if item.suffix.lower() in ENDINGS)
        yield checked(path, found)
        return
    if path.suffix.lower() != ".zip":
        yield [path]
        return
    with tempfile.TemporaryDirectory(prefix="latentfu-directions-") as folder:
        yield checked(path, unpacked(path, Path(folder)))


def checked(path: Path, found: list[Path]) -> list[Path]:
    """The files, unless there are none or far too many (BadInputError)."""
    if not found:
        raise BadInputError(f"{path} holds no directions: no {', '.join(ENDINGS)} file is in it.")
    if len(found) > MOST_FILES:
        raise BadInputError(f"{path} holds {len(found)} files: give a folder of directions only.")
    return found


def unpacked(path: Path, folder: Path) -> list[Path]:
    """The files of directions in a zip, each written under a name of its own."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = [m for m in archive.infolist() if wanted(m)]
            if sum(m.file_size for m in members) > LARGEST_FILE or len(members) > MOST_FILES:
                raise BadInputError(f"{path} holds more than directions need: unpack it yourself.")
            return [unpack(archive, member, folder / f"{i:04}") for i, member in enumerate(members)]
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError) as error:
        raise BadInputError(f"{path} can not be unpacked: {error}.") from error


def wanted(member: zipfile.ZipInfo) -> bool:
    """A plain file with a known ending (a link is not followed)."""
    link = stat.S_ISLNK(member.external_attr >> 16)
    return not member.is_dir() and not link and member.filename.lower().endswith(ENDINGS)


def unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path) -> Path:
    """One member as a file in ``folder``, under the last part of its name only."""
    folder.mkdir()
    target = folder / Path(member.filename.replace("\\", "/")).name
    with archive.open(member) as source, target.open("wb") as out:
        shutil.copyfileobj(source, out)
    return target
