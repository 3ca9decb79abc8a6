"""Rendering with weights that are changed for one call: a latent's deformations and tunings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from latentfu import BadInputError, Latent, WeightOffset
from torch import Tensor, nn
from torch.func import functional_call

if TYPE_CHECKING:
    from latentfu import Noise

T = TypeVar("T")
N = TypeVar("N", bound=nn.Module)
Drawn = tuple[Tensor, dict[int, Tensor]]
"""Pictures [N, 3, H, W], and by layer the features that were asked for."""


class _Call(nn.Module):
    """A function of a network as a module, so that torch.func can exchange the weights."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, function: Callable[[Any], T]) -> T:
        return function(self.network)


def list_weights(network: nn.Module) -> dict[str, Tensor]:
    """All parameters and buffers of ``network`` by name."""
    return dict(network.named_parameters()) | dict(network.named_buffers())


def find_weight(network: nn.Module, name: str, generator: str) -> Tensor:
    """The parameter or buffer ``name`` of ``network``; BadInputError when there is none."""
    known = list_weights(network)
    if name not in known:
        raise BadInputError(f"The generator {generator} has no weights named {name!r}.")
    return known[name]


def add_offsets(
    network: nn.Module, bends: Sequence[WeightOffset], generator: str
) -> dict[str, Tensor]:
    """Add its shifts to each changed parameter; BadInputError where a shift does not fit.

    The network's own weights stay as they are. Gradients flow to shifts and strengths.
    """
    changed: dict[str, Tensor] = {}
    for bend in bends:
        weight = changed.get(bend.parameter)
        if weight is None:
            weight = find_weight(network, bend.parameter, generator)
        if bend.shift.shape != weight.shape:
            raise BadInputError(
                f"A bend of {bend.parameter} has the shape {list(bend.shift.shape)}; the "
                f"generator {generator} has {list(weight.shape)} there."
            )
        strength = bend.strength
        if isinstance(strength, Tensor):
            _check_strengths(bend, 1)
            strength = strength.to(weight).reshape(())
        changed[bend.parameter] = weight + bend.shift.to(weight) * strength
    return changed


def _check_strengths(bend: WeightOffset, codes: int) -> None:
    """BadInputError for a bend with strengths of its own for another number of codes."""
    if isinstance(bend.strength, Tensor) and bend.strength.numel() not in (1, codes):
        raise BadInputError(
            f"A bend of {bend.parameter} has {bend.strength.numel()} strengths; give one, or one "
            f"for each of the {codes} codes."
        )


def call_with_offsets(
    network: N,
    bends: Sequence[WeightOffset],
    function: Callable[[N], T],
    generator: str,
) -> T:
    """``function(network)`` with the offsets added to the weights while it runs."""
    if not bends:
        return function(network)
    changed = add_offsets(network, bends, generator)
    weights = {f"network.{name}": value for name, value in changed.items()}
    result: T = functional_call(_Call(network), weights, (function,))
    return result


def has_own_strengths(latent: Latent) -> bool:
    """Whether some bend has another strength for each code, so that codes go one by one."""
    return len(latent) > 1 and any(
        isinstance(bend.strength, Tensor) and bend.strength.numel() > 1 for bend in latent.bends
    )


def _split_codes(latent: Latent) -> list[Latent]:
    """The codes of ``latent`` as latents of their own, each with its part of bends and details.

    BadInputError for a bend with another number of strengths.
    """
    for bend in latent.bends:
        _check_strengths(bend, len(latent))
    return [_item(latent, row) for row in range(len(latent))]


def draw_each_code(
    latent: Latent,
    noise: Noise,
    features: tuple[int, ...],
    draw: Callable[[Latent, Noise, tuple[int, ...]], Drawn],
) -> Drawn:
    """What ``draw`` gives for all codes; one by one where an offset has a strength for each.

    BadInputError for an offset with another number of strengths.
    """
    if not has_own_strengths(latent):
        return draw(latent, noise, features)
    each = zip(_split_codes(latent), split_noise(noise, len(latent)), strict=True)
    parts = [draw(item, own, features) for item, own in each]
    image = torch.cat([part[0] for part in parts])  # [N, 3, H, W]
    return image, {i: torch.cat([part[1][i] for part in parts]) for i in features}


def split_noise(noise: Noise, n: int) -> list[Noise]:
    """The noise of each of n codes."""
    if isinstance(noise, str):
        return [noise] * n
    return [*split_maps(noise, n)]


def split_maps(maps: Mapping[int, Tensor], n: int) -> list[dict[int, Tensor]]:
    """Of maps [n or 1, ...] by layer what each of n pictures has, [1, ...]."""
    return [
        {layer: value if len(value) == 1 else value[i : i + 1] for layer, value in maps.items()}
        for i in range(n)
    ]


def _item(latent: Latent, row: int) -> Latent:
    here = slice(row, row + 1)
    return replace(
        latent,
        codes=latent.codes[here],
        bends=tuple(replace(bend, strength=_part(bend, row)) for bend in latent.bends),
        details=tuple(
            detail if len(detail.delta) == 1 else replace(detail, delta=detail.delta[here])
            for detail in latent.details
        ),
    )


def _part(bend: WeightOffset, row: int) -> float | Tensor:
    strength = bend.strength
    own = isinstance(strength, Tensor) and strength.numel() > 1
    return strength.reshape(-1)[row] if own else strength  # type: ignore[union-attr]


def sum_details(
    latent: Latent, shapes: Mapping[int, tuple[int, int, int]], generator: str
) -> dict[int, Tensor]:
    """The sum of ``latent.details`` at each layer, ``[N or 1, C, H, W]``.

    ``shapes``: (C, H, W) that each layer gives. BadInputError for a detail that does not fit.
    """
    total: dict[int, Tensor] = {}
    for detail in latent.details:
        if detail.layer not in shapes:
            raise BadInputError(
                f"The generator {generator} has no layer {detail.layer}: there are "
                f"{len(shapes)}, from 0."
            )
        wanted = shapes[detail.layer]
        count = len(detail.delta)
        if tuple(detail.delta.shape[1:]) != wanted or count not in (1, len(latent)):
            raise BadInputError(
                f"A detail has the shape {list(detail.delta.shape)}; layer {detail.layer} of "
                f"{generator} gives [{len(latent)}, {', '.join(map(str, wanted))}]."
            )
        before = total.get(detail.layer)
        total[detail.layer] = detail.delta if before is None else before + detail.delta
    return {
        layer: delta.to(torch.float32) if delta.dtype == torch.float16 else delta
        for layer, delta in total.items()
    }
