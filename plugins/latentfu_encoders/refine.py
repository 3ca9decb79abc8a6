"""A few steps of optimisation from an encoder's code (Zhu et al. 2020, arXiv 2004.00049).

The search moves away from the code that the encoder gave, in the spreads of the generator's own
codes; what is far from the others' codes costs, so that edits keep their meaning.
"""

from __future__ import annotations

import math
from weakref import WeakKeyDictionary

import torch
from latentfu import BadInputError, Generator, InversionRequest, Latent
from latentfu_inversion.losses import Distance, pyramid
from latentfu_inversion.prior import Spread, measure_spread
from torch import Tensor

PREVIEW_EVERY = 10
WARM_UP = 0.1

_spreads: WeakKeyDictionary[Generator, Spread] = WeakKeyDictionary()


def spread_of(generator: Generator) -> Spread:
    """The generator's spread, measured once."""
    if generator not in _spreads:
        _spreads[generator] = measure_spread(generator)
    return _spreads[generator]


def refined(
    generator: Generator,
    start: Latent,
    target: Tensor,
    perceptual: Distance | None,
    request: InversionRequest,
) -> Latent:
    """The best code met in ``steps`` steps from ``start``; raises BadInputError for no numbers.

    Options read: ``steps``, ``rate`` (in spreads), ``pixel``, ``perceptual``, ``prior``.
    """
    options = request.options
    steps, rate = int(options["steps"]), float(options["rate"])
    spread = spread_of(generator)
    first = spread.whitened(start.codes)
    moved = torch.zeros_like(first).requires_grad_(True)
    adam = torch.optim.Adam([moved], lr=rate, betas=(0.9, 0.97))
    best, lowest = start, math.inf
    for step in range(steps + 1):
        latent = start.with_codes(start.codes + moved @ spread.axes.T)
        image = generator.render(latent)
        loss = float(options["pixel"]) * pyramid(image, target)[0]
        if perceptual is not None and float(options["perceptual"]) > 0:
            loss = loss + float(options["perceptual"]) * perceptual(image, target)[0]
        loss = loss + float(options["prior"]) * strangeness(first + moved)
        value = float(loss.detach())
        if math.isfinite(value) and value < lowest:
            lowest, best = value, start.with_codes(latent.codes.detach().clone())
        if step == steps or not math.isfinite(value):
            break
        adam.param_groups[0]["lr"] = rate * pace(step / steps)
        adam.zero_grad()
        torch.autograd.backward(loss)
        adam.step()
        tell(request, (step + 1) / steps, image if step % PREVIEW_EVERY == 0 else None)
    if not math.isfinite(lowest):
        raise BadInputError("No latent was found for this picture: the search gave no numbers.")
    return best


def strangeness(offsets: Tensor) -> Tensor:
    """How far offsets are from the mean, and layers from each other: about 1 for random codes."""
    apart = offsets - offsets.mean(dim=1, keepdim=True) if offsets.ndim == 3 else offsets * 0.0
    return offsets.square().mean() + apart.square().mean()


def pace(done: float) -> float:
    """The rate's factor: up in the first tenth, then a cosine down to nothing."""
    up = min(1.0, (done + 0.02) / WARM_UP)
    return up * (0.5 + 0.5 * math.cos(math.pi * done))


def tell(request: InversionRequest, done: float, image: Tensor | None) -> None:
    """Report progress, now and then with a picture."""
    request.progress(done, "Refining the latent")
    if request.preview is not None and image is not None:
        request.preview(image.detach())
