"""One training run of an encoder: state, one step, figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from latentfu import Generator
from latentfu_inversion.losses import Distance, perceptual_loss, pyramid
from latentfu_inversion.prior import Spread, measure_spread
from torch import Tensor

from latentfu_encoders.network import EncoderConfig, PictureEncoder
from latentfu_encoders.training.augment import changed
from latentfu_encoders.training.options import TrainingOptions
from latentfu_encoders.training.pool import Pool
from latentfu_encoders.training.sources import (
    Lesson,
    Lessons,
    Own,
    codes_of,
    rendered,
)

LARGEST_LOOK = 64
"""Larger pictures are looked at from this size: the code says nothing that is smaller."""
WARM_UP = 0.05


@dataclass
class Trainer:
    """Everything that changes during a run, and what it is made from."""

    generator: Generator
    options: TrainingOptions
    spread: Spread
    encoder: PictureEncoder
    adam: torch.optim.AdamW
    random: torch.Generator
    perceptual: Distance | None
    own: Own
    outside: Lessons | None
    step: int = 0

    @staticmethod
    def begin(
        generator: Generator,
        options: TrainingOptions,
        outside: Callable[[Spread], Lessons | None] = lambda spread: None,
    ) -> Trainer:
        """A run that has not begun yet, for ``generator``."""
        torch.manual_seed(options.seed)
        spread = measure_spread(generator)
        encoder = PictureEncoder(config_for(generator))
        encoder.mean.copy_(spread.mean.expand_as(encoder.mean))
        encoder.axes.copy_(spread.axes)
        encoder = encoder.to(generator.device).to(memory_format=torch.channels_last)
        adam = torch.optim.AdamW(encoder.parameters(), lr=options.rate, weight_decay=0.02)
        return Trainer(
            generator,
            options,
            spread,
            encoder,
            adam,
            torch.Generator().manual_seed(options.seed),
            perceptual_loss("auto", generator)[1],
            Own(generator, spread, options.apart, options.bf16),
            outside(spread),
        )

    def pools(self, told: Callable[[int], None]) -> list[tuple[Pool, int]]:
        """The pictures to draw from, with how many of a batch come from each."""
        options, others = self.options, self.options.others if self.outside else 0
        share = others / options.batch
        size = max(2, round(options.pool * (1 - share)))
        pools = [(Pool(self.own, size, options.fresh, self.random, told), options.batch - others)]
        if self.outside is not None and others:
            fresh = round(options.fresh * share)
            few = max(2, options.pool - size)
            pool = Pool(self.outside, few, fresh, self.random, lambda done: told(size + done))
            pools.append((pool, others))
        return pools

    def learn(self, pools: list[tuple[Pool, int]]) -> float:
        """One step; gives its loss."""
        self.encoder.train()
        for group in self.adam.param_groups:
            group["lr"] = self.options.rate * pace(self.step / self.options.steps)
        lesson = joined([pool.draw(count) for pool, count in pools])
        pictures = changed(lesson.pictures, self.random)
        pictures = pictures.contiguous(memory_format=torch.channels_last).to(self.generator.device)
        with torch.autocast(pictures.device.type, torch.bfloat16, enabled=self.options.bf16):
            offsets = self.encoder.offsets(pictures)
        loss = self.options.code * code_error(offsets, lesson, self.spread)
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
        codes = codes_of(self.spread, offsets[rows], self.generator)
        images = rendered(self.generator, codes, self.options.bf16)
        error = self.options.pixel * pyramid(images, targets).mean()
        if self.perceptual is not None and self.options.perceptual > 0:
            error = error + self.options.perceptual * self.perceptual(images, targets).mean()
        return error


def config_for(generator: Generator) -> EncoderConfig:
    """An encoder's sizes for ``generator``."""
    mean = generator.mean_latent()
    size = max(16, min(LARGEST_LOOK, generator.resolution))
    return EncoderConfig(size, tuple(mean.codes.shape[1:]), mean.space)


def code_error(offsets: Tensor, lesson: Lesson, spread: Spread) -> Tensor:
    """Squared error of the offsets, wide axes counting more; 1 for an encoder that says 0."""
    wanted = lesson.offsets.to(offsets)
    known = lesson.known.to(offsets)
    widths = spread.axes.norm(dim=0)
    weights = widths / widths.mean()  # [D]
    error = ((offsets - wanted).square() * weights).mean(dim=(1, 2))
    return (error * known).sum() / known.sum().clamp(min=1.0)


def joined(lessons: list[Lesson]) -> Lesson:
    """Lessons of several sources as one batch."""
    return Lesson(
        torch.cat([lesson.pictures for lesson in lessons]),
        torch.cat([lesson.offsets for lesson in lessons]),
        torch.cat([lesson.known for lesson in lessons]),
    )


def pace(done: float) -> float:
    """The rate's factor: up over the first steps, then down to nothing."""
    up = min(1.0, (done + 1e-3) / WARM_UP)
    return up * (1.0 - done) ** 1.5 if done < 1.0 else 0.0
