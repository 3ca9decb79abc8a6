"""The tuning itself: Adam on the shifts of the convolutions' weights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import torch
from latentfu import BadInputError, Generator, InversionRequest, Latent, WeightOffset
from torch import Tensor

from latentfu_builtin.inversion.pivot import Begun
from latentfu_builtin.inversion.pivotal.locality import Neighbourhood
from latentfu_builtin.inversion.pivotal.low_rank import truncated
from latentfu_builtin.inversion.pivotal.options import Plan

PREVIEW_EVERY = 20


def tuned(start: Begun, plan: Plan, request: InversionRequest) -> Latent:
    """The pivot with bends of the plan's rank; raises BadInputError where nothing can be bent."""
    generator, pivot = start.generator, start.first.latent
    shifts = fresh_shifts(generator)
    adam = torch.optim.Adam(parameter_groups(generator, shifts, plan.rate))
    near = Neighbourhood.of(generator, pivot, plan.reach, plan.seed)
    best, lowest = {name: shift.detach().clone() for name, shift in shifts.items()}, math.inf
    for step in range(plan.steps + 1):
        bent = with_shifts(pivot, shifts)
        image = generator.render(bent)
        loss = start.distance(image, plan.pixel, plan.perceptual)
        value = float(loss.detach())
        if not math.isfinite(value):
            break
        if value < lowest:
            lowest, best = value, {k: v.detach().clone() for k, v in shifts.items()}
        if step == plan.steps:
            break
        if plan.locality > 0 and step % plan.locality_every == 0:
            loss = loss + plan.locality * near.change(bent, step, start.perceptual)
        for group in adam.param_groups:
            group["lr"] = group["highest"] * pace(step / plan.steps)
        adam.zero_grad()
        torch.autograd.backward(loss)
        adam.step()
        tell(request, step, plan.steps, image)
    return with_shifts(pivot, {k: truncated(v, plan.rank) for k, v in best.items()})


def fresh_shifts(generator: Generator) -> dict[str, Tensor]:
    """A zero for each convolution of the synthesis, by its name; raises BadInputError."""
    names = list(dict.fromkeys(layer.weight for layer in generator.layers))
    if not names:
        raise BadInputError(
            f"The generator {generator.name} does not show its layers, so it can not be tuned: "
            f"choose another inverter."
        )
    shifts = {name: torch.zeros_like(generator.parameter(name)) for name in names}
    return {name: shift.detach().requires_grad_(True) for name, shift in shifts.items()}


def parameter_groups(
    generator: Generator, shifts: Mapping[str, Tensor], rate: float
) -> list[dict[str, object]]:
    """For Adam: each shift moves at ``rate`` times the size of the weights that it bends."""
    groups: list[dict[str, object]] = []
    for name, shift in shifts.items():
        size = float(generator.parameter(name).detach().square().mean().sqrt())
        groups.append({"params": [shift], "lr": rate * size, "highest": rate * size})
    return groups


def with_shifts(pivot: Latent, shifts: Mapping[str, Tensor]) -> Latent:
    """The pivot with a bend for each shift, beside those that it has."""
    own = tuple(WeightOffset(name, shift) for name, shift in shifts.items())
    return replace(pivot, bends=(*pivot.bends, *own))


def pace(done: float) -> float:
    """The rate's factor: level, then a cosine down over the last half."""
    return 1.0 if done < 0.5 else 0.5 - 0.5 * math.cos(2.0 * math.pi * (1.0 - done))


def tell(request: InversionRequest, step: int, steps: int, image: Tensor) -> None:
    """Report progress, now and then with a picture."""
    request.progress((step + 1) / steps, "Tuning the generator")
    if request.preview is not None and step % PREVIEW_EVERY == 0:
        request.preview(image.detach())
