"""The inverter w-plus: Adam on the codes, one for all layers first, then one per layer.

After Abdal et al. 2019 (arXiv 1904.03189), with the starting point, the learning-rate ramp of
the StyleGAN2 projector (arXiv 1912.04958) and a prior on the codes (arXiv 2012.09036).
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from latentfu import (
    BadInputError,
    Generator,
    Inversion,
    InversionRequest,
    Latent,
    Quality,
    random_latents,
)
from torch import Tensor

from latentfu_inversion.losses import Distance, perceptual_loss, pyramid
from latentfu_inversion.options import Options
from latentfu_inversion.prior import Spread, measure_spread

PREVIEW_EVERY = 20
RAMP_UP, RAMP_DOWN = 0.05, 0.35


@dataclass(frozen=True)
class Search:
    """What stays the same during one inversion."""

    generator: Generator
    target: Tensor  # [1, 3, R, R]
    spread: Spread
    perceptual: Distance | None
    options: Options

    def render(self, p: Tensor) -> Tensor:
        """p [N, num_ws or 1, w_dim] -> pictures [N, 3, R, R]."""
        codes = self.spread.codes(p).expand(-1, self.generator.num_ws, -1)
        return self.generator.render(Latent(codes, "w+", self.generator.id))

    def distance(self, images: Tensor) -> Tensor:
        """Weighted pixel and perceptual distance to the target, [N]."""
        target = self.target.expand_as(images)
        total = self.options.pixel * pyramid(images, target)
        if self.perceptual is not None and self.options.perceptual > 0:
            total = total + self.options.perceptual * self.perceptual(images, target)
        return total


def invert(request: InversionRequest) -> Inversion:
    """The w+ code of ``request.crop``; raises BadInputError for unusable pictures."""
    started = time.perf_counter()
    options = Options.of(request.options)
    generator = request.generator
    name, perceptual = perceptual_loss(options.loss, generator)
    target = torch.from_numpy(request.crop.image)[None].to(generator.device)
    check_target(target, generator)
    search = Search(generator, target, measure_spread(generator), perceptual, options)
    with one_thread(generator):
        p = descend(search, starting_point(search), request)
    with torch.no_grad():
        codes = search.spread.codes(p).contiguous()
        image = search.render(p).clamp(-1, 1)
        error = float((image - target).square().mean())
        seen = float(perceptual(image, target)[0]) if perceptual else float(pyramid(image, target))
    quality = Quality(
        psnr=10.0 * math.log10(4.0 / max(error, 1e-10)),
        perceptual=seen,
        perceptual_name=name if perceptual else "pixels",
        seconds=time.perf_counter() - started,
    )
    return Inversion(Latent(codes, "w+", generator.id), quality, "w-plus", options.steps)


@contextmanager
def one_thread(generator: Generator) -> Iterator[None]:
    """Small pictures on a CPU: threads waiting for each other cost more than they bring.

    On a machine with other work to do, two threads were ten times slower than one at 64 px.
    """
    if generator.device.type != "cpu" or generator.resolution > 128:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def check_target(target: Tensor, generator: Generator) -> None:
    """Refuse a crop that does not fit or shows nothing (raises BadInputError)."""
    side = generator.resolution
    if tuple(target.shape) != (1, 3, side, side):
        raise BadInputError(f"The crop is {list(target.shape)}; it must be [3, {side}, {side}].")
    if not bool(torch.isfinite(target).all()):
        raise BadInputError("The picture holds values that are no numbers: export it again.")
    if float(target.max() - target.min()) < 0.02:
        raise BadInputError(
            "The part to edit is one flat colour: choose a layer that shows a picture there."
        )


@torch.no_grad()
def starting_point(search: Search) -> Tensor:
    """The mean, or the random latent that looks most like the target, p [1, 1, w_dim]."""
    best = search.target.new_zeros(1, 1, search.generator.w_dim)
    if search.options.candidates == 0:
        return best
    lowest = float(search.distance(search.render(best)))
    codes = random_latents(search.generator, search.options.candidates, search.options.seed).codes
    for part in torch.split(codes[:, :1], 16):
        p = search.spread.whitened(part)
        distances = search.distance(search.render(p))
        nearest = int(distances.argmin())
        if float(distances[nearest]) < lowest:
            lowest, best = float(distances[nearest]), p[nearest : nearest + 1]
    return best


def descend(search: Search, p: Tensor, request: InversionRequest) -> Tensor:
    """Adam from p [1, 1, w_dim] to the best p [1, num_ws, w_dim] that was met."""
    options = search.options
    best, lowest = p.expand(-1, search.generator.num_ws, -1).clone(), math.inf
    moving, optimiser = free(p)
    split = round(options.steps * options.shared)
    for step in range(options.steps):
        if step == split and moving.shape[1] == 1:
            moving, optimiser = free(moving.expand(-1, search.generator.num_ws, -1))
        optimiser.param_groups[0]["lr"] = options.rate * ramp(step / options.steps)
        image = search.render(moving)
        loss = search.distance(image)[0] + options.prior * size_of(moving)
        value = float(loss.detach())
        if not math.isfinite(value):
            break
        if value < lowest:
            lowest, best = value, moving.detach().expand_as(best).clone()
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        tell(request, step, options.steps, image)
    if not math.isfinite(lowest):
        raise BadInputError("No latent was found for this picture: the search gave no numbers.")
    return best


def free(p: Tensor) -> tuple[Tensor, torch.optim.Adam]:
    """A copy of p that gradients reach, and the optimiser that moves it."""
    moving = p.detach().clone().requires_grad_(True)
    return moving, torch.optim.Adam([moving], lr=1.0, betas=(0.9, 0.99))


def size_of(p: Tensor) -> Tensor:
    """How far p lies from the mean, and its layers from each other: about 1 for random ones."""
    apart = (p - p.mean(dim=1, keepdim=True)).square().mean()
    return p.square().mean() + apart


def ramp(done: float) -> float:
    """The learning rate's factor: up over the first part, a cosine down over the last."""
    up = min(1.0, (done + 1e-3) / RAMP_UP)
    down = min(1.0, (1.0 - done) / RAMP_DOWN)
    return up * (0.5 - 0.5 * math.cos(math.pi * down))


def tell(request: InversionRequest, step: int, steps: int, image: Tensor) -> None:
    """Report progress, now and then with a picture."""
    request.progress((step + 1) / steps, "Finding the latent")
    if request.preview is not None and step % PREVIEW_EVERY == 0:
        request.preview(image.detach())
