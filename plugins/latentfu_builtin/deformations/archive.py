"""Sets of published deformations: archives and folders of .pt files with what they are called.

The authors' archives hold a file for each control, named after its effect (``nose_size.pt``), and
pictures. Some sets number their directions and say in a text what the numbers mean.
"""

from __future__ import annotations

import io
import json
import re
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from latentfu import BadInputError

LARGEST, MOST_FILES = 512 << 20, 2000
NOTES = (".txt", ".json")


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """A folder with the .pt files and notes of a .tar, .zip or folder.

    Only plain files with a plain name are taken out, each under its own name in a folder of our
    own, and never more than 512 MiB. Raises BadInputError for anything that is none of these.
    """
    if path.is_dir():
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="latentfu-") as made:
        folder, left = Path(made), LARGEST
        for name, data in members(path):
            left -= len(data)
            if left < 0:
                raise BadInputError(f"{path} holds more than {LARGEST >> 20} MiB.")
            (folder / PurePosixPath(name).name).write_bytes(data)
        yield folder


def is_archive(path: Path) -> bool:
    """Whether a file is a .tar (compressed or not) or a .zip."""
    return tarfile.is_tarfile(path) or zipfile.is_zipfile(path)


def members(path: Path) -> Iterator[tuple[str, bytes]]:
    """Name and content of each .pt file and note in an archive."""
    try:
        # A tar of torch files ends as a zip does, so tar is asked first.
        if tarfile.is_tarfile(path):
            with tarfile.open(path) as tar:
                for place, entry in enumerate(tar):
                    if place < MOST_FILES and entry.isfile() and wanted(entry.name, entry.size):
                        file = tar.extractfile(entry)
                        yield entry.name, (file or io.BytesIO()).read()
            return
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                for item in archive.infolist()[:MOST_FILES]:
                    if wanted(item.filename, item.file_size):
                        yield item.filename, archive.read(item)
            return
    except (tarfile.TarError, zipfile.BadZipFile, OSError, EOFError, RuntimeError) as error:
        reason = str(error).partition("\n")[0]
        raise BadInputError(f"{path} is no whole archive of deformations: {reason}.") from error
    raise BadInputError(
        f"{path} is no whole archive of deformations: give a .pt file, or a folder, .tar or .zip "
        "of them (our own .safetensors are taken in by latentfu deformations keep)."
    )


def wanted(name: str, size: int) -> bool:
    """Whether a member is a tensor file or a note, and not too large."""
    return PurePosixPath(name).suffix in (".pt", *NOTES) and size <= LARGEST


def files_of(folder: Path, source: Path) -> list[Path]:
    """The .pt files below the folder that came from ``source``; BadInputError for none."""
    found = sorted(folder.rglob("*.pt"))
    if not found:
        raise BadInputError(f"{source} holds no .pt files.")
    return found


def notes_of(folder: Path) -> dict[str, str]:
    """What the notes of a set say: file name or number -> what it does.

    Lines ``12: wheel size`` (or ``nose_size.pt: longer nose``), and JSON objects of the same.
    """
    said: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix not in NOTES or path.stat().st_size > 1 << 20:
            continue
        text = path.read_text("utf-8", errors="replace")
        with suppress(ValueError):
            tree = json.loads(text)
            if isinstance(tree, dict):
                said |= {str(key): value for key, value in tree.items() if isinstance(value, str)}
            continue
        for line in text.splitlines():
            key, colon, meaning = line.partition(":")
            if colon and key.strip() and meaning.strip():
                said[key.strip()] = meaning.strip()
    return said


def usable_name(text: str) -> str:
    """``text`` as the name of a control: a-z 0-9 . _ -."""
    name = re.sub(r"[^a-z0-9._-]+", "_", text.lower()).strip("._-")[:64]
    return name or "deformation"
