"""Torch files of others, read with an allow-list of types: nothing in them is executed."""

from __future__ import annotations

import pickle
from pathlib import Path

import torch
from latentfu import BadInputError

LARGEST = 1 << 30


def read_tensors(path: Path) -> object:
    """What a torch file holds, if it holds plain containers and tensors only.

    Raises BadInputError for a damaged file, one of more than 1 GiB, and one with more in it.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise BadInputError(f"{path} is too large for deformations.")
        return torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError, pickle.UnpicklingError) as error:
        raise BadInputError(
            f"{path} can not be read as a deformation: it is damaged, or holds more than tensors."
        ) from error
