"""The search itself: points moved down the losses, several pictures at once.

Pictures of one batch do not touch each other: the sum of their losses is minimised, and Adam
and SGD work on each number alone; with L-BFGS every picture is searched by itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from latentfu import Latent
from torch import Tensor

from latentfu_builtin.inversion.coordinates import Coordinates
from latentfu_builtin.inversion.noise import NoiseMaps
from latentfu_builtin.inversion.settings import Settings
from latentfu_builtin.inversion.terms import Objective

Watcher = Callable[[float, Tensor], None]
"""Called after each step with the part done, 0..1, and the pictures [N, 3, R, R]."""


@dataclass
class Best:
    """The lowest loss met for each picture, and where: points [N, rows, D] and noise maps."""

    points: Tensor
    losses: Tensor
    noise: NoiseMaps | None

    def note(self, losses: Tensor, points: Tensor, noise: NoiseMaps | None) -> None:
        """Keep what is better than what was."""
        better = losses.isfinite() & (losses < self.losses)
        self.losses = torch.where(better, losses, self.losses)
        self.points = torch.where(better[:, None, None], points, self.points)
        if noise is not None and self.noise is not None:
            pairs = zip(noise.maps, self.noise.maps, strict=True)
            kept = tuple(torch.where(better[:, None, None], new, old) for new, old in pairs)
            self.noise = replace(self.noise, maps=kept)


@dataclass(frozen=True)
class Search:
    """What stays the same during one search."""

    space: Coordinates
    targets: Tensor  # [N, 3, R, R]
    objective: Objective
    settings: Settings

    def latent(self, points: Tensor, noise: NoiseMaps | None) -> Latent:
        """Points ``[N, rows, D]`` as latents, with their noise."""
        latent = self.space.latent(points)
        return latent if noise is None else replace(latent, bends=noise.bends())

    def losses(self, points: Tensor, noise: NoiseMaps | None, apart: Tensor) -> tuple[Tensor, ...]:
        """The losses [N] of ``points`` seen at ``points + apart``, and the pictures."""
        images = self.space.generator.render(self.latent(points + apart, noise))
        losses = self.objective(images, self.targets)
        if self.settings.prior > 0:
            losses = losses + self.settings.prior * self.space.strangeness(points)
        if noise is not None:
            losses = losses + self.settings.noise_prior * noise.order()
        return losses, images


def descend(search: Search, points: Tensor, watch: Watcher) -> Best:
    """From ``points [N, rows, D]`` to the best that was met."""
    settings, count = search.settings, len(points)
    if settings.optimizer == "lbfgs" and count > 1:
        return one_by_one(search, points, watch)
    noise = NoiseMaps.of(search.space.generator, settings.noise, count)
    unmet = points.new_full((count,), math.inf)
    best = Best(points.detach().clone(), unmet, noise.frozen() if noise else None)
    draw = torch.Generator().manual_seed(settings.seed)
    coarse = min(settings.coarse, search.space.rows)
    split = round(settings.steps * settings.cascade) if coarse < search.space.rows else 0
    mover = Mover(search, points.detach(), coarse if split else search.space.rows, noise)
    mover.look(best)
    for step in range(settings.steps):
        if step == split and step > 0:
            mover = Mover(search, mover.whole().detach(), search.space.rows, noise)
        images = mover.step(step, draw, best)
        watch((step + 1) / settings.steps, images)
    mover.look(best)
    return best


def one_by_one(search: Search, points: Tensor, watch: Watcher) -> Best:
    """Each picture searched by itself."""
    found = []
    for row in range(len(points)):
        pick = torch.tensor([row], device=points.device)
        part = replace(search, targets=search.targets[pick], objective=search.objective.of(pick))

        def shown(done: float, image: Tensor, row: int = row) -> None:
            images = search.targets.clone()
            images[row] = image[0]
            watch((row + done) / len(points), images)

        found.append(descend(part, points[pick], shown))
    first = found[0].noise
    noise = None
    if first is not None:
        layers = zip(*(best.noise.maps for best in found if best.noise), strict=True)
        noise = replace(first, maps=tuple(torch.cat(maps) for maps in layers))
    points = torch.cat([best.points for best in found])
    return Best(points, torch.cat([best.losses for best in found]), noise)


class Mover:
    """Moves points away from ``base [N, rows, D]``, and the noise maps.

    The first ``free_rows`` rows move, the others by the mean of their ways.
    """

    def __init__(
        self, search: Search, base: Tensor, free_rows: int, noise: NoiseMaps | None
    ) -> None:
        self.search = search
        self.base = base.clone()
        self.moving = torch.zeros_like(base[:, :free_rows]).requires_grad_(True)
        self.noise = noise
        free = [self.moving, *(noise.maps if noise else ())]
        self.optimiser = optimiser(search.settings, free)

    def whole(self) -> Tensor:
        """All rows: ``[N, rows, D]``."""
        missing = self.search.space.rows - self.moving.shape[1]
        if missing == 0:
            return self.base + self.moving
        mean = self.moving.mean(dim=1, keepdim=True)
        return self.base + torch.cat([self.moving, mean.expand(-1, missing, -1)], dim=1)

    def step(self, step: int, draw: torch.Generator, best: Best) -> Tensor:
        """One step; what it met goes into ``best``. Gives the pictures before it."""
        settings = self.search.settings
        done = step / settings.steps
        apart, exploring = self._apart(done, draw)
        seen: list[Tensor] = []

        def closure() -> float:
            self.optimiser.zero_grad()
            points = self.whole()
            losses, images = self.search.losses(points, self.noise, apart)
            if not exploring:
                best.note(losses.detach(), points.detach(), self.noise and self.noise.frozen())
            torch.autograd.backward(losses.sum())
            seen[:] = [images.detach()]
            return float(losses.detach().sum())

        if settings.optimizer != "lbfgs":
            self.optimiser.param_groups[0]["lr"] = settings.rate * pace(done, settings)
        self.optimiser.step(closure)
        if self.noise is not None:
            self.noise.normalise()
        return seen[0]

    @torch.no_grad()
    def look(self, best: Best) -> None:
        """Note where the points are now."""
        points = self.whole()
        losses, _ = self.search.losses(points, self.noise, torch.zeros_like(points[:1]))
        best.note(losses, points, self.noise and self.noise.frozen())

    def _apart(self, done: float, draw: torch.Generator) -> tuple[Tensor, bool]:
        """Noise on the points, the same for every picture of the batch."""
        settings, space = self.search.settings, self.search.space
        nothing = space.origin() * 0.0
        if settings.explore == 0 or done >= settings.explore_until:
            return nothing, False
        fall = (1.0 - done / settings.explore_until) ** 2
        noise = torch.randn(nothing.shape, generator=draw).to(nothing)
        return noise * space.scale() * settings.explore * fall, True


def optimiser(settings: Settings, free: list[Tensor]) -> torch.optim.Optimizer:
    """The optimiser that the settings name, over ``free``."""
    if settings.optimizer == "lbfgs":
        return torch.optim.LBFGS(
            free,
            max_iter=1,
            max_eval=25,  # looks along one line; by default a single one, which may lead up
            history_size=20,
            line_search_fn="strong_wolfe",
        )
    if settings.optimizer == "sgd":
        return torch.optim.SGD(free, lr=settings.rate)
    return torch.optim.Adam(free, lr=settings.rate, betas=(0.9, 0.99))


def pace(done: float, settings: Settings) -> float:
    """The learning rate's factor: up over the first part, a cosine down over the last."""
    up = min(1.0, (done + 1e-3) / settings.ramp_up) if settings.ramp_up else 1.0
    down = min(1.0, (1.0 - done) / settings.ramp_down) if settings.ramp_down else 1.0
    return up * (0.5 - 0.5 * math.cos(math.pi * down))
