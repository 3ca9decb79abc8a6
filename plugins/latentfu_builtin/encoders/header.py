"""What a file says of itself, read without torch."""

from __future__ import annotations

from pathlib import Path

from latentfu import BadInputError, StorageError, is_sha256, read_metadata

ARCHITECTURE = "latentfu-encoder-1"


def read_header(path: Path) -> dict[str, str]:
    """The metadata of a safetensors file; raises BadInputError when it is none."""
    try:
        return read_metadata(path)
    except StorageError as error:
        raise BadInputError(str(error)) from error


def generator_of(path: Path) -> str | None:
    """The id of the generator that the encoder in ``path`` is for; None when it holds none."""
    try:
        found = read_header(path).get("generator_id", "")
    except BadInputError:
        return None
    return found if is_sha256(found) else None
