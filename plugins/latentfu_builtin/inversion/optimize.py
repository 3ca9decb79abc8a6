"""Inversion by optimization: one picture, or several with one generator and equal options.

After Abdal et al. 2019 (arXiv 1904.03189); starting point, noise and learning-rate ramp of the
StyleGAN2 projector (arXiv 1912.04958); a prior on the codes (arXiv 2012.09036).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import latentfu
import torch
from latentfu import (
    BadInputError,
    Generator,
    Inversion,
    InversionRequest,
    Latent,
    NotInstalledError,
    Progress,
    Quality,
    Stopwatch,
    silent,
)
from torch import Tensor

from latentfu_builtin.inversion.coordinates import Coordinates, NoiseCoordinates, choose_coordinates
from latentfu_builtin.inversion.losses import Objective, build_objective, stack_masks
from latentfu_builtin.inversion.search import LatentSearch, SearchResult, SearchWatcher, run_search
from latentfu_builtin.inversion.search_pictures import SearchPictures
from latentfu_builtin.inversion.settings import SearchOptions

_BATCH = 16
_NOISE_STARTS = 16


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


def optimize_latent(request: InversionRequest, method: str = "optimise") -> Inversion:
    """The latent of ``request.crop``; raises BadInputError for unusable pictures and options."""
    return optimize_latents([request], method)[0]


def optimize_latents(
    requests: Sequence[InversionRequest], method: str = "optimise"
) -> list[Inversion]:
    """The latents of several crops, the same as one by one within rounding."""
    watch = Stopwatch()
    generator = requests[0].generator
    settings = SearchOptions.of(requests[0].options)
    crops = [torch.from_numpy(request.crop.image)[None] for request in requests]
    targets = torch.cat(crops).to(generator.device)
    mask = stack_masks([request.mask for request in requests], generator.device)
    with one_thread(generator):
        space = choose_coordinates(generator, settings.space, settings.units)
        goal = build_objective(
            settings.losses, generator, settings.vgg_layer, settings.backbone, mask
        )
        pictures = SearchPictures(generator, settings.quick_side)
        small = None if mask is None else pictures.shrink(mask)
        search = LatentSearch(
            space, pictures, pictures.shrink(targets), replace(goal, mask=small), settings
        )
        watch.lap("prepare")
        requests[0].progress(0.0, "Looking for a start")
        points = _find_starting_points(space, settings, requests)
        points = _pick_nearer_candidates(
            space, settings, goal, targets, points, progress=requests[0].progress
        )
        watch.lap("start")
        best = run_search(search, points, _make_watcher(requests, pictures))
        _keep_better_starts(search, points, best)
        watch.lap("optimise")
        found = _SearchedLatents(search, best, goal, targets)
        qualities = found.qualities(watch)
    return [
        Inversion(found.latent(row), quality, method, settings.steps)
        for row, quality in enumerate(qualities)
    ]


def _make_watcher(requests: Sequence[InversionRequest], pictures: SearchPictures) -> SearchWatcher:
    """Tells each request's watcher about progress and pictures."""

    def watch(done: float, images: Tensor) -> None:
        requests[0].progress(done, "Finding the latent")
        for row, request in enumerate(requests):
            if request.preview is not None:
                request.preview(pictures.enlarge(images[row : row + 1]))

    return watch


@dataclass(frozen=True)
class _SearchedLatents:
    """The result of a search, and the whole pictures [N, 3, R, R] that it is measured by."""

    search: LatentSearch
    best: SearchResult
    objective: Objective
    targets: Tensor

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
        name, distance = self.objective.perceptual
        targets, rows = self.targets, range(len(self.targets))
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


def _find_starting_points(
    space: Coordinates, settings: SearchOptions, requests: Sequence[InversionRequest]
) -> Tensor:
    """Points ``[N, rows, D]``, one for each request.

    Raises NotInstalledError or BadInputError when the named start cannot be had.
    """
    if settings.start == "mean":
        return space.origin().expand(len(requests), -1, -1)
    points = [_first_point(space, settings, request) for request in requests]
    return torch.cat(points).detach()


def _first_point(space: Coordinates, settings: SearchOptions, request: InversionRequest) -> Tensor:
    """The starting point ``[1, rows, D]`` of one picture."""
    name = settings.start
    if name == "auto":
        try:
            return space.points(_ask_inverter("encoder", settings, request))
        except (NotInstalledError, BadInputError):
            return space.origin()
    if name in latentfu.inverters():
        return space.points(_ask_inverter(name, settings, request))
    path = Path(name).expanduser()
    if not path.is_file():
        raise BadInputError(
            f"The start {name!r} is neither mean, auto, an inverter's name nor a file."
        )
    return space.points(latentfu.load_latent(path, request.generator))


def _ask_inverter(name: str, settings: SearchOptions, request: InversionRequest) -> Latent:
    """What the inverter ``name`` finds."""
    inverters = latentfu.inverters()
    if name not in inverters:
        raise NotInstalledError(f"There is no inverter {name!r} to start from.")
    options = dict(inverters[name].options)
    if "encoder" in options:
        options["encoder"] = settings.encoder
    request = replace(request, options=options, preview=None, progress=silent)
    return inverters[name].invert(request).latent


@torch.no_grad()
def _keep_better_starts(search: LatentSearch, starts: Tensor, best: SearchResult) -> None:
    """Where a start shows its picture better than the search's end, take it back.

    The search minimizes the prior too, and that can cost more than the picture gains.
    """
    if best.noise is not None:
        return  # the end has noise of its own, which no start had
    for row, target in enumerate(search.targets):
        pick = search.objective.of(torch.tensor([row], device=target.device))
        pictures = search.pictures.of(row)
        first, last = starts[row : row + 1], best.points[row : row + 1]
        before, after = (
            float(pick(pictures.draw(search.space.latent(each)), target[None])[0])
            for each in (first, last)
        )
        if not after <= before:
            best.points[row], best.losses[row] = first[0], before


def _is_flat(space: Coordinates, objective: Objective, targets: Tensor, points: Tensor) -> bool:
    """Whether no search can leave ``points``: the picture does not change with them at all."""
    with torch.enable_grad():
        moved = points.detach().clone().requires_grad_(True)
        losses = objective(space.generator.render(space.latent(moved)), targets)
        (slope,) = torch.autograd.grad(losses.sum(), moved)
    return not bool(slope.any())


@torch.no_grad()
def _pick_nearer_candidates(
    space: Coordinates,
    settings: SearchOptions,
    objective: Objective,
    targets: Tensor,
    points: Tensor,
    *,
    progress: Progress,
) -> Tensor:
    """``points``, replaced by random latents where those look more like the targets."""
    count = settings.candidates
    if isinstance(space, NoiseCoordinates) and settings.start == "mean":
        count = max(count, _NOISE_STARTS)  # z = 0 is where its normalization has no slope
    if count == 0:
        return points
    generator = space.generator
    lowest = objective(generator.render(space.latent(points)), targets)
    if isinstance(space, NoiseCoordinates) and _is_flat(space, objective, targets, points):
        lowest = torch.full_like(lowest, math.inf)
    best = points.clone().contiguous()
    draw = torch.Generator().manual_seed(settings.seed)
    z = torch.randn(count, generator.z_dim, generator=draw).to(generator.device)
    by_noise = isinstance(space, NoiseCoordinates)

    def look(part: slice) -> None:
        latents = generator.map(z[part])
        images = generator.render(latents)  # [batch, 3, R, R]
        found = z[part][:, None] if by_noise else space.points(latents)
        for row, target in enumerate(targets):
            pick = objective.of(torch.tensor([row], device=targets.device))
            distances = pick(images, target[None].expand_as(images))
            nearest = int(distances.argmin())
            if float(distances[nearest]) < float(lowest[row]):
                lowest[row] = distances[nearest]
                best[row] = found[nearest]

    latentfu.work_in_parts(look, count, _BATCH, progress)
    return best
