"""What a file says of itself, read without torch."""

from __future__ import annotations

from pathlib import Path

from latentfu import BadInputError, is_sha256

ARCHITECTURE = "latentfu-encoder-1"


def read_header(path: Path) -> dict[str, str]:
    """The metadata of a safetensors file; raises BadInputError when it is none."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="np") as file:
            return dict(file.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise BadInputError(f"{path} can not be read as a safetensors file: {error}.") from error


def generator_of(path: Path) -> str | None:
    """The id of the generator that the encoder in ``path`` is for; None when it holds none."""
    try:
        found = read_header(path).get("generator_id", "")
    except BadInputError:
        return None
    return found if is_sha256(found) else None
