"""Training a conditional mapping on a generator's own pictures, read by a scorer.

Each step takes codes with what their pictures show, and wants of each what another one shows. The
picture of the new code shall have it, keep the rest, stay the person, and pass for one of the
generator's own with a discriminator (Li et al. 2021, arXiv 2105.14230, describe these
losses; the code was not released).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from latentfu import (
    BadInputError,
    CancelledError,
    Generator,
    Progress,
    Scorer,
    between,
    check_cancelled,
)
from torch import Tensor
from torch.autograd import backward

from latentfu_builtin.conditional_mapping.mapping_file import StoredMapping
from latentfu_builtin.conditional_mapping.options import ConditionalOptions
from latentfu_builtin.conditional_mapping.scored_attributes import (
    ScoredAttributes,
    measure_attributes,
)
from latentfu_builtin.encoders.training.sources import (
    Lesson,
    LessonPool,
    OwnLessons,
    make_codes,
    render_codes,
)
from latentfu_builtin.inversion.coordinates import Spread, measure_code_shape, measure_shared_spread
from latentfu_builtin.inversion.losses import find_identity_distance
from latentfu_builtin.inversion.vgg import Distance
from latentfu_builtin.networks.encoders.pyramid_encoder import resized
from latentfu_builtin.networks.stylegan.conditional_mapping import (
    ConditionalMapping,
    ConditionalMappingConfig,
)
from latentfu_builtin.networks.stylegan.stylegan2 import StyleGAN2Config
from latentfu_builtin.networks.stylegan.stylegan2.discriminator import Discriminator
from latentfu_builtin.stylegan.training import losses

_LARGEST_LOOK = 256
_JUDGED_SIDE = 64
"""Pixels of the pictures that the discriminator sees: it tells smears, not pores."""
_JUDGE_CHANNELS = (64, 64, 48, 32, 16)
_R1_EVERY = 16
_STAYING = 0.1
"""The part of the pictures of which nothing else is wanted than what they have."""
_FILLING = 0.15
_WARM_UP = 0.05


@dataclass
class ConditionalTrainer:
    """One run: what it moves, and what it looks at."""

    generator: Generator
    options: ConditionalOptions
    attributes: ScoredAttributes
    spread: Spread
    mapping: ConditionalMapping
    judge: Discriminator
    adam: torch.optim.Adam
    judge_adam: torch.optim.Adam
    identity: Distance | None
    random: torch.Generator
    step: int = 0

    @staticmethod
    def begin(
        generator: Generator, scorer: Scorer, names: list[str], options: ConditionalOptions
    ) -> ConditionalTrainer:
        """A run that has not begun yet; raises BadInputError for a scorer without gradients."""
        torch.manual_seed(options.seed)
        attributes = measure_attributes(generator, scorer, names, options.seed)
        spread = measure_shared_spread(generator)
        tokens, depth = measure_code_shape(generator)
        config = ConditionalMappingConfig(tokens, depth, len(names), options.width, options.blocks)
        device = generator.device
        mapping, judge = ConditionalMapping(config).to(device), _build_judge(generator).to(device)
        return ConditionalTrainer(
            generator, options, attributes, spread, mapping, judge,
            torch.optim.Adam(mapping.parameters(), lr=options.rate, betas=(0.5, 0.99)),
            torch.optim.Adam(judge.parameters(), lr=options.discriminator_rate, betas=(0.0, 0.99)),
            find_identity_distance(generator) if options.identity else None,
            torch.Generator().manual_seed(options.seed),
        )  # fmt: skip

    def open_pool(self, progress: Progress) -> LessonPool:
        """The generator's own pictures to learn from."""
        options = self.options
        size = min(_LARGEST_LOOK, self.generator.resolution)
        own = OwnLessons(self.generator, self.spread, size, options.apart, options.bf16)

        def told(done: int) -> None:
            check_cancelled()
            progress(done / options.pool, "Rendering pictures")

        return LessonPool(own, options.pool, options.fresh, self.random, told)

    def learn(self, pool: LessonPool) -> dict[str, float]:
        """One step of the mapping and one of the discriminator; gives the terms of the loss."""
        for group in self.adam.param_groups:
            group["lr"] = self.options.rate * _rate_factor(self.step / self.options.steps)
        lesson = pool.draw(self.options.batch)
        real = lesson.pictures.to(self.generator.device)
        with torch.no_grad():
            has = self.attributes.read(real)  # [N, A]
        goal = self._draw_goals(has)
        images, moved = self.move(lesson, has, goal)
        terms = self._measure_terms(images, moved, (real, has, goal))
        loss = torch.stack([self._weigh(name) * term for name, term in terms.items()]).sum()
        self.adam.zero_grad(set_to_none=True)
        backward(loss)
        torch.nn.utils.clip_grad_norm_(self.mapping.parameters(), 5.0)
        self.adam.step()
        found = {name: float(term.detach()) for name, term in terms.items()}
        if self.options.adversarial:
            found["judge"] = self._teach_judge(real, images.detach())
        self.step += 1
        return found

    def move(self, lesson: Lesson, has: Tensor, goal: Tensor) -> tuple[Tensor, Tensor]:
        """What the lesson's codes become [N, 3, R, R], and their steps [N, tokens, D]."""
        offsets = lesson.offsets.to(self.generator.device)
        known = self.attributes.choose_known
        moved = self.mapping(offsets, known(has), known(goal))
        codes = make_codes(self.spread, offsets + moved, self.generator)
        return render_codes(self.generator, codes, self.options.bf16), moved

    def store(self) -> StoredMapping:
        """What is kept of the run."""
        found = self.attributes
        mean = self.spread.mean.reshape(-1, self.mapping.config.depth)
        ends = found.mean, found.spread
        scorer = found.scorer.name
        return StoredMapping(self.mapping, mean, self.spread.axes, *ends, scorer, found.names)

    def _draw_goals(self, has: Tensor) -> Tensor:
        """For each picture the attributes of another of the batch, or its own."""
        count = len(has)
        other = torch.roll(torch.arange(count), 1 + int(self.step % max(1, count - 1)))
        stays = torch.rand(count, generator=self.random) < _STAYING
        return has[torch.where(stays, torch.arange(count), other).to(has.device)]

    def _measure_terms(
        self, images: Tensor, moved: Tensor, known: tuple[Tensor, Tensor, Tensor]
    ) -> dict[str, Tensor]:
        """The terms of the mapping's loss; ``known``: pictures, attributes, wanted ones."""
        real, has, goal = known
        seen = resized(images.clamp(-1, 1), real.shape[-1])  # as a picture is stored
        shows, others = self.attributes.read(seen), self.attributes.others
        aim = self.attributes.choose_known(goal)
        terms = {
            "wanted": F.smooth_l1_loss(self.attributes.choose(shows), aim, beta=0.2),
            "step": moved.square().mean(),
        }
        if others:
            terms["kept"] = F.smooth_l1_loss(shows[:, others], has[:, others], beta=0.2)
        if self.identity is not None:
            terms["identity"] = self.identity(seen, real).mean()
        if self.options.adversarial:
            self.judge.requires_grad_(False)
            terms["adversarial"] = losses.generator_loss(self.judge(self._show_judge(images)))
            self.judge.requires_grad_(True)
        return terms

    def _weigh(self, name: str) -> float:
        """The weight of a term of the loss."""
        weight: float = getattr(self.options, name)
        return weight

    def _show_judge(self, images: Tensor) -> Tensor:
        """Pictures as the discriminator sees them."""
        return resized(images, self.judge.config.resolution)

    def _teach_judge(self, real: Tensor, made: Tensor) -> float:
        """One step of the discriminator, with R1 every few steps; gives its loss."""
        reals = self._show_judge(real).requires_grad_(self.step % _R1_EVERY == 0)
        real_logits = self.judge(reals)
        loss = losses.discriminator_loss(real_logits, self.judge(self._show_judge(made)))
        total = loss
        if reals.requires_grad and self.options.r1_gamma:
            penalty = losses.r1_penalty(real_logits, reals)
            total = loss + 0.5 * self.options.r1_gamma * _R1_EVERY * penalty
        self.judge_adam.zero_grad(set_to_none=True)
        backward(total)
        self.judge_adam.step()
        return float(loss.detach())


def train_conditional_mapping(
    trainer: ConditionalTrainer,
    progress: Progress,
    keep: Callable[[], None] = lambda: None,
    minutes: float = 2.0,
) -> dict[str, float]:
    """All steps of a run that are left, and what came of it on pictures that it did not see.

    Args:
        trainer: The run.
        progress: Told how far it is; may raise to stop.
        keep: Called every ``minutes``, and when the run is stopped.
        minutes: Between two calls.

    Returns:
        On 64 pairs, in standard deviations: ``before`` and ``after``, how far the attributes are
        from the reference's; ``moved``: how much others changed.

    Raises:
        BadInputError: The training diverged.
    """
    pool = trainer.open_pool(between(progress, 0.0, _FILLING))
    try:
        _take_steps(trainer, pool, between(progress, _FILLING, 0.98), keep, minutes)
    except (CancelledError, KeyboardInterrupt):
        keep()
        raise
    trainer.mapping.eval()
    return _measure_run(trainer)


def _take_steps(
    trainer: ConditionalTrainer,
    pool: LessonPool,
    progress: Progress,
    keep: Callable[[], None],
    minutes: float,
) -> None:
    """Steps until the end; raises BadInputError when they diverge."""
    steps, kept = trainer.options.steps, time.monotonic()
    while trainer.step < steps:
        check_cancelled()
        terms = trainer.learn(pool)
        if not all(map(math.isfinite, terms.values())):
            raise BadInputError("The training gave no numbers: try a smaller --set rate=....")
        said = ", ".join(f"{name} {value:.3f}" for name, value in terms.items())
        if time.monotonic() - kept > 60.0 * minutes:
            kept = time.monotonic()
            keep()
        progress(trainer.step / steps, f"Step {trainer.step} of {steps}: {said}")


@torch.no_grad()
def _measure_run(trainer: ConditionalTrainer, pairs: int = 64) -> dict[str, float]:
    own = OwnLessons(
        trainer.generator, trainer.spread, min(_LARGEST_LOOK, trainer.generator.resolution),
        0.0, False,
    )  # fmt: skip
    random, rows = torch.Generator().manual_seed(918_273), []
    attributes, batch = trainer.attributes, 16
    for _ in range(pairs // batch):
        lesson = own.draw(batch, random)
        has = attributes.read(lesson.pictures.clamp(-1, 1).to(trainer.generator.device))
        goal = has.roll(1, dims=0)
        images, _ = trainer.move(lesson, has, goal)
        shows = attributes.read(resized(images.clamp(-1, 1), lesson.pictures.shape[-1]))
        aim, others = attributes.choose_known(goal), attributes.others
        far = [(attributes.choose(one) - aim).abs().mean() for one in (has, shows)]
        rest = (shows - has)[:, others].abs().mean() if others else far[0] * 0
        rows.append(torch.stack([*far, rest]))
    before, after, moved = torch.stack(rows).mean(dim=0).tolist()
    return {"before": round(before, 4), "after": round(after, 4), "moved": round(moved, 4)}


def _build_judge(generator: Generator) -> Discriminator:
    """A small discriminator for the generator's pictures, shrunk."""
    side = 1 << (min(_JUDGED_SIDE, max(8, generator.resolution)).bit_length() - 1)
    channels = _JUDGE_CHANNELS[: side.bit_length() - 2]
    return Discriminator(StyleGAN2Config(resolution=side, channels=channels))


def _rate_factor(done: float) -> float:
    """The rate's factor: up over the first steps, then down to nothing as a cosine."""
    return min(1.0, (done + 1e-3) / _WARM_UP) * (0.5 + 0.5 * math.cos(math.pi * min(done, 1.0)))
