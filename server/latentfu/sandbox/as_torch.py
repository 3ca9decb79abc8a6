"""What the importer's child read, with its arrays as torch's tensors: for our own process only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from latentfu.core.errors import BadInputError
from latentfu.core.progress import Progress, silent
from latentfu.sandbox.parent import read_foreign
from latentfu.sandbox.tree import OpaqueObject


def read_torch(path: Path, progress: Progress = silent, largest: int | None = None) -> Any:
    """The content of a .pt or .pth file of others: dicts, lists, numbers, Things and tensors.

    Read as ``read_foreign`` does: in a child process, and nothing in it is run. ``largest``: more
    bytes than this are refused. Raises BadInputError in one sentence, CancelledError.
    """
    path = Path(path)
    if largest is not None and path.is_file() and path.stat().st_size > largest:
        raise BadInputError(f"{path} is larger than any such file ({largest >> 20} MiB).")
    return as_tensors(read_foreign(path, progress).content)


def as_tensors(value: Any) -> Any:
    """``value`` with every array, however deep, as a tensor of the same numbers on the CPU."""
    import torch

    if isinstance(value, np.ndarray):
        return torch.from_numpy(value if value.flags.writeable else value.copy())
    if isinstance(value, dict):
        return {key: as_tensors(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_tensors(item) for item in value]
    if isinstance(value, OpaqueObject):
        return OpaqueObject(value.class_name, as_tensors(value.state))
    return value
