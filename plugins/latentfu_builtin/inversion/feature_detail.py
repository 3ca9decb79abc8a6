"""Feature-space detail: what no code can say, as a map added to one layer's features.

After feature-style encoders (Yao et al. 2022, arXiv 2202.02183) and HFGI (Wang et al. 2022,
arXiv 2109.06590). An edit of the code moves the features under it, and the detail goes with them
(``latentfu.pipeline.feature_warp``), so that a hat, an earring or a background survives.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import torch
from latentfu import BadInputError, FeatureOffset, Generator, Inversion, InversionRequest, Latent
from torch import Tensor

from latentfu_builtin.inversion.optimize import one_thread
from latentfu_builtin.inversion.pivotal_tuning import Pivot, find_pivot
from latentfu_builtin.inversion.search_pictures import SearchPictures
from latentfu_builtin.inversion.settings import FeatureDetailOptions

_PREVIEW_EVERY = 20
_STAGES = (2, 2, 1)
"""Thirds of the search, and by what their quick pictures are smaller than the last one's.

With each the quick pictures are brought in line with whole ones.
"""
_MOST_SIDE = 64
"""What is finer is better kept by pasting the change onto the layer."""


def invert_with_detail(request: InversionRequest) -> Inversion:
    """The latent of ``request.crop`` with its detail; raises BadInputError for unusable pictures.

    A generator that shows no layers is refused at once.
    """
    plan = FeatureDetailOptions.of(request.options)
    _choose_layer(request.generator, plan.side)
    start = find_pivot(request, plan.pivot, plan.loss, plan.for_pivot)
    with one_thread(request.generator):
        latent = _find_detail(start, plan, replace(request, progress=start.progress))
        start.watch.lap("detail")
        steps = start.first.steps + plan.steps
        return start.judged(
            replace(start.first, latent=latent, method="feature-detail", steps=steps)
        )


def _choose_layer(generator: Generator, side: int) -> int:
    """The last layer whose features have ``side`` pixels (0: half of the picture's, at most 64).

    Raises BadInputError when the generator shows no layers, or none of that size.
    """
    if not generator.layers:
        raise BadInputError(
            f"The generator {generator.name} does not show its layers, so no detail can be kept "
            f"in them: choose another inverter."
        )
    wanted = side or min(_MOST_SIDE, generator.resolution // 2)
    sides = [layer.resolution for layer in generator.layers]
    if wanted not in sides and not side:
        wanted = min(sides, key=lambda found: abs(math.log2(found / wanted)))
    if wanted not in sides:
        known = ", ".join(str(found) for found in sorted(set(sides)))
        raise BadInputError(f"No layer of {generator.name} has {side} px; there are: {known}.")
    return len(sides) - 1 - sides[::-1].index(wanted)


class _Stage(NamedTuple):
    """The pictures of a part of the search, and what they are held against."""

    pictures: SearchPictures
    goal: Pivot

    @staticmethod
    def of(start: Pivot, side: int) -> _Stage:
        """Pictures of about ``side`` pixels (0: the generator's own)."""
        pictures = SearchPictures(start.generator, side)
        return _Stage(pictures, start.shrunk(pictures))


def _find_detail(start: Pivot, plan: FeatureDetailOptions, request: InversionRequest) -> Latent:
    """The first code of ``start`` with the detail that shows the picture best."""
    generator, code = start.generator, start.first.latent
    layer = _choose_layer(generator, plan.side)
    stages = [_Stage.of(start, plan.quick_side // part) for part in _STAGES]
    with torch.no_grad():
        plain = generator.render(code, "const", features=[layer])[1][layer].float()
    spread = float(plain.std())
    delta = torch.zeros_like(plain, memory_format=torch.contiguous_format).requires_grad_(True)
    adam = torch.optim.Adam([delta], lr=plan.rate * spread, betas=(0.9, 0.97))
    best, lowest = delta.detach().clone(), math.inf
    every = math.ceil((plan.steps + 1) / len(stages))
    for step in range(plan.steps + 1):
        pictures, goal = stages[step // every]
        if step % every == 0 and not all(stage.pictures.are_whole for stage in stages):
            pictures.anchor(_add_detail(code, layer, delta.detach()))
            lowest = math.inf  # what was measured by other pictures cannot be compared
        image = pictures.draw(_add_detail(code, layer, delta))
        loss = goal.distance(image, plan.pixel, plan.perceptual)
        loss = loss + plan.size * (delta / spread).square().mean()
        value = float(loss.detach())
        if math.isfinite(value) and value < lowest:
            lowest, best = value, delta.detach().clone()
        if step == plan.steps or not math.isfinite(value):
            break
        adam.param_groups[0]["lr"] = plan.rate * spread * _rate_factor(step / plan.steps)
        adam.zero_grad()
        torch.autograd.backward(loss)
        adam.step()
        _report(request, step, plan.steps, pictures, image)
    return _add_detail(code, layer, best)


def _add_detail(code: Latent, layer: int, delta: Tensor) -> Latent:
    """The code with a detail beside those that it has."""
    return replace(code, details=(*code.details, FeatureOffset(layer, delta)))


def _rate_factor(done: float) -> float:
    """The rate's factor: up in the first steps, a cosine down to nothing."""
    return min(1.0, (done + 0.02) / 0.1) * (0.5 + 0.5 * math.cos(math.pi * done))


def _report(
    request: InversionRequest, step: int, steps: int, pictures: SearchPictures, image: Tensor
) -> None:
    """Report progress, now and then with a picture."""
    request.progress((step + 1) / steps, "Keeping the detail")
    if request.preview is not None and step % _PREVIEW_EVERY == 0:
        request.preview(pictures.enlarge(image.detach()))
