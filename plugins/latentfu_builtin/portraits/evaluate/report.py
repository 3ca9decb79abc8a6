"""One evaluation: fresh renders beside the network's pictures, the figures, the model card."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from latentfu import BadInputError, Generator, Progress, between, write_whole
from torch import Tensor

from latentfu_builtin.portraits.evaluate.measures import (
    FeatureReader,
    Overlap,
    frechet_distance,
    measure_memorizing,
    measure_overlap,
    measure_path_length,
)
from latentfu_builtin.portraits.renderer import FACTORS, from_normal, render
from latentfu_builtin.scorer.network import ScorerNetwork
from latentfu_builtin.scorer.train_scorer import summarize_figures

FIGURES_BEGIN, FIGURES_END = "<!-- figures: begin -->", "<!-- figures: end -->"
_BATCH = 16


@dataclass(frozen=True)
class Evaluation:
    """``frechet_floor``: what two draws of renders give, the least that can be had.

    ``attributes``: R2 (accuracy for what is there or not) between what z stands for and what the
    scorer reads from the generated picture; ``readable``: the same from renders, which is what
    the scorer can do at best.
    """

    generator_id: str
    samples: int
    seed: int
    features: str
    frechet: float
    frechet_floor: float
    overlap: Overlap
    path_length: float
    attributes: dict[str, float]
    readable: dict[str, float]
    memorising: float | None = None


@dataclass(frozen=True)
class EvaluationRequest:
    """What is evaluated, with what, and how thoroughly; ``compiled``: the renderer."""

    generator: Generator
    taught: Callable[[Tensor], Tensor]
    scorer: ScorerNetwork
    samples: int
    seed: int
    look: FeatureReader | None = None
    pairs: Path | None = None
    compiled: bool = False


def evaluate_portraits(question: EvaluationRequest, progress: Progress) -> Evaluation:
    """All figures; draws ``samples`` pictures of the network and twice as many renders."""
    q, scorer, side = question, question.scorer, question.generator.resolution
    table = scorer.table
    judge = PictureMetrics(scorer, q.look or make_scorer_features(scorer))
    real, other = (
        _see_renders(judge, side, q.samples, q.seed + extra, part, compiled=q.compiled)
        for extra, part in ((0, between(progress, 0.0, 0.4)), (1, between(progress, 0.4, 0.8)))
    )
    made = _see_generated(
        q.generator, q.taught, judge,
        count=q.samples, seed=q.seed + 2, progress=between(progress, 0.8, 0.95),
    )  # fmt: skip
    return Evaluation(
        generator_id=q.generator.id,
        samples=q.samples,
        seed=q.seed,
        features="inception" if q.look else "scorer",
        frechet=frechet_distance(real.features, made.features),
        frechet_floor=frechet_distance(real.features, other.features),
        overlap=measure_overlap(real.features, made.features),
        path_length=measure_path_length(q.generator, scorer.distance, min(q.samples, 256), q.seed),
        attributes=summarize_figures(made.scores, made.factors, table),
        readable=summarize_figures(real.scores, real.factors, table),
        memorising=_measure_copies(q.pairs, judge.look, made.features, other.features),
    )


def _measure_copies(
    pairs: Path | None, look: FeatureReader, made: Tensor, fresh: Tensor
) -> float | None:
    """How near the network's pictures come to those it was trained on; None without the cache."""
    if pairs is None:
        return None
    import numpy as np
    import torch

    from latentfu_builtin.stylegan.training.pairs import HOLDOUT, PairCache

    try:
        cache = PairCache(pairs)
    except ValueError as error:
        raise BadInputError(f"The training pictures cannot be read: {error}.") from error
    rows = np.arange(HOLDOUT, cache.count)
    parts = np.array_split(rows, max(1, len(rows) // 64))
    known = torch.cat([look(cache.rows(part).images) for part in parts])
    return measure_memorizing(made, fresh, known)


def format_json(found: Evaluation) -> str:
    """The figures as JSON text."""
    return json.dumps(asdict(found), indent=1) + "\n"


def format_markdown(found: Evaluation) -> str:
    """The figures as two tables for the model card."""
    o = found.overlap
    near = "not measured" if found.memorising is None else f"{found.memorising:.2f}"
    rows = [
        ("Frechet distance", f"{found.frechet:.2f} (two draws of renders: "
                             f"{found.frechet_floor:.2f})"),
        ("precision, recall", f"{o.precision:.3f}, {o.recall:.3f}"),
        ("density, coverage", f"{o.density:.3f}, {o.coverage:.3f}"),
        ("perceptual path length in w", f"{found.path_length:.2f}"),
        ("distance to the nearest training picture, over that of fresh renders", near),
    ]  # fmt: skip
    lines = [
        f"`latentfu evaluate portraits --samples {found.samples} --seed {found.seed}` "
        f"(features of the {found.features}):",
        "",
        "| figure | value |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in rows),
        "",
        "| factor | read from the network's pictures | read from renders |",
        "|---|---|---|",
        *(
            f"| {name} | {value:.2f} | {found.readable[name]:.2f} |"
            for name, value in found.attributes.items()
        ),
    ]
    return "\n".join(lines)


def write_into_card(card: Path, found: Evaluation) -> None:
    """Put the figures between the two marks of the card; BadInputError when it has none."""
    replace_between(card, FIGURES_BEGIN, FIGURES_END, format_markdown(found))


def replace_between(card: Path, begin: str, end: str, words: str) -> None:
    """Replace what stands between two marks of a file; BadInputError when they are not there."""
    text = card.read_text(encoding="utf-8")
    if begin not in text or end not in text:
        raise BadInputError(f"{card} has no place for this: add {begin} and {end}.")
    before, rest = text.split(begin, 1)
    after = rest.split(end, 1)[1]
    write_whole(card, f"{before}{begin}\n{words}\n{end}{after}".encode())


@dataclass(frozen=True)
class PictureMetrics:
    """Who looks at the pictures: the scorer, and what gives the features."""

    scorer: ScorerNetwork
    look: FeatureReader


@dataclass(frozen=True)
class SeenPictures:
    """What was seen of a set: ``features [N, D]``, ``scores [N, F]``, true ``factors [N, F]``."""

    features: Tensor
    scores: Tensor
    factors: Tensor


def make_scorer_features(scorer: ScorerNetwork) -> FeatureReader:
    """The scorer's last hidden layer as features ``[N, 128]``."""
    import torch.nn.functional as F

    @torch.no_grad()
    def look(images: Tensor) -> Tensor:
        last = scorer.features(images)[-1].float()
        return F.leaky_relu(scorer.dense(last.flatten(1)), 0.1)

    return look


@torch.no_grad()
def _see_renders(
    judge: PictureMetrics,
    side: int,
    count: int,
    seed: int,
    progress: Progress,
    *,
    compiled: bool = False,
) -> SeenPictures:
    """``count`` fresh renders of ``side`` pixels; ``compiled`` as `render` has it."""
    random = torch.Generator().manual_seed(seed)
    factors = from_normal(torch.randn(count, len(FACTORS), generator=random))

    def draw(start: int, end: int) -> Tensor:
        return render(factors[start:end], side, supersample=2, compiled=compiled)

    return _see_pictures(draw, factors, judge, progress)


@torch.no_grad()
def _see_generated(
    generator: Generator,
    taught: Callable[[Tensor], Tensor],
    judge: PictureMetrics,
    *,
    count: int,
    seed: int,
    progress: Progress,
) -> SeenPictures:
    """``count`` pictures of the network; ``taught`` says what each z stands for."""
    z = torch.randn(count, generator.z_dim, generator=torch.Generator().manual_seed(seed))

    def draw(start: int, end: int) -> Tensor:
        return generator.render(generator.map(z[start:end].to(generator.device))).clamp(-1, 1)

    return _see_pictures(draw, from_normal(taught(z)), judge, progress)


def _see_pictures(
    draw: Callable[[int, int], Tensor],
    factors: Tensor,
    judge: PictureMetrics,
    progress: Progress,
) -> SeenPictures:
    """Draw the pictures of ``factors [N, F]`` a few at a time and keep what is seen of them."""
    count = len(factors)
    features, scores = [], []
    for start in range(0, count, _BATCH):
        progress(start / count, "Drawing")
        images = draw(start, min(start + _BATCH, count))
        features.append(judge.look(images).cpu())
        scores.append(judge.scorer(images).cpu())
    return SeenPictures(torch.cat(features), torch.cat(scores), factors)
