"""Deformations in the file of the paper's own code: {"layer_ix", "shift"}."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from latentfu import BadInputError, Generator

from latentfu_deformations.deformation import LARGEST_FILE, Deformation
from latentfu_deformations.layer import Convolution


def read_published(path: Path, generator: Generator, name: str) -> Deformation:
    """A published deformation ``{"layer_ix": int, "shift": [1, 1, out, in, k, k]}``.

    Its layers count the convolutions after the one at 4 px, so ours are one higher; in layers
    that double the size the published kernels are turned by 180 degrees against ours. Read with
    torch's allow-list of types: nothing in the file is executed. Raises BadInputError.
    """
    tree = read_tensors(path)
    if not isinstance(tree, dict) or not {"layer_ix", "shift"} <= set(tree):
        raise BadInputError(f"{path} is no deformation: it lacks layer_ix or shift.")
    layer, shift = tree["layer_ix"], tree["shift"]
    if not isinstance(layer, int) or not isinstance(shift, torch.Tensor) or shift.ndim < 4:
        raise BadInputError(f"{path} is no deformation: layer_ix or shift has another type.")
    convolution = Convolution(generator, layer + 1)
    kernel = ours(shift.float().reshape(shift.shape[-4:]), layer + 1)
    wanted = tuple(convolution.weight.shape)
    if tuple(kernel.shape) != wanted:
        raise BadInputError(
            f"{path} has a shift of {list(kernel.shape)} for layer {layer}; {generator.name} has "
            f"{list(wanted)} there."
        )
    return Deformation(
        shift=np.ascontiguousarray(kernel.numpy()),
        parameter=convolution.parameter,
        layer=layer + 1,
        name=name,
        generator_id=generator.id,
        generator=generator.name,
        method="published",
        source=path.name,
    )


def ours(kernel: torch.Tensor, layer: int) -> torch.Tensor:
    """A published kernel ``[out, in, k, k]`` as this project's networks lay it out."""
    return kernel.flip(2, 3) if layer % 2 == 1 else kernel


def read_tensors(path: Path) -> object:
    """What a torch file holds, if it holds plain containers and tensors only."""
    import pickle

    try:
        if path.stat().st_size > LARGEST_FILE:
            raise BadInputError(f"{path} is too large for a deformation.")
        return torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError, pickle.UnpicklingError) as error:
        raise BadInputError(
            f"{path} can not be read as a deformation: it is damaged, or holds more than tensors."
        ) from error
