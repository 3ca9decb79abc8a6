"""The user's own directions on disk, and those that were made and wait to be kept.

A direction that was made is a draft until somebody wants it: it was measured, its report is
looked at, and then it is put among the user's own, or forgotten.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from latentfu.core.control import Control
from latentfu.core.errors import BadInputError, StorageError
from latentfu.core.paths import cache_dir, data_dir, make_private
from latentfu.storage.atomic import write_whole
from latentfu.storage.directions import Direction, read_direction, write_direction
from latentfu.storage.safetensors_file import find_metadata

_DRAFT_AGE_S = 86_400.0
_SCRATCH_AGE_S = 30 * 86_400.0
"""Longer than any maker works: its folder must not go under its hands."""
_SCRATCH = "new-"


def own_directions_dir() -> Path:
    """Where directions lie that were trained, made or imported here."""
    return data_dir() / "directions"


def refuse_control_name(name: str, controls: Mapping[str, Control]) -> None:
    """Refuse a name for one of the user's own directions that something else has.

    A direction of the user's own may be replaced (see :func:`save_direction`).

    Args:
        name: what the direction is to be called.
        controls: those of its generator, by name.

    Raises:
        BadInputError: another control has it.
    """
    control = controls.get(name)
    if control is None or Path(str(control.facts.get("file", ""))).parent == own_directions_dir():
        return
    raise BadInputError(f"There is a control {name!r} already: give another name.")


def save_direction(direction: Direction, folder: Path | None = None) -> Path:
    """Write a direction to the user's own, or to a folder, as NAME.safetensors.

    Where another network's direction of that name lies, it gets a name beside it. Among the user's
    own, the one of the same network and name that it replaces is put into the folder ``replaced``.

    Args:
        direction: what is written.
        folder: where to; None for the user's own, where the editor finds it.

    Returns:
        The file.

    Raises:
        StorageError: the disk is full or the folder cannot be written.
    """
    path = choose_direction_file(
        folder or own_directions_dir(), direction.name, direction.generator_id
    )
    if path.parent == own_directions_dir() and path.is_file():
        old = path.read_bytes()
        write_direction(path, direction)
        if path.read_bytes() != old:
            _keep_replaced(path, old)
        return path
    return write_direction(path, direction)


def choose_direction_file(folder: Path, name: str, generator_id: str) -> Path:
    """The file of a direction: its own, or one that is no other network's.

    Args:
        folder: where directions lie.
        name: of the direction.
        generator_id: the sha256 of its network's weights.

    Returns:
        A path that need not exist.
    """
    path = folder / f"{name}.safetensors"
    if path.exists() and _owner_of(path) != generator_id:
        return folder / f"{name}-{generator_id[:12]}.safetensors"
    return path


@contextmanager
def open_scratch() -> Iterator[Path]:
    """An empty folder to make directions in; it goes afterwards, or a month after a sudden end.

    Raises StorageError when the disk is full or the folder cannot be written.
    """
    folder = make_private(_drafts_dir())
    try:
        _forget_old(folder)
        with tempfile.TemporaryDirectory(dir=folder, prefix=_SCRATCH) as name:
            yield Path(name)
    except OSError as error:
        raise StorageError(f"Directions cannot be made in {folder}: {error}.") from error


def write_draft(key: str, directions: Sequence[Direction]) -> None:
    """Keep what was made for a while; ``key``: a name that only the same request has.

    Raises StorageError when the disk is full or the folder cannot be written.
    """
    drop_draft(key)
    with open_scratch() as folder:
        fresh = folder / "draft"
        fresh.mkdir()
        for number, direction in enumerate(directions):
            write_direction(fresh / f"{number:03}.safetensors", direction)
        fresh.rename(_drafts_dir() / key)


def read_draft(key: str) -> list[Direction]:
    """What was made under ``key``, in its order; nothing where it is not there or damaged."""
    try:
        return [read_direction(path) for path in sorted((_drafts_dir() / key).iterdir())]
    except (OSError, BadInputError):
        return []


def drop_draft(key: str) -> None:
    """Forget what was made under ``key``."""
    shutil.rmtree(_drafts_dir() / key, ignore_errors=True)


def _drafts_dir() -> Path:
    return cache_dir() / "made-directions"


def _forget_old(folder: Path) -> None:
    """Those that nobody has wanted for a day, and what a sudden end left behind."""
    for draft in folder.iterdir():
        oldest = _SCRATCH_AGE_S if draft.name.startswith(_SCRATCH) else _DRAFT_AGE_S
        with suppress(FileNotFoundError):  # another process has just taken it away
            if time.time() - draft.stat().st_mtime > oldest:
                shutil.rmtree(draft, ignore_errors=True)


def _keep_replaced(path: Path, old: bytes) -> Path:
    """Put what stood at ``path`` into the folder ``replaced`` beside it, under a number."""
    folder, number = path.parent / "replaced", 1
    while (folder / f"{path.stem}.{number}.safetensors").exists():
        number += 1
    kept = folder / f"{path.stem}.{number}.safetensors"
    write_whole(kept, old)
    return kept


def _owner_of(path: Path) -> str:
    """The id of the network that a file's direction is for; nothing for what is none."""
    try:
        held = json.loads(find_metadata(path).get("direction", "{}"))
        return str(held["generator_id"])
    except (ValueError, KeyError, TypeError):
        return ""
