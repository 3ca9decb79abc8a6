"""One training run of an encoder: state, one step, figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from latentfu import Generator, mixed_precision
from torch import Tensor

from latentfu_builtin.encoders.training.augment import changed
from latentfu_builtin.encoders.training.beginning import config_for, take
from latentfu_builtin.encoders.training.options import TrainingOptions
from latentfu_builtin.encoders.training.pool import Pool
from latentfu_builtin.encoders.training.sources import (
    Lesson,
    Lessons,
    Own,
    codes_of,
    rendered,
)
from latentfu_builtin.inversion.coordinates import Spread, measure_spread
from latentfu_builtin.inversion.losses import build_perceptual_loss, pyramid
from latentfu_builtin.inversion.vgg import Distance
from latentfu_builtin.networks.encoders.pyramid_encoder import (
    EncoderConfig,
    PictureEncoder,
    resized,
)

WARM_UP = 0.05
TRUNK_PACE = 0.3
"""How much slower the convolutions learn when they were trained for something else before."""

Outside = Callable[[Spread, int], Lessons | None]
"""The spread and the size of the pictures -> a source of pictures, or none."""


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
        outside: Outside = lambda spread, size: None,
        trunk: Mapping[str, Tensor] | None = None,
        config: EncoderConfig | None = None,
    ) -> Trainer:
        """A run that has not begun yet, for ``generator``; ``trunk``: see :func:`take`."""
        torch.manual_seed(options.seed)
        spread = measure_spread(generator)
        encoder = PictureEncoder(config or config_for(generator, trunk))
        encoder.mean.copy_(spread.mean.expand_as(encoder.mean))
        encoder.axes.copy_(spread.axes)
        if trunk is not None:
            take(encoder, trunk)
        encoder = encoder.to(generator.device).to(memory_format=torch.channels_last)
        size = encoder.config.size
        return Trainer(
            generator,
            options,
            spread,
            encoder,
            optimiser(encoder, options),
            torch.Generator().manual_seed(options.seed),
            build_perceptual_loss("auto", generator)[1],
            Own(generator, spread, size, options.apart, options.bf16),
            outside(spread, size),
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
            group["lr"] = group["highest"] * pace(self.step / self.options.steps)
        lesson = joined([pool.draw(count) for pool, count in pools])
        pictures = changed(lesson.pictures, self.random)
        pictures = pictures.contiguous(memory_format=torch.channels_last).to(self.generator.device)
        with mixed_precision(pictures.device, self.options.bf16):
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
        images = resized(images, self.encoder.config.size)
        error = self.options.pixel * pyramid(images, targets).mean()
        if self.perceptual is not None and self.options.perceptual > 0:
            error = error + self.options.perceptual * self.perceptual(images, targets).mean()
        return error


def optimiser(encoder: PictureEncoder, options: TrainingOptions) -> torch.optim.AdamW:
    """Adam on all parameters, more careful with convolutions that were taken over."""
    slow = options.rate * (TRUNK_PACE if encoder.taken else 1.0)
    heads = [p for name, p in encoder.named_parameters() if not name.startswith("stages.")]
    groups = [
        {"params": list(encoder.stages.parameters()), "highest": slow},
        {"params": heads, "highest": options.rate},
    ]
    return torch.optim.AdamW(groups, lr=options.rate, weight_decay=0.02)


def code_error(offsets: Tensor, lesson: Lesson, spread: Spread) -> Tensor:
    """Squared error of the offsets, wide axes counting more; 1 for an encoder that says 0."""
    wanted = lesson.offsets.to(offsets)
    known = lesson.known.to(offsets)
    widths = spread.axes.norm(dim=0)
    weights = widths / widths.mean()  # [D]
    error = ((offsets - wanted).square() * weights).mean(dim=(1, 2))
    mean: Tensor = (error * known).sum() / known.sum().clamp(min=1.0)
    return mean


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
