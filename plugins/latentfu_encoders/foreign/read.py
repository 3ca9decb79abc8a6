"""A published checkpoint as a plain tree of tensors, read without running anything in it."""

from __future__ import annotations

import pickle
from pathlib import Path

from latentfu import BadInputError

from latentfu_encoders.files import read_tensors

LARGEST = 8 << 30


def tree_of(path: Path) -> object:
    """The mappings, numbers and tensors of a .pt or .safetensors file; raises BadInputError."""
    import torch
    from safetensors import SafetensorError

    if path.stat().st_size > LARGEST:
        raise BadInputError(f"{path} is larger than any encoder: choose another file.")
    try:
        if path.suffix == ".safetensors":
            return read_tensors(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        raise BadInputError(
            f"{path} can not be read as a checkpoint of tensors: it is damaged, of another kind, "
            f"or would run code."
        ) from error
