"""The inverter pivotal: a code, then the generator's weights bent a little around it.

Roich et al. 2022 (arXiv 2106.05744). What is kept is the shift of each convolution, of low rank,
beside the code; the generator itself stays as it is. Locality: codes a fixed way from the pivot
towards random ones are rendered with and without the shifts, and the difference costs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import latentfu
import torch
from latentfu import (
    BadInputError,
    Generator,
    Inversion,
    InversionRequest,
    Inverter,
    Latent,
    NotInstalledError,
    Progress,
    Quality,
    Stopwatch,
    WeightOffset,
    between,
    random_latents,
)
from torch import Tensor

from latentfu_builtin.inversion.losses import build_perceptual_loss, pyramid, stack_masks
from latentfu_builtin.inversion.optimize import one_thread
from latentfu_builtin.inversion.search_pictures import SearchPictures
from latentfu_builtin.inversion.settings import PivotalOptions
from latentfu_builtin.inversion.vgg import Distance

_PIVOT_SHARE = 0.3
"""The part of the progress that finding the first code is."""
_STRONGEST_FROM_MEAN = 1.0
"""The strongest prior of a search that begins at the mean."""
_NEED_A_PIVOT = ("pivotal", "feature-detail")


@dataclass(frozen=True)
class Pivot:
    """A picture ``target [1, 3, R, R]`` with the code that another inverter found for it.

    ``mask [1, 1, R, R]``: what of the picture counts; None for all of it.
    """

    generator: Generator
    target: Tensor
    first: Inversion
    loss: str
    perceptual: Distance | None
    mask: Tensor | None
    progress: Progress
    watch: Stopwatch

    def distance(self, image: Tensor, pixel: float, perceptual: float) -> Tensor:
        """The weighted distance of ``image [1, 3, R, R]`` to the target, a number."""
        if self.mask is not None:
            image = self.target + self.mask * (image - self.target)
        total = pixel * pyramid(image, self.target)[0]
        if self.perceptual is not None and perceptual > 0:
            total = total + perceptual * self.perceptual(image, self.target)[0]
        return total

    def shrunk(self, pictures: SearchPictures) -> Pivot:
        """The same with target and mask as large as the pictures that a search looks at."""
        mask = None if self.mask is None else pictures.shrink(self.mask)
        return replace(self, target=pictures.shrink(self.target), mask=mask)

    def judged(self, inversion: Inversion) -> Inversion:
        """``inversion`` with how well it shows the target, rendered with constant noise."""
        with torch.no_grad():
            image = self.generator.render(inversion.latent).float().clamp(-1, 1)
            error = float((image - self.target).square().mean())
            distance = self.perceptual or pyramid
            seen = float(distance(image, self.target)[0])
        name = self.loss if self.perceptual else "pixels"
        self.watch.lap("measure")
        parts = dict(self.watch.seconds)
        psnr = 10.0 * math.log10(4.0 / max(error, 1e-10))
        quality = Quality(psnr, seen, name, sum(parts.values()), parts=parts)
        return replace(inversion, quality=quality)


def find_pivot(
    request: InversionRequest,
    pivot: str,
    loss: str,
    told: Mapping[str, float | int | str | bool] = MappingProxyType({}),
) -> Pivot:
    """Find the first code of ``request`` by the inverter ``pivot``; raises LatentFuError.

    ``told``: options over its own, where it has them. Few steps and a strong pull to the start
    are for encoders only: from the mean the way is longer.
    """
    watch, generator = Stopwatch(), request.generator
    inverter = choose_pivot_inverter(generator, pivot)
    name, perceptual = build_perceptual_loss(loss, generator)
    target = torch.from_numpy(request.crop.image)[None].to(generator.device)
    if inverter.options.get("start", "") == "mean":
        told = _soften_pull(told)
    known = {key: value for key, value in told.items() if key in inverter.options}
    first = inverter.invert(
        replace(
            request,
            progress=between(request.progress, 0.0, _PIVOT_SHARE),
            options={**inverter.options, **known},
        )
    )
    watch.lap("pivot")
    mask = stack_masks([request.mask], generator.device)
    rest = between(request.progress, _PIVOT_SHARE, 1.0)
    return Pivot(generator, target, first, name, perceptual, mask, rest, watch)


def _soften_pull(
    told: Mapping[str, float | int | str | bool],
) -> dict[str, float | int | str | bool]:
    """What a search from the mean is told: nothing that holds it there."""
    kept = {key: value for key, value in told.items() if key not in {"steps", "anchor"}}
    if "prior" in kept:
        kept["prior"] = min(float(kept["prior"]), _STRONGEST_FROM_MEAN)
    return kept


def choose_pivot_inverter(generator: Generator, name: str) -> Inverter:
    """The inverter of that name; for auto an encoder's, refined, where the generator has one.

    Raises NotInstalledError for an unknown name, BadInputError for one that begins with another
    inverter itself.
    """
    installed = latentfu.inverters()
    if name == "auto":
        fitting = any(e.is_for(generator) for e in latentfu.encoders().values())
        plain = "w-plus" if "w+" in generator.spaces else "optimise"
        name = "encoder-refined" if fitting and "encoder-refined" in installed else plain
    if name in _NEED_A_PIVOT:
        raise BadInputError(f"{name} cannot be the pivot: give an inverter that finds a code.")
    if name not in installed:
        raise NotInstalledError(
            f"There is no inverter {name!r}; installed: {', '.join(installed)}."
        )
    return installed[name]


_PREVIEW_EVERY = 20
_SAMPLES = 64


def invert_by_tuning(request: InversionRequest) -> Inversion:
    """The latent of ``request.crop`` with its bends; raises BadInputError for unusable pictures.

    The generator is left as it is. A generator that shows no layers is refused at once.
    """
    plan = PivotalOptions.of(request.options)
    _make_zero_shifts(request.generator)
    start = find_pivot(request, plan.pivot, plan.loss)
    with one_thread(request.generator):
        latent = _tune_weights(start, plan, replace(request, progress=start.progress))
        start.watch.lap("tune")
        steps = start.first.steps + plan.steps
        return start.judged(replace(start.first, latent=latent, method="pivotal", steps=steps))


def _tune_weights(start: Pivot, plan: PivotalOptions, request: InversionRequest) -> Latent:
    """The pivot with bends of the plan's rank; raises BadInputError where nothing can be bent."""
    generator, pivot = start.generator, start.first.latent
    shifts = _make_zero_shifts(generator)
    adam = torch.optim.Adam(_parameter_groups(generator, shifts, plan.rate))
    near = _Neighborhood.of(generator, pivot, plan.reach, plan.seed)
    best, lowest = {name: shift.detach().clone() for name, shift in shifts.items()}, math.inf
    for step in range(plan.steps + 1):
        bent = _add_shifts(pivot, shifts)
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
            group["lr"] = group["highest"] * _rate_factor(step / plan.steps)
        adam.zero_grad()
        torch.autograd.backward(loss)
        adam.step()
        _report(request, step, plan.steps, image)
    return _add_shifts(pivot, {k: truncate_rank(v, plan.rank) for k, v in best.items()})


def _make_zero_shifts(generator: Generator) -> dict[str, Tensor]:
    """A zero for each convolution of the synthesis, by its name; raises BadInputError."""
    names = list(dict.fromkeys(layer.weight for layer in generator.layers))
    if not names:
        raise BadInputError(
            f"The generator {generator.name} does not show its layers, so it cannot be tuned: "
            f"choose another inverter."
        )
    shifts = {name: torch.zeros_like(generator.parameter(name)) for name in names}
    return {name: shift.detach().requires_grad_(True) for name, shift in shifts.items()}


def _parameter_groups(
    generator: Generator, shifts: Mapping[str, Tensor], rate: float
) -> list[dict[str, object]]:
    """For Adam: each shift moves at ``rate`` times the size of the weights that it bends."""
    groups: list[dict[str, object]] = []
    for name, shift in shifts.items():
        size = float(generator.parameter(name).detach().square().mean().sqrt())
        groups.append({"params": [shift], "lr": rate * size, "highest": rate * size})
    return groups


def _add_shifts(pivot: Latent, shifts: Mapping[str, Tensor]) -> Latent:
    """The pivot with a bend for each shift, beside those that it has."""
    own = tuple(WeightOffset(name, shift) for name, shift in shifts.items())
    return replace(pivot, bends=(*pivot.bends, *own))


def _rate_factor(done: float) -> float:
    """The rate's factor: level, then a cosine down over the last half."""
    return 1.0 if done < 0.5 else 0.5 - 0.5 * math.cos(2.0 * math.pi * (1.0 - done))


def _report(request: InversionRequest, step: int, steps: int, image: Tensor) -> None:
    """Report progress, now and then with a picture."""
    request.progress((step + 1) / steps, "Tuning the generator")
    if request.preview is not None and step % _PREVIEW_EVERY == 0:
        request.preview(image.detach())


@dataclass(frozen=True)
class _Neighborhood:
    """Random codes ``[M, ...]`` around ``pivot``, ``reach`` of the way (1 is all of it)."""

    generator: Generator
    pivot: Latent
    codes: Tensor
    reach: float

    @staticmethod
    def of(generator: Generator, pivot: Latent, reach: float, seed: int) -> _Neighborhood:
        """Around ``pivot``, drawn from ``seed``."""
        with torch.no_grad():
            codes = random_latents(generator, _SAMPLES, seed).codes
        return _Neighborhood(generator, pivot, codes, reach)

    def change(self, bent: Latent, step: int, perceptual: Distance | None) -> Tensor:
        """How differently the neighbor of this step looks with the bends of ``bent``."""
        place = step % len(self.codes)
        codes = torch.lerp(self.pivot.codes, self.codes[place : place + 1], self.reach)
        near = self.pivot.with_codes(codes)
        with torch.no_grad():
            before = self.generator.render(near)
        after = self.generator.render(replace(near, bends=bent.bends))
        change = pyramid(after, before)[0]
        return change if perceptual is None else change + perceptual(after, before)[0]


def truncate_rank(shift: Tensor, rank: int) -> Tensor:
    """The nearest tensor of rank ``rank`` (Eckart and Young), as ``[out, in * k * k]``.

    shift ``[out, in, k, k]`` (or any with at least two axes) -> the same shape; ``rank`` 0, or
    one that is not smaller, leaves it.
    """
    flat = shift.reshape(shift.shape[0], -1)
    if rank <= 0 or rank >= min(flat.shape):
        return shift
    left, values, right = torch.linalg.svd(flat.double(), full_matrices=False)
    kept: Tensor = (left[:, :rank] * values[:rank]) @ right[:rank]
    return kept.to(shift.dtype).reshape(shift.shape)
