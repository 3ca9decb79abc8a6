"""A training run as named tensors: what its networks and optimizers are, put away and put back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor


def pick_tensors(tensors: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    """The tensors whose name begins with ``name.``, without it."""
    start = f"{name}."
    return {key[len(start) :]: value for key, value in tensors.items() if key.startswith(start)}


def name_tensors(tensors: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    """The same tensors, each name begun with ``name.``."""
    return {f"{name}.{key}": value for key, value in tensors.items()}


def gather_moments(
    optimizer: torch.optim.Optimizer, parameters: Iterable[Tensor]
) -> dict[str, Tensor]:
    """What an optimizer knows of ``parameters``, by their place: ``0.exp_avg`` and so on."""
    found = {}
    for place, parameter in enumerate(parameters):
        for key, value in optimizer.state.get(parameter, {}).items():
            found[f"{place}.{key}"] = value
    return found


def restore_moments(
    optimizer: torch.optim.Optimizer, parameters: Iterable[Tensor], tensors: Mapping[str, Tensor]
) -> None:
    """Put back what :func:`gather_moments` found, on each parameter's device and in its layout.

    Raises RuntimeError where shapes do not fit.
    """
    for place, parameter in enumerate(parameters):
        state = {
            key: value.clone()
            if key == "step"
            else torch.empty_like(parameter, requires_grad=False).copy_(value)
            for key, value in pick_tensors(tensors, str(place)).items()
        }
        if state:
            optimizer.state[parameter] = state


def copy_tensors(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Copies on the processor, as a file takes them, that later steps do not change."""
    return {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
