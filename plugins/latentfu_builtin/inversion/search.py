"""The search: points and noise maps moved down the losses, several pictures at once.

Pictures of one batch do not touch each other: the sum of their losses is minimized, and Adam
and SGD work on each number alone; with L-BFGS every picture is searched by itself.

Noise maps as part of what is found are from Karras et al. 2020 (arXiv 1912.04958, appendix D). A
map is kept as a weight offset: the difference to the generator's own map of that layer.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from latentfu import BadInputError, Generator, Latent, WeightOffset
from torch import Tensor

from latentfu_builtin.inversion.coordinates import Coordinates, NoiseCoordinates
from latentfu_builtin.inversion.losses import Objective
from latentfu_builtin.inversion.search_pictures import SearchPictures
from latentfu_builtin.inversion.settings import SearchOptions

SearchWatcher = Callable[[float, Tensor], None]
"""Called after each step with the part done, 0..1, and the pictures [N, 3, R, R]."""
_SMALLEST_MAP = 8
"""Maps of this side and less are not halved any further."""


@dataclass(frozen=True)
class NoiseMaps:
    """One map ``[N, R, R]`` for each of ``names``; ``own [R, R]`` are the generator's."""

    names: tuple[str, ...]
    own: tuple[Tensor, ...]
    maps: tuple[Tensor, ...]

    @staticmethod
    def of(generator: Generator, wanted: str, count: int) -> NoiseMaps | None:
        """Free maps for ``count`` pictures; None when ``wanted`` is no, or auto and none is shown.

        Raises BadInputError when yes is wanted and the generator shows no noise maps.
        """
        names = tuple(layer.noise for layer in generator.layers if layer.noise)
        if wanted == "no" or (wanted == "auto" and not names):
            return None
        if not names:
            raise BadInputError(
                f"The generator {generator.name} shows no noise maps: leave noise at no."
            )
        own = tuple(generator.parameter(name).detach().clone() for name in names)
        maps = tuple(part.expand(count, *part.shape).clone().requires_grad_(True) for part in own)
        return NoiseMaps(names, own, maps)

    def bends(self) -> tuple[WeightOffset, ...]:
        """The maps of the whole batch as bends, each for its own picture."""
        count = len(self.maps[0])
        if count == 1:
            return self.bends_of(0)
        picks = torch.eye(count, device=self.maps[0].device)
        return tuple(
            WeightOffset(name, item - own, picks[row])
            for name, own, maps in zip(self.names, self.own, self.maps, strict=True)
            for row, item in enumerate(maps)
        )

    def bends_of(self, row: int) -> tuple[WeightOffset, ...]:
        """The maps of one picture."""
        return tuple(
            WeightOffset(name, maps[row] - own)
            for name, own, maps in zip(self.names, self.own, self.maps, strict=True)
        )

    def order(self) -> Tensor:
        """How far the maps are from white noise, [N]: neighbors' products at every size."""
        total = self.maps[0].new_zeros(len(self.maps[0]))
        for maps in self.maps:
            part = maps[:, None]  # [N, 1, R, R]
            while True:
                for axis in (2, 3):
                    total = total + (part * part.roll(1, axis)).mean(dim=(1, 2, 3)).square()
                if part.shape[-1] <= _SMALLEST_MAP:
                    break
                part = F.avg_pool2d(part, 2)
        return total

    @torch.no_grad()
    def normalize(self) -> None:
        """Give every map mean 0 and spread 1 again."""
        for maps in self.maps:
            maps.sub_(maps.mean(dim=(1, 2), keepdim=True))
            maps.div_(maps.std(dim=(1, 2), keepdim=True).clamp_min(1e-8))

    def frozen(self) -> NoiseMaps:
        """A copy that the search does not move."""
        return NoiseMaps(self.names, self.own, tuple(part.detach().clone() for part in self.maps))


@dataclass
class SearchResult:
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
class LatentSearch:
    """What stays the same during one search."""

    space: Coordinates
    pictures: SearchPictures
    targets: Tensor  # [N, 3, S, S], as large as the pictures
    objective: Objective
    settings: SearchOptions
    anchor: Tensor | None = None  # [N, rows, D]: where the prior pulls to; None for the mean

    def latent(self, points: Tensor, noise: NoiseMaps | None) -> Latent:
        """Points ``[N, rows, D]`` as latents, with their noise."""
        latent = self.space.latent(points)
        return latent if noise is None else replace(latent, bends=noise.bends())

    def losses(self, points: Tensor, noise: NoiseMaps | None, apart: Tensor) -> tuple[Tensor, ...]:
        """The losses [N] of ``points`` seen at ``points + apart``, and the pictures."""
        images = self.pictures.draw(self.latent(points + apart, noise))
        losses = self.objective(images, self.targets)
        if self.settings.prior > 0:
            away = points if self.anchor is None else points - self.anchor
            losses = losses + self._prior(losses) * self.space.strangeness(away)
        if noise is not None:
            losses = losses + self.settings.noise_prior * noise.order()
        return losses, images

    def _prior(self, losses: Tensor) -> Tensor:
        """The weight of the prior, [N] or one for all.

        In z it shrinks with the loss: there the prior pulls to the mean whatever the picture
        shows, and would outweigh a code that shows it well. In w it keeps the layers together.
        """
        if isinstance(self.space, NoiseCoordinates):
            return self.settings.prior * losses.detach().clamp(max=1.0)
        return losses.new_tensor(self.settings.prior)


def run_search(search: LatentSearch, points: Tensor, watch: SearchWatcher) -> SearchResult:
    """From ``points [N, rows, D]`` to the best that was met."""
    settings, count = search.settings, len(points)
    if settings.anchor == "start" and search.anchor is None:
        search = replace(search, anchor=points.detach())
    if settings.optimizer == "lbfgs" and count > 1:
        return _search_one_by_one(search, points, watch)
    noise = NoiseMaps.of(search.space.generator, settings.noise, count)
    unmet = points.new_full((count,), math.inf)
    best = SearchResult(points.detach().clone(), unmet, noise.frozen() if noise else None)
    draw = torch.Generator().manual_seed(settings.seed)
    coarse = min(settings.coarse, search.space.rows)
    split = round(settings.steps * settings.cascade) if coarse < search.space.rows else 0
    optimizer = _PointOptimizer(
        search, points.detach(), coarse if split else search.space.rows, noise
    )
    search.pictures.anchor(search.latent(points.detach(), noise))
    optimizer.look(best)
    for step in range(settings.steps):
        if step == split and step > 0:
            optimizer = _PointOptimizer(
                search, optimizer.whole().detach(), search.space.rows, noise
            )
        images = optimizer.step(step, draw, best)
        watch((step + 1) / settings.steps, images)
    optimizer.look(best)
    return best


def _search_one_by_one(search: LatentSearch, points: Tensor, watch: SearchWatcher) -> SearchResult:
    """Each picture searched by itself."""
    found = []
    for row in range(len(points)):
        pick = torch.tensor([row], device=points.device)
        part = replace(
            search,
            pictures=search.pictures.of(row),
            targets=search.targets[pick],
            objective=search.objective.of(pick),
            anchor=None if search.anchor is None else search.anchor[pick],
        )

        def shown(done: float, image: Tensor, row: int = row) -> None:
            images = search.targets.clone()
            images[row] = image[0]
            watch((row + done) / len(points), images)

        found.append(run_search(part, points[pick], shown))
    first = found[0].noise
    noise = None
    if first is not None:
        layers = zip(*(best.noise.maps for best in found if best.noise), strict=True)
        noise = replace(first, maps=tuple(torch.cat(maps) for maps in layers))
    points = torch.cat([best.points for best in found])
    return SearchResult(points, torch.cat([best.losses for best in found]), noise)


class _PointOptimizer:
    """Moves points away from ``base [N, rows, D]``, and the noise maps.

    The first ``free_rows`` rows move, the others by the mean of their ways.
    """

    def __init__(
        self, search: LatentSearch, base: Tensor, free_rows: int, noise: NoiseMaps | None
    ) -> None:
        self.search = search
        self.base = base.clone()
        self.moving = torch.zeros_like(base[:, :free_rows]).requires_grad_(True)
        self.noise = noise
        free = [self.moving, *(noise.maps if noise else ())]
        self.optimizer = _make_optimizer(search.settings, free)

    def whole(self) -> Tensor:
        """All rows: ``[N, rows, D]``."""
        missing = self.search.space.rows - self.moving.shape[1]
        if missing == 0:
            return self.base + self.moving
        mean = self.moving.mean(dim=1, keepdim=True)
        return self.base + torch.cat([self.moving, mean.expand(-1, missing, -1)], dim=1)

    def step(self, step: int, draw: torch.Generator, best: SearchResult) -> Tensor:
        """One step; what it met goes into ``best``. Gives the pictures before it."""
        settings = self.search.settings
        done = step / settings.steps
        apart, exploring = self._apart(done, draw)
        seen: list[Tensor] = []

        def closure() -> float:
            self.optimizer.zero_grad()
            points = self.whole()
            losses, images = self.search.losses(points, self.noise, apart)
            if not exploring:
                best.note(losses.detach(), points.detach(), self.noise and self.noise.frozen())
            torch.autograd.backward(losses.sum())
            seen[:] = [images.detach()]
            return float(losses.detach().sum())

        if settings.optimizer != "lbfgs":
            self.optimizer.param_groups[0]["lr"] = settings.rate * _rate_factor(done, settings)
        self.optimizer.step(closure)
        if self.noise is not None:
            self.noise.normalize()
        return seen[0]

    @torch.no_grad()
    def look(self, best: SearchResult) -> None:
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


def _make_optimizer(settings: SearchOptions, free: list[Tensor]) -> torch.optim.Optimizer:
    """The optimizer that the settings name, over ``free``."""
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


def _rate_factor(done: float, settings: SearchOptions) -> float:
    """The learning rate's factor: up over the first part, a cosine down over the last."""
    up = min(1.0, (done + 1e-3) / settings.ramp_up) if settings.ramp_up else 1.0
    down = min(1.0, (1.0 - done) / settings.ramp_down) if settings.ramp_down else 1.0
    return up * (0.5 - 0.5 * math.cos(math.pi * down))
