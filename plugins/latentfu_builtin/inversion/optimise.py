"""Inversion by optimisation: one picture, or several with one generator and equal options.

After Abdal et al. 2019 (arXiv 1904.03189); starting point, noise and learning-rate ramp of the
StyleGAN2 projector (arXiv 1912.04958); a prior on the codes (arXiv 2012.09036).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from latentfu import BadInputError, Inversion, InversionRequest, Latent, Quality, Stopwatch
from torch import Tensor

from latentfu_builtin.inversion.checks import check_target, one_thread
from latentfu_builtin.inversion.coordinates import coordinates
from latentfu_builtin.inversion.search import Best, Search, Watcher, descend
from latentfu_builtin.inversion.settings import Settings
from latentfu_builtin.inversion.start import nearer_candidates, starting_points
from latentfu_builtin.inversion.terms import mask_tensor, objective


def invert(request: InversionRequest, method: str = "optimise") -> Inversion:
    """The latent of ``request.crop``; raises BadInputError for unusable pictures and options."""
    return invert_many([request], method)[0]


def invert_many(requests: Sequence[InversionRequest], method: str = "optimise") -> list[Inversion]:
    """The latents of several crops, the same as one by one within rounding."""
    watch = Stopwatch()
    generator = requests[0].generator
    settings = Settings.of(requests[0].options)
    crops = [torch.from_numpy(request.crop.image)[None] for request in requests]
    targets = torch.cat([checked(crop.to(generator.device), requests[0]) for crop in crops])
    mask = mask_tensor([request.mask for request in requests], generator.device)
    with one_thread(generator):
        space = coordinates(generator, settings.space, settings.units)
        goal = objective(settings.losses, generator, settings.vgg_layer, settings.backbone, mask)
        search = Search(space, targets, goal, settings)
        watch.lap("prepare")
        requests[0].progress(0.0, "Looking for a start")
        points = starting_points(space, settings, requests)
        points = nearer_candidates(space, settings, goal, targets, points)
        watch.lap("start")
        best = descend(search, points, watcher(requests))
        watch.lap("optimise")
        found = Found(search, best)
        qualities = found.qualities(watch)
    return [
        Inversion(found.latent(row), quality, method, settings.steps)
        for row, quality in enumerate(qualities)
    ]


def checked(target: Tensor, request: InversionRequest) -> Tensor:
    """The target itself when it can be worked on (raises BadInputError)."""
    check_target(target, request.generator)
    return target


def watcher(requests: Sequence[InversionRequest]) -> Watcher:
    """Tells each request's watcher about progress and pictures."""

    def watch(done: float, images: Tensor) -> None:
        requests[0].progress(done, "Finding the latent")
        for row, request in enumerate(requests):
            if request.preview is not None:
                request.preview(images[row : row + 1])

    return watch


@dataclass(frozen=True)
class Found:
    """The result of a search."""

    search: Search
    best: Best

    def latent(self, row: int) -> Latent:
        """The latent of one picture."""
        points, noise = self.best.points[row : row + 1], self.best.noise
        latent = self.search.space.latent(points)
        latent = latent.with_codes(latent.codes.detach().float().contiguous())
        return latent if noise is None else replace(latent, bends=noise.bends_of(row))

    @torch.no_grad()
    def qualities(self, watch: Stopwatch) -> list[Quality]:
        """How well each picture is shown; the time is shared evenly among the pictures."""
        if not bool(self.best.losses.isfinite().all()):
            raise BadInputError("No latent was found for this picture: the search gave no numbers.")
        name, distance = self.search.objective.perceptual
        targets, rows = self.search.targets, range(len(self.search.targets))
        generator = self.search.space.generator
        images = [generator.render(self.latent(row)).clamp(-1, 1) for row in rows]
        errors = [
            (image[0] - target).square().mean()
            for image, target in zip(images, targets, strict=True)
        ]
        seen = distance(torch.cat(images), targets)
        watch.lap("measure")
        parts = {part: seconds / len(targets) for part, seconds in watch.seconds.items()}
        return [
            Quality(
                psnr=10.0 * math.log10(4.0 / max(float(error), 1e-10)),
                perceptual=float(seen[row]),
                perceptual_name=name,
                seconds=sum(parts.values()),
                parts=parts,
            )
            for row, error in enumerate(errors)
        ]
