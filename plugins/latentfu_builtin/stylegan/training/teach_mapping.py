"""Teaching a mapping what a renderer's numbers mean, before it sees a picture.

Of pictures alone a mapping learns very slowly that a hat appears where one number passes a bound,
and it learns a few thousand pictures by heart first. But a renderer knows the law: what each
picture depends on can be had for any z without drawing. So the mapping is trained on that: each
feature is given two numbers of w, one that grows with it and one that falls. After the mapping's
last activation their difference is still the feature itself, which no single number could be, nor
a direction of many: so the styles find it at once, and a step along it changes one thing. What has
two values only is told by one number.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import NormalDist

import torch
from latentfu import Progress, between, check_cancelled, silent
from torch import Tensor
from torch.autograd import backward

from latentfu_builtin.networks.stylegan.layers import (
    LRELU_GAIN,
    LRELU_SLOPE,
    EqualLinear,
    lrelu,
    normalize_2nd_moment,
)
from latentfu_builtin.networks.stylegan.stylegan2 import StyleGAN2
from latentfu_builtin.networks.stylegan.stylegan2.network import Mapping
from latentfu_builtin.stylegan.training.source import DescribingTeacher, teacher_normals

_HELD_OUT = 10  # one z in so many only measures
_CHUNK = 1000
_FAR = 4.0  # deviations from 0, beyond what z reaches


@dataclass(frozen=True)
class MappingOptions:
    """How a mapping is taught. samples: how many z; steps of `batch` z each."""

    layers: int = 4
    samples: int = 200_000
    steps: int = 5000
    batch: int = 1024
    rate: float = 0.01
    seed: int = 0


@dataclass(frozen=True)
class TaughtMapping:
    """What came of it.

    Attributes:
        network: The network with its new mapping, drawing about what it drew.
        known: For each feature how well w tells it: R2 on z that were held out, 1 at best.
        known_before: The same of the old mapping's w, by its best linear map.
        directions: A step of one standard deviation of each feature in w, [T, w_dim].
    """

    network: StyleGAN2
    known: dict[str, float]
    known_before: dict[str, float]
    directions: Tensor


@dataclass(frozen=True)
class _Lesson:
    """z [N, z_dim] and their features [N, T], of mean 0 and deviation 1."""

    z: Tensor
    features: Tensor
    names: list[str]

    @property
    def taught(self) -> int:
        """How many of the rows are trained on; the others only measure."""
        return len(self.z) - len(self.z) // _HELD_OUT


def teach_mapping(
    network: StyleGAN2,
    teacher: DescribingTeacher,
    options: MappingOptions,
    progress: Progress = silent,
) -> TaughtMapping:
    """A network with a mapping of `options.layers` layers that knows what the teacher draws.

    The styles are led to the new w by the linear map that serves best, so that what the network
    has learned to draw is kept. Its mapping learns at a hundredth of the rate from then on.

    Args:
        network: The network whose mapping is replaced; it stays as it is.
        teacher: Says what pictures depend on.
        options: How.
        progress: Told how far it is.

    Raises:
        ValueError: The network's mapping reads labels or several z, its z is shorter than the
            teacher's, or its w has fewer numbers than there are features.
    """
    if not isinstance(network.mapping, Mapping) or network.mapping.c_dim:
        raise ValueError("only a plain mapping of z can be taught what a renderer's numbers mean")
    lesson = _prepare_lesson(teacher, network.mapping.z_dim, options, between(progress, 0.0, 0.3))
    if network.config.w_dim < len(lesson.names):
        raise ValueError(
            f"the renderer says {len(lesson.names)} things of a picture, but w has "
            f"{network.config.w_dim} numbers: begin from a network with a larger --w-dim"
        )
    places = _place_features(lesson, network.config.w_dim)
    config = replace(network.config, mapping_layers=options.layers, mapping_lr_multiplier=1.0)
    fresh = Mapping(config)
    _lay_units(fresh, lesson, places, options.seed)
    _train(fresh, lesson, places, options, between(progress, 0.3, 1.0))
    taught = StyleGAN2(replace(config, mapping_lr_multiplier=0.01))
    taught.metadata = dict(network.metadata)
    _slow_down(fresh, taught.mapping)
    before, after = _map_all(network.mapping, lesson.z), _map_all(taught.mapping, lesson.z)
    taught.mapping.w_avg.copy_(after[: lesson.taught].mean(0))
    _lead_styles(network, taught, before[: lesson.taught], after[: lesson.taught])
    return TaughtMapping(
        taught,
        _measure(after, lesson),
        _measure(before, lesson),
        places * (LRELU_GAIN * (1.0 + LRELU_SLOPE) / 2.0),
    )


def _prepare_lesson(
    teacher: DescribingTeacher, z_dim: int, options: MappingOptions, progress: Progress
) -> _Lesson:
    random = torch.Generator().manual_seed(options.seed)
    z = torch.randn(options.samples, z_dim, generator=random)
    normals = teacher_normals(z, teacher)
    parts: list[Tensor] = []
    names: list[str] = []
    for part in torch.split(normals, _CHUNK):
        check_cancelled()
        features, names = teacher.describe(part)
        parts.append(features)
        progress(min(1.0, len(parts) * _CHUNK / len(z)))
    whole = torch.cat(parts)  # [N, T]
    return _Lesson(z, (whole - whole.mean(0)) / whole.std(0).clamp_min(1e-3), names)


def _place_features(lesson: _Lesson, w_dim: int) -> Tensor:
    """What each number of w is before its activation, of the features: signs [T, w_dim].

    A feature of two values has one number: an activation leaves it linear. Of the others each has
    two, x and -x, as long as there is room, in the teacher's order; then one.
    """
    places = torch.zeros(len(lesson.names), w_dim)
    pairs = w_dim - len(lesson.names)
    unit = 0
    for row, values in enumerate(lesson.features[:_CHUNK].T):
        places[row, unit] = 1.0
        unit += 1
        if pairs > 0 and len(values.unique()) > 2:
            places[row, unit] = -1.0
            unit, pairs = unit + 1, pairs - 1
    return places


@torch.no_grad()
def _lay_units(mapping: Mapping, lesson: _Lesson, places: Tensor, seed: int) -> None:
    """Begin from a mapping that keeps each number of z, and can bend at several of its values.

    Of the units for a number one is so far from its bend that it passes the number on; most
    features follow one number, with a bound somewhere. The layers between pass on what they get,
    and the last is the best linear map.
    """
    random = torch.Generator().manual_seed(seed + 2)
    layers: list[EqualLinear] = list(mapping.layers)  # type: ignore[arg-type]
    units, inputs = layers[0].weight.shape
    layers[0].weight.copy_(torch.randn(units, inputs, generator=random) * 0.03 * inputs**0.5)
    turns = max(1, units // inputs)
    for unit in range(min(units, turns * inputs)):
        place, turn = divmod(unit, turns)
        if turn == 0:
            layers[0].weight[unit] = 0.0
        layers[0].weight[unit, place] += 1.0 / layers[0].weight_gain
        bend = NormalDist().inv_cdf(turn / turns) if turn else -_FAR
        layers[0].bias[unit] = -bend
    for layer in layers[1:-1]:
        noise = 0.02 * torch.randn(units, units, generator=random)
        layer.weight.copy_((torch.eye(units) + noise) / (LRELU_GAIN * layer.weight_gain))
    x = normalize_2nd_moment(lesson.z[: lesson.taught])
    for layer in layers[:-1]:
        x = lrelu(layer(x))  # [N, units]
    weight, bias = fit_linear(x, lesson.features[: lesson.taught] @ places)
    layers[-1].weight.copy_(weight.T / layers[-1].weight_gain)
    layers[-1].bias.copy_(bias)


def fit_linear(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """The weight [A, B] and bias [B] that lead x [N, A] to y [N, B] with the least squares."""
    one = torch.cat([x, torch.ones(len(x), 1)], 1)  # [N, A + 1]
    ridge = torch.eye(one.shape[1]) * (1e-4 * len(x))
    solved = torch.linalg.solve(one.T @ one + ridge, one.T @ y)
    return solved[:-1], solved[-1]


def _train(
    mapping: Mapping,
    lesson: _Lesson,
    places: Tensor,
    options: MappingOptions,
    progress: Progress,
) -> None:
    """Adam on the distance between w and what the features make of it; a cosine ends the rate."""
    random = torch.Generator().manual_seed(options.seed + 3)
    adam = torch.optim.Adam(mapping.parameters(), lr=options.rate, betas=(0.9, 0.99))
    for step in range(options.steps):
        check_cancelled()
        warm = min(1.0, (step + 1) / 50)
        for group in adam.param_groups:
            group["lr"] = (
                options.rate * warm * (0.5 + 0.5 * math.cos(math.pi * step / options.steps))
            )
        chosen = torch.randint(lesson.taught, (options.batch,), generator=random)
        w = mapping(lesson.z[chosen])  # [B, w_dim]
        loss = (w - lrelu(lesson.features[chosen] @ places)).square().mean()
        adam.zero_grad()
        backward(loss)
        adam.step()
        progress((step + 1) / options.steps)


@torch.no_grad()
def _slow_down(fresh: Mapping, slow: torch.nn.Module) -> None:
    """Store a mapping's weights for a smaller rate of learning: larger, with a smaller gain."""
    assert isinstance(slow, Mapping)
    for mine, theirs in zip(slow.layers, fresh.layers, strict=True):
        assert isinstance(mine, EqualLinear) and isinstance(theirs, EqualLinear)
        mine.weight.copy_(theirs.weight * (theirs.weight_gain / mine.weight_gain))
        mine.bias.copy_(theirs.bias * (theirs.bias_gain / mine.bias_gain))


@torch.no_grad()
def _map_all(mapping: torch.nn.Module, z: Tensor) -> Tensor:
    return torch.cat([mapping(part) for part in torch.split(z, 10 * _CHUNK)])  # [N, w_dim]


@torch.no_grad()
def _lead_styles(old: StyleGAN2, new: StyleGAN2, before: Tensor, after: Tensor) -> None:
    """Copy the synthesis, its styles reading the new w [N, w_dim] as if it were the old one."""
    new.synthesis.load_state_dict(old.synthesis.state_dict())
    weight, bias = fit_linear(after, before)  # [w_dim, w_dim], [w_dim]
    for layer in [*new.synthesis.convs, *new.synthesis.rgbs]:
        affine: EqualLinear = layer.affine
        affine.bias.add_(affine.weight @ bias * (affine.weight_gain / affine.bias_gain))
        affine.weight.copy_(affine.weight @ weight.T)


def _measure(w: Tensor, lesson: _Lesson) -> dict[str, float]:
    """How well a linear map of w [N, w_dim] tells each feature: R2 on the held-out rows."""
    weight, bias = fit_linear(w[: lesson.taught], lesson.features[: lesson.taught])
    held = lesson.features[lesson.taught :]
    error = (held - w[lesson.taught :] @ weight - bias).square().mean(0)
    spread = held.var(0).clamp_min(1e-6)
    return dict(zip(lesson.names, (1 - error / spread).tolist(), strict=True))
