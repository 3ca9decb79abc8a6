"""A published checkpoint as a plain tree of tensors, read without running anything in it."""

from __future__ import annotations

from pathlib import Path

from latentfu import BadInputError, Progress, read_torch, silent

from latentfu_builtin.encoders.files import read_tensors

LARGEST = 8 << 30


def tree_of(path: Path, progress: Progress = silent) -> object:
    """The mappings, numbers and tensors of a .pt or .safetensors file; raises BadInputError.

    A .pt file is taken apart in a process of its own.
    """
    from safetensors import SafetensorError

    if path.suffix != ".safetensors":
        return read_torch(path, progress, LARGEST)
    try:
        return read_tensors(path)
    except SafetensorError as error:
        raise BadInputError(f"{path} is damaged or no safetensors file: {error}.") from error
