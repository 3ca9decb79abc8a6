"""One training run of an encoder: what it begins with, its state, one step, figures."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import isqrt
from pathlib import Path

import torch
from latentfu import BadInputError, Generator, StorageError, mixed_precision, read_tensors
from torch import Tensor

from latentfu_builtin.encoders.training.options import EncoderTrainingOptions
from latentfu_builtin.encoders.training.photographs import change_into_photographs
from latentfu_builtin.encoders.training.sources import (
    Lesson,
    LessonPool,
    LessonSource,
    OwnLessons,
    augment_pictures,
    make_codes,
    render_codes,
)
from latentfu_builtin.inversion.coordinates import Spread, measure_spread
from latentfu_builtin.inversion.losses import (
    build_identity_distance,
    build_perceptual_loss,
    pyramid,
)
from latentfu_builtin.inversion.vgg import Distance
from latentfu_builtin.networks.encoders.pyramid_encoder import (
    EncoderConfig,
    PictureEncoder,
    resized,
)

_WARM_UP = 0.05
_TRUNK_PACE = 0.3
"""How much slower the convolutions learn when they were trained for something else before."""
Outside = Callable[[Spread, int], LessonSource | None]
"""The spread and the size of the pictures -> a source of pictures, or none."""
_LARGEST_LOOK = 64
"""Larger pictures are looked at from this size: the code says nothing that is smaller."""
_LAST_SIDE = 4
"""Pixels of the last features, where the trunk has no dense layer that tells."""
_HEADS = ("dense.weight", "dense.bias", "shared.weight", "apart.weight", "mean", "axes")
_UNSEEN_SEED = 918_273
_PORTION = 16


@dataclass
class EncoderTrainer:
    """Everything that changes during a run, and what it is made from."""

    generator: Generator
    options: EncoderTrainingOptions
    spread: Spread
    encoder: PictureEncoder
    adam: torch.optim.AdamW
    random: torch.Generator
    perceptual: Distance | None
    identity: Distance | None
    own: OwnLessons
    outside: LessonSource | None
    step: int = 0

    @staticmethod
    def begin(
        generator: Generator,
        options: EncoderTrainingOptions,
        outside: Outside = lambda spread, size: None,
        trunk: Mapping[str, Tensor] | None = None,
        config: EncoderConfig | None = None,
    ) -> EncoderTrainer:
        """A run that has not begun yet, for ``generator``, from a ``trunk`` where there is one."""
        torch.manual_seed(options.seed)
        spread = measure_spread(generator)
        encoder = PictureEncoder(config or _choose_config(generator, trunk))
        encoder.mean.copy_(spread.mean.expand_as(encoder.mean))
        encoder.axes.copy_(spread.axes)
        if trunk is not None:
            _take_over_trunk(encoder, trunk)
        encoder = encoder.to(generator.device).to(memory_format=torch.channels_last)
        size = encoder.config.size
        return EncoderTrainer(
            generator,
            options,
            spread,
            encoder,
            make_encoder_optimizer(encoder, options),
            torch.Generator().manual_seed(options.seed),
            build_perceptual_loss("auto", generator)[1],
            build_identity_distance(generator) if options.identity else None,
            OwnLessons(generator, spread, size, options.apart, options.bf16),
            outside(spread, size),
        )

    def pools(self, told: Callable[[int], None]) -> list[tuple[LessonPool, int]]:
        """The pictures to draw from, with how many of a batch come from each."""
        options, others = self.options, self.options.others if self.outside else 0
        share = others / options.batch
        size = max(2, round(options.pool * (1 - share)))
        pools = [
            (LessonPool(self.own, size, options.fresh, self.random, told), options.batch - others)
        ]
        if self.outside is not None and others:
            fresh = round(options.fresh * share)
            few = max(2, options.pool - size)
            pool = LessonPool(self.outside, few, fresh, self.random, lambda done: told(size + done))
            pools.append((pool, others))
        return pools

    def learn(self, pools: list[tuple[LessonPool, int]]) -> float:
        """One step; gives its loss."""
        self.encoder.train()
        for group in self.adam.param_groups:
            group["lr"] = group["highest"] * _rate_factor(self.step / self.options.steps)
        lesson = _join_lessons([pool.draw(count) for pool, count in pools])
        pictures = augment_pictures(lesson.pictures, self.random)
        if self.options.photograph:
            pictures = change_into_photographs(pictures, self.options.photograph, self.random)
        pictures = pictures.contiguous(memory_format=torch.channels_last).to(self.generator.device)
        with mixed_precision(pictures.device, self.options.bf16):
            offsets = self.encoder.offsets(pictures)
        loss = self.options.code * _measure_code_error(offsets, lesson, self.spread)
        if self.options.seen:
            loss = loss + self.seen_error(offsets, lesson)
        self.adam.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self.encoder.parameters(), 5.0)
        self.adam.step()
        self.step += 1
        return float(loss.detach())

    def seen_error(self, offsets: Tensor, lesson: Lesson) -> Tensor:
        """How far what is rendered from some offsets is from the unchanged pictures."""
        count = len(lesson.known)
        rows = torch.randperm(count, generator=self.random)[: self.options.seen]
        targets = lesson.pictures[rows].to(self.generator.device)
        codes = make_codes(self.spread, offsets[rows], self.generator)
        images = render_codes(self.generator, codes, self.options.bf16)
        images = resized(images, self.encoder.config.size)
        error = self.options.pixel * pyramid(images, targets).mean()
        if self.perceptual is not None and self.options.perceptual > 0:
            error = error + self.options.perceptual * self.perceptual(images, targets).mean()
        if self.identity is not None:
            error = error + self.options.identity * self.identity(images, targets).mean()
        return error


def make_encoder_optimizer(
    encoder: PictureEncoder, options: EncoderTrainingOptions
) -> torch.optim.AdamW:
    """Adam on all parameters, more careful with convolutions that were taken over."""
    slow = options.rate * (_TRUNK_PACE if encoder.taken else 1.0)
    heads = [p for name, p in encoder.named_parameters() if not name.startswith("stages.")]
    groups = [
        {"params": list(encoder.stages.parameters()), "highest": slow},
        {"params": heads, "highest": options.rate},
    ]
    return torch.optim.AdamW(groups, lr=options.rate, weight_decay=0.02)


def _measure_code_error(offsets: Tensor, lesson: Lesson, spread: Spread) -> Tensor:
    """Squared error of the offsets, wide axes counting more; 1 for an encoder that says 0."""
    wanted = lesson.offsets.to(offsets)
    known = lesson.known.to(offsets)
    widths = spread.axes.norm(dim=0)
    weights = widths / widths.mean()  # [D]
    error = ((offsets - wanted).square() * weights).mean(dim=(1, 2))
    mean: Tensor = (error * known).sum() / known.sum().clamp(min=1.0)
    return mean


def _join_lessons(lessons: list[Lesson]) -> Lesson:
    """Lessons of several sources as one batch."""
    return Lesson(
        torch.cat([lesson.pictures for lesson in lessons]),
        torch.cat([lesson.offsets for lesson in lessons]),
        torch.cat([lesson.known for lesson in lessons]),
    )


def _rate_factor(done: float) -> float:
    """The rate's factor: up over the first steps, then down to nothing."""
    up = min(1.0, (done + 1e-3) / _WARM_UP)
    return up * (1.0 - done) ** 1.5 if done < 1.0 else 0.0


def read_trunk(path: Path) -> dict[str, Tensor]:
    """The tensors of a network that an encoder can begin with; raises BadInputError."""
    try:
        found = {name: value.float() for name, value in read_tensors(path).items()}
    except StorageError as error:
        raise BadInputError(str(error)) from error
    if "stages.0.0.0.weight" not in found:
        raise BadInputError(f"{path} holds no convolutions that an encoder can begin with.")
    return found


def _choose_config(
    generator: Generator, trunk: Mapping[str, Tensor] | None = None
) -> EncoderConfig:
    """An encoder's sizes for ``generator``: those of the trunk, where there is one."""
    mean = generator.mean_latent()
    shape = tuple(mean.codes.shape[1:])
    if trunk is None:
        size = max(4 * _LAST_SIDE, min(_LARGEST_LOOK, generator.resolution))
        return EncoderConfig(size, shape, mean.space)
    widths: list[int] = []
    while f"stages.{len(widths)}.0.0.weight" in trunk:
        widths.append(int(trunk[f"stages.{len(widths)}.0.0.weight"].shape[0]))
    last = _LAST_SIDE
    if "dense.weight" in trunk:
        last = isqrt(trunk["dense.weight"].shape[1] // widths[-1])
    return EncoderConfig(last << (len(widths) - 1), shape, mean.space, tuple(widths))


def _take_over_trunk(encoder: PictureEncoder, tensors: Mapping[str, Tensor]) -> None:
    """Begin with the convolutions of another network of the same sizes (a scorer's, say).

    What is learned for one reading of a picture serves for another: training is several times
    shorter. An encoder for earlier weights of the generator gives its other layers too.
    """
    own = encoder.state_dict()
    stages = {k: v for k, v in tensors.items() if k.startswith("stages.") and k in own}
    if not all(own[name].shape == value.shape for name, value in stages.items()):
        raise BadInputError("The network to begin with has other sizes than the encoder.")
    encoder.load_state_dict(stages, strict=False)
    encoder.taken = True
    whole = all(name in tensors and tensors[name].shape == own[name].shape for name in _HEADS)
    if whole:
        _take_over_heads(encoder, tensors)


def _take_over_heads(encoder: PictureEncoder, tensors: Mapping[str, Tensor]) -> None:
    """The dense layers of an encoder whose offsets are counted along other axes.

    An offset p there is the code mean + A p, and so here the offset (B^-1)(mean + A p - mean').
    """
    spread = Spread(encoder.mean[0], encoder.axes)
    zero = encoder.mean.new_zeros(1, encoder.axes.shape[0])
    turn = spread.whitened(tensors["axes"].T + spread.mean)  # [D, D]: p here = p there @ turn
    moved = spread.whitened(tensors["mean"] - encoder.mean + spread.mean + zero)  # [layers, D]
    layers, depth = moved.shape
    apart = tensors["apart.weight"].reshape(layers, depth, -1)
    state = {name: value for name, value in tensors.items() if name.startswith(("dense.", "norm."))}
    state["shared.weight"] = turn.T @ tensors["shared.weight"]
    state["shared.bias"] = tensors["shared.bias"] @ turn
    state["apart.weight"] = (turn.T @ apart).reshape(layers * depth, -1)
    bias = tensors["apart.bias"].reshape(layers, depth) @ turn + moved
    state["apart.bias"] = bias.reshape(-1)
    encoder.load_state_dict(state, strict=False)


@torch.no_grad()
def measure_encoder(trainer: EncoderTrainer, count: int = 64) -> dict[str, float]:
    """PSNR in dB, perceptual distance and the codes' error, at the size that is looked at.

    ``own``: random pictures of the generator; ``outside``: those of the other source.
    """
    trainer.encoder.eval()
    plain = replace(trainer.own, apart=0.0)
    sources: dict[str, LessonSource] = {"own": plain}
    if trainer.outside is not None:
        sources["outside"] = trainer.outside
    found: dict[str, float] = {}
    for name, source in sources.items():
        random = torch.Generator().manual_seed(_UNSEEN_SEED)
        lessons = [source.draw(_PORTION, random) for _ in range(max(1, count // _PORTION))]
        rows = [_measure_lesson(trainer, lesson) for lesson in lessons]
        for figure in rows[0]:
            found[f"{name}_{figure}"] = round(sum(row[figure] for row in rows) / len(rows), 4)
    return found


def _measure_lesson(trainer: EncoderTrainer, lesson: Lesson) -> dict[str, float]:
    """The figures of some pictures."""
    targets = lesson.pictures.to(trainer.generator.device).clamp(-1, 1)
    offsets = trainer.encoder.offsets(targets)
    codes = make_codes(trainer.spread, offsets, trainer.generator)
    images = render_codes(trainer.generator, codes, False).clamp(-1, 1)
    images = resized(images, targets.shape[-1])
    errors = (images - targets).square().mean(dim=(1, 2, 3)).clamp(min=1e-10)
    row = {"psnr": float((10.0 * torch.log10(4.0 / errors)).mean())}
    if trainer.perceptual is not None:
        row["perceptual"] = float(trainer.perceptual(images, targets).mean())
    if bool(lesson.known.any()):
        row["code_error"] = float(_measure_code_error(offsets, lesson, trainer.spread))
    return {name: value for name, value in row.items() if math.isfinite(value)}
