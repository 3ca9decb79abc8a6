"""The control makers ``svm`` and ``ridge``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from latentfu import BadInputError, ControlRequest, Direction, Progress, Scorer, write_direction
from torch import Tensor

from latentfu_builtin.directions.boundary import (
    Boundary,
    explained,
    ridge_normals,
    svm_boundary,
    without,
)
from latentfu_builtin.directions.effect import STEP, Bench, Measured, check_effect, to_scale
from latentfu_builtin.directions.samples import Meaning, Samples, draw, made_for, shared_space
from latentfu_builtin.directions.whitening import Whitening

SVM_OPTIONS: Mapping[str, float | int | str | bool] = {"ends": 0.25, "clean": 0, "trials": 64}
RIDGE_OPTIONS: Mapping[str, float | int | str | bool] = {
    "strength": 0.01,
    "clean": -1,
    "trials": 64,
}

Options = Mapping[str, float | int | str | bool]


@dataclass(frozen=True)
class Workbench:
    """Samples drawn once, from which any number of directions can be made."""

    samples: Samples
    white: Whitening
    points: Tensor  # [N, K]
    bench: Bench
    seed: int

    @staticmethod
    def of(request: ControlRequest, trials: int, meaning: Meaning | None = None) -> Workbench:
        """Draw what ``request`` asks for; labels from ``meaning`` where that is known."""
        scorer = scorer_of(request)
        samples = draw(
            request.generator,
            scorer,
            request.samples,
            seed=request.seed,
            progress=request.progress,
            meaning=meaning,
        )
        white = Whitening.of(samples.codes)
        bench = Bench.fresh(samples, scorer, trials, request.seed)
        return Workbench(samples, white, white.coordinates(samples.codes), bench, request.seed)

    def labels(self, attribute: str) -> Tensor:
        """What is learned for ``attribute``, [N]."""
        return self.samples.labels[:, self.samples.column(attribute)]

    def measured(self, normal: Tensor, attribute: str, progress: Progress) -> Measured:
        """The direction of ``normal [K]`` at the length of one standard deviation."""
        column = self.samples.column(attribute)
        step = self.white.move(normal).reshape(self.samples.codes.shape[1:])
        if not self.samples.known:
            return to_scale(self.bench, step, column, attribute, progress)
        slope = ridge_normals(self.points, self.labels(attribute)[:, None], 1e-3)[0]
        step = step / float(slope @ normal)
        effects = self.bench.slopes(step, STEP, progress)
        check_effect(float(effects[column]), attribute)
        return Measured(step, effects)

    def strongest(self, effects: Tensor, attribute: str, count: int) -> list[str]:
        """The ``count`` other attributes that a direction with these effects moves most."""
        others = [name for name in self.samples.attributes if name != attribute]
        amount = {name: abs(float(effects[self.samples.column(name)])) for name in others}
        return sorted(others, key=lambda name: -amount[name])[:count]


def scorer_of(request: ControlRequest) -> Scorer:
    """The request's scorer; raises BadInputError when there is none."""
    if request.scorer is None:
        raise BadInputError(
            f"There is no scorer for {request.generator.domain}: install one that reads "
            f"{request.attribute}."
        )
    return request.scorer


def make_svm(request: ControlRequest, out: Path) -> list[Path]:
    """One direction file by a linear SVM; ``clean``: attributes to leave alone."""
    options = {**SVM_OPTIONS, **request.options}
    work = Workbench.of(request, int(options["trials"]))
    return [save(svm_direction(work, request, options), out)]


def make_ridge(request: ControlRequest, out: Path) -> list[Path]:
    """One direction file by ridge regression, leaving all other attributes alone."""
    options = {**RIDGE_OPTIONS, **request.options}
    work = Workbench.of(request, int(options["trials"]))
    return [save(ridge_direction(work, request, options), out)]


def svm_direction(work: Workbench, request: ControlRequest, options: Options) -> Direction:
    """InterFaceGAN's boundary for ``request.attribute``, conditional on the strongest leaks."""
    name, ends = request.attribute, float(options["ends"])

    def boundary(attribute: str) -> Boundary:
        return svm_boundary(work.points, work.labels(attribute), ends, work.seed)

    found = boundary(name)
    measured = work.measured(found.normal, name, request.progress)
    count = int(options["clean"])
    if count > 0:
        leaks = work.strongest(measured.effects, name, count)
        others = torch.stack([boundary(leak).normal for leak in leaks])
        measured = work.measured(without(found.normal, others), name, request.progress)
    plane, bias = work.white.plane(found.normal, found.bias)
    plane = plane.reshape(measured.vector.shape)
    crossed = float((plane * measured.vector).sum()) > 0.05 * float(measured.vector.norm())
    facts = Facts("linear SVM", found.accuracy, bias, plane)
    return filled(work, request, measured, facts if crossed else replace(facts, normal=None))


def ridge_direction(work: Workbench, request: ControlRequest, options: Options) -> Direction:
    """The regression slope of ``request.attribute`` with no part along those of the others."""
    name = request.attribute
    column = work.samples.column(name)
    slopes = ridge_normals(work.points, work.samples.labels, float(options["strength"]))
    slope = slopes[column]
    accuracy = explained(work.points, work.labels(name), slope)
    others = [i for i in range(len(slopes)) if i != column]
    count = int(options["clean"])
    if count >= 0:
        along = {i: abs(float(torch.cosine_similarity(slopes[i], slope, dim=0))) for i in others}
        others = sorted(others, key=lambda i: -along[i])[:count]
    shown = [i for i in others if float(slopes[i].norm()) > 0.05]
    normal = without(slope / slope.norm(), slopes[shown])
    measured = work.measured(normal, name, request.progress)
    return filled(work, request, measured, Facts("ridge regression", accuracy))


@dataclass(frozen=True)
class Facts:
    """How a direction was found. ``normal`` and ``bias``: its boundary among the codes."""

    method: str
    accuracy: float
    bias: float = 0.0
    normal: Tensor | None = None


def filled(work: Workbench, request: ControlRequest, measured: Measured, facts: Facts) -> Direction:
    """The direction with everything that is known about it."""
    generator, options = request.generator, request.options
    column = work.samples.column(request.attribute)
    others: Sequence[str] = [n for n in work.samples.attributes if n != request.attribute]
    leakage = {n: round(float(measured.effects[work.samples.column(n)]), 4) for n in others}
    return Direction(
        vector=measured.vector.numpy(),
        space=shared_space(generator),
        name=str(options.get("name", request.attribute)),
        **made_for(generator),
        title=str(options.get("title", request.attribute.replace("_", " ").capitalize())),
        attribute=request.attribute,
        plus=str(options.get("plus", f"more {request.attribute.replace('_', ' ')}")),
        group=str(options.get("group", "other")),
        bias=facts.bias if facts.normal is not None else middle(work, measured.vector),
        normal=None if facts.normal is None else facts.normal.numpy(),
        method=facts.method,
        samples=len(work.samples.codes),
        accuracy=round(facts.accuracy, 4),
        effect=round(float(measured.effects[column]), 4),
        leakage=leakage,
        author=str(options.get("author", "")),
        licence=str(options.get("licence", "")),
        source=str(options.get("source", "")),
    )


def middle(work: Workbench, vector: Tensor) -> float:
    """The bias that puts the mean of the samples at amount 0 along ``vector``."""
    return -float(work.white.mean @ (vector / vector.norm()).double().flatten())


def save(direction: Direction, out: Path) -> Path:
    """``out``/NAME.safetensors."""
    return write_direction(out / f"{direction.name}.safetensors", direction)
