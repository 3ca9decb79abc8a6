"""A folder of pictures in, a folder of results out: what is worked on, and the table beside it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from latentfu.core.errors import BadInputError, StorageError

ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".ppm")
Row = dict[str, Any]
"""What became of a picture: its name as ``picture``, an ``error`` where it could not be used."""


def list_folder_pictures(folder: Path) -> list[Path]:
    """The picture files that lie in a folder, by their names; raises BadInputError for none."""
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in ENDINGS)
    if not paths:
        raise BadInputError(f"There is no picture in {folder}.")
    return paths


def make_output_folder(folder: Path, what: str) -> None:
    """The folder of the results, made if it is not there; raises BadInputError, StorageError."""
    if folder.exists() and not folder.is_dir():
        raise BadInputError(f"{folder} is a file: name a folder for the {what}.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"The folder {folder} cannot be made: {error.strerror}.") from error


def write_table(file: Path, rows: Sequence[Row]) -> None:
    """The rows as JSON, whole or not at all."""
    from latentfu.storage.atomic import write_whole

    text = json.dumps({"pictures": list(rows)}, indent=2, ensure_ascii=False)
    write_whole(file, text.encode())


def read_table(file: Path) -> dict[str, Row]:
    """The rows of an earlier run by their pictures; none where there is no such table."""
    try:
        rows = json.loads(file.read_bytes())["pictures"]
        return {str(row["picture"]): row for row in rows}
    except (OSError, ValueError, KeyError, TypeError):
        return {}  # never written, or not by us: all is done again


def finish_table(file: Path, rows: Sequence[Row], done: str, *, as_json: bool) -> None:
    """End the command: with a failure where some pictures could not be used.

    Args:
        file: the table.
        rows: of all pictures.
        done: what was to become of them, e.g. "inverted".
        as_json: whether the failure has been told to a program already.
    """
    failed = [row for row in rows if "error" in row]
    if not failed:
        return
    if as_json:
        click.get_current_context().exit(1)
    same = {row["error"] for row in failed}
    if len(failed) == len(rows) and len(same) == 1:
        raise BadInputError(same.pop())
    raise BadInputError(
        f"{len(failed)} of {len(rows)} pictures could not be {done}; {file} says why."
    )


def describe_failure(row: Row, columns: int) -> tuple[str, ...]:
    """A row with an error in words, for a table of so many columns."""
    return (row["picture"], *([""] * (columns - 2)), row["error"])
