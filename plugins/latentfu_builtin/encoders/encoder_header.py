"""What an encoder's file says of itself. Without torch, which a list of files must not wait for."""

from __future__ import annotations

from pathlib import Path

from latentfu import BadInputError, StorageError, read_metadata

ARCHITECTURE = "latentfu-encoder-1"
"""Of the encoders that are trained here; those of other projects have names of their own."""


def read_encoder_header(path: Path) -> dict[str, str]:
    """The metadata of a safetensors file; raises BadInputError when it is none."""
    try:
        return read_metadata(path)
    except StorageError as error:
        raise BadInputError(str(error)) from error
