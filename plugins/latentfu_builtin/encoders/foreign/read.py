"""A published checkpoint as a plain tree of tensors, read without running anything in it."""

from __future__ import annotations

from pathlib import Path

from latentfu import Progress, read_tensors, read_torch, silent

LARGEST = 8 << 30


def tree_of(path: Path, progress: Progress = silent) -> object:
    """The mappings, numbers and tensors of a .pt or .safetensors file; raises BadInputError.

    A .pt file is taken apart in a process of its own.
    """
    if path.suffix != ".safetensors":
        return read_torch(path, progress, LARGEST)
    return read_tensors(path)
