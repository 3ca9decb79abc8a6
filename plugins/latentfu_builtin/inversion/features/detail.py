"""The detail itself: Adam on a map of features beside a fixed code."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from latentfu import BadInputError, FeatureOffset, Generator, InversionRequest, Latent
from torch import Tensor

from latentfu_builtin.inversion.features.options import Plan
from latentfu_builtin.inversion.pivot import Begun

PREVIEW_EVERY = 20
MOST_SIDE = 64
"""What is finer is better kept by pasting the change onto the layer."""


def layer_of(generator: Generator, side: int) -> int:
    """The last layer whose features have ``side`` pixels (0: half of the picture's, at most 64).

    Raises BadInputError when the generator shows no layers, or none of that size.
    """
    if not generator.layers:
        raise BadInputError(
            f"The generator {generator.name} does not show its layers, so no detail can be kept "
            f"in them: choose another inverter."
        )
    wanted = side or min(MOST_SIDE, generator.resolution // 2)
    sides = [layer.resolution for layer in generator.layers]
    if wanted not in sides and not side:
        wanted = min(sides, key=lambda found: abs(math.log2(found / wanted)))
    if wanted not in sides:
        known = ", ".join(str(found) for found in sorted(set(sides)))
        raise BadInputError(f"No layer of {generator.name} has {side} px; there are: {known}.")
    return len(sides) - 1 - sides[::-1].index(wanted)


def detailed(start: Begun, plan: Plan, request: InversionRequest) -> Latent:
    """The first code of ``start`` with the detail that shows the picture best."""
    generator, code = start.generator, start.first.latent
    layer = layer_of(generator, plan.side)
    with torch.no_grad():
        plain = generator.render(code, "const", features=[layer])[1][layer].float()
    spread = float(plain.std())
    delta = torch.zeros_like(plain, memory_format=torch.contiguous_format).requires_grad_(True)
    adam = torch.optim.Adam([delta], lr=plan.rate * spread, betas=(0.9, 0.97))
    best, lowest = delta.detach().clone(), math.inf
    for step in range(plan.steps + 1):
        image = generator.render(with_detail(code, layer, delta))
        loss = start.distance(image, plan.pixel, plan.perceptual)
        loss = loss + plan.size * (delta / spread).square().mean()
        value = float(loss.detach())
        if math.isfinite(value) and value < lowest:
            lowest, best = value, delta.detach().clone()
        if step == plan.steps or not math.isfinite(value):
            break
        adam.param_groups[0]["lr"] = plan.rate * spread * pace(step / plan.steps)
        adam.zero_grad()
        torch.autograd.backward(loss)
        adam.step()
        tell(request, step, plan.steps, image)
    return with_detail(code, layer, best)


def with_detail(code: Latent, layer: int, delta: Tensor) -> Latent:
    """The code with a detail beside those that it has."""
    return replace(code, details=(*code.details, FeatureOffset(layer, delta)))


def pace(done: float) -> float:
    """The rate's factor: up in the first steps, a cosine down to nothing."""
    return min(1.0, (done + 0.02) / 0.1) * (0.5 + 0.5 * math.cos(math.pi * done))


def tell(request: InversionRequest, step: int, steps: int, image: Tensor) -> None:
    """Report progress, now and then with a picture."""
    request.progress((step + 1) / steps, "Keeping the detail")
    if request.preview is not None and step % PREVIEW_EVERY == 0:
        request.preview(image.detach())
