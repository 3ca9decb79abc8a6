"""Bends and details of a latent as tensors in a file: half precision, low rank where that does.

A shift ``[out, in, k, k]`` is kept as two thin matrices when they say it within a thousandth.
Nothing of a file is believed: parameters, layers and shapes are compared with the generator.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from latentfu.core.latent import FeatureOffset, Inversion, WeightOffset

if TYPE_CHECKING:
    import torch

    from latentfu.core.generator import Generator

_EXACT = 1e-3
_LARGEST_RANK = 64
_MOST = 512
"""Bends, and details, that one latent may carry."""

_Tensors = dict[str, "torch.Tensor"]


def round_as_stored(inversion: Inversion) -> Inversion:
    """``inversion`` with bends and details exactly as a file would give them back.

    So that what is shown at once is what is shown after a restart.
    """
    import torch

    latent = inversion.latent
    if not latent.bends and not latent.details:
        return inversion
    bends = tuple(replace(bend, shift=_round_shift(bend.shift)) for bend in latent.bends)
    details = tuple(
        replace(detail, delta=detail.delta.detach().to(torch.float16).to(detail.delta.dtype))
        for detail in latent.details
    )
    return replace(inversion, latent=replace(latent, bends=bends, details=details))


def _round_shift(shift: torch.Tensor) -> torch.Tensor:
    return unpack_shift(pack_shift(shift), tuple(shift.shape)).to(shift)


def pack_offsets(
    bends: tuple[WeightOffset, ...], details: tuple[FeatureOffset, ...]
) -> tuple[_Tensors, _Tensors]:
    """The tensors of both by name: ``bend.0``, or ``bend.0.left`` and ``.right``; ``map.0``."""
    import torch

    shifts: _Tensors = {}
    for number, bend in enumerate(bends):
        for part, tensor in pack_shift(bend.shift).items():
            shifts[f"bend.{number}{part}"] = tensor
    maps = {f"map.{n}": detail.delta.detach().to(torch.float16) for n, detail in enumerate(details)}
    return shifts, maps


def pack_shift(shift: torch.Tensor) -> _Tensors:
    """``{"": shift}`` or ``{".left": [out, r], ".right": [r, rest]}``, float16."""
    import torch

    flat = shift.detach().float().reshape(shift.shape[0], -1)
    rank = min(_LARGEST_RANK, *flat.shape)
    whole = {"": shift.detach().to(torch.float16)}
    if shift.ndim < 2 or 2 * rank * sum(flat.shape) > 3 * flat.numel():
        return whole
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        left, values, right = torch.svd_lowrank(flat, q=rank, niter=4)
    kept = max(1, int((values > values[0] * _EXACT / 10).sum()))
    if kept * sum(flat.shape) >= flat.numel():
        return whole
    root = values[:kept].sqrt()
    thin = {".left": (left[:, :kept] * root).half(), ".right": (right[:, :kept] * root).T.half()}
    lost = (unpack_shift(thin, tuple(shift.shape)) - flat.reshape(shift.shape)).norm()
    return thin if float(lost) <= _EXACT * float(flat.norm()) else whole


def unpack_shift(parts: _Tensors, shape: tuple[int, ...]) -> torch.Tensor:
    """The shift of ``shape`` that ``parts`` say; ValueError when they do not fit."""
    if set(parts) == {""}:
        shift = parts[""].float()
    elif set(parts) == {".left", ".right"} and parts[".left"].ndim == parts[".right"].ndim == 2:
        shift = (parts[".left"].float() @ parts[".right"].float()).reshape(shape)
    else:
        raise ValueError(f"a bend in the parts {sorted(parts)}")
    if tuple(shift.shape) != shape:
        raise ValueError(f"a bend of {list(shift.shape)} for a parameter of {list(shape)}")
    return _check_finite(shift)


def read_weight_offsets(
    facts: object, tensors: Mapping[str, torch.Tensor], generator: Generator
) -> tuple[WeightOffset, ...]:
    """The bends that ``facts`` (pairs of parameter and strength) and the tensors say.

    Raises ValueError, KeyError, TypeError, RuntimeError or BadInputError when anything is off.
    """
    bends = []
    for number, (parameter, strength) in enumerate(_check_list(facts)):
        shape = tuple(generator.parameter(str(parameter)).shape)
        parts = {
            part: tensors[f"bend.{number}{part}"]
            for part in ("", ".left", ".right")
            if f"bend.{number}{part}" in tensors
        }
        bends.append(WeightOffset(str(parameter), unpack_shift(parts, shape), float(strength)))
    return tuple(bends)


def read_feature_offsets(
    facts: object, tensors: Mapping[str, torch.Tensor], generator: Generator
) -> tuple[FeatureOffset, ...]:
    """The details that ``facts`` (layer numbers) and the tensors say.

    Raises as read_weight_offsets.
    """
    details = []
    for number, (layer,) in enumerate(_check_list(facts)):
        if not 0 <= int(layer) < len(generator.layers):
            raise ValueError(f"a detail for the layer {layer}")
        place = generator.layers[int(layer)]
        delta = tensors[f"map.{number}"]
        if tuple(delta.shape) != (1, place.channels, place.resolution, place.resolution):
            raise ValueError(f"a detail of {list(delta.shape)} for the layer {layer}")
        details.append(FeatureOffset(int(layer), _check_finite(delta.float())))
    return tuple(details)


def _check_list(facts: object) -> list[tuple[Any, ...]]:
    """A short list of lists, or ValueError."""
    if not isinstance(facts, list) or len(facts) > _MOST:
        raise ValueError("facts that are no list")
    return [tuple(fact) for fact in facts]


def _check_finite(tensor: torch.Tensor) -> torch.Tensor:
    """The tensor itself; ValueError when it holds infinities or no numbers."""
    if not bool(tensor.isfinite().all()):
        raise ValueError("numbers that are not finite")
    return tensor
