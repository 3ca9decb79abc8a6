"""One training run of an encoder: what it begins with, its state, one step, figures."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import torch
from latentfu import Generator, mixed_precision
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
from latentfu_builtin.encoders.training.students import Student, build_student
from latentfu_builtin.inversion.coordinates import Spread, measure_shared_spread
from latentfu_builtin.inversion.losses import (
    build_identity_distance,
    build_perceptual_loss,
    pyramid,
)
from latentfu_builtin.inversion.vgg import Distance
from latentfu_builtin.networks.encoders.pyramid_encoder import resized

_WARM_UP = 0.05
_TRUNK_PACE = 0.3
"""How much slower the convolutions learn when they were trained for something else before."""
Outside = Callable[[Spread, int], LessonSource | None]
"""The spread and the size of the pictures -> a source of pictures, or none."""
_UNSEEN_SEED = 918_273
_PORTION = 16


@dataclass
class EncoderTrainer:
    """Everything that changes during a run, and what it is made from."""

    generator: Generator
    options: EncoderTrainingOptions
    spread: Spread
    encoder: Student
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
        sizes: str | None = None,
    ) -> EncoderTrainer:
        """A run that has not begun yet, for ``generator``, from a ``trunk`` where there is one."""
        torch.manual_seed(options.seed)
        spread = measure_shared_spread(generator)
        encoder = build_student(generator, options, spread, trunk, sizes)
        encoder = encoder.to(generator.device).to(memory_format=torch.channels_last)
        size = encoder.size
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
        mine, pools = options.batch - others, []
        if mine:
            pools.append((LessonPool(self.own, size, options.fresh, self.random, told), mine))
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
        images = resized(images, targets.shape[-1])
        error = self.options.pixel * pyramid(images, targets).mean()
        error = error + self.options.l2 * (images - targets).square().mean()
        if self.perceptual is not None and self.options.perceptual > 0:
            error = error + self.options.perceptual * self.perceptual(images, targets).mean()
        if self.identity is not None:
            error = error + self.options.identity * self.identity(images, targets).mean()
        return error


def make_encoder_optimizer(encoder: Student, options: EncoderTrainingOptions) -> torch.optim.AdamW:
    """Adam on all parameters, more careful with convolutions that were taken over."""
    slow = options.rate * (_TRUNK_PACE if encoder.taken else 1.0)
    named, begin = list(encoder.named_parameters()), encoder.convolutions
    groups = [
        {"params": [p for name, p in named if name.startswith(begin)], "highest": slow},
        {"params": [p for name, p in named if not name.startswith(begin)], "highest": options.rate},
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
