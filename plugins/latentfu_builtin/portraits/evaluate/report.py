"""The figures of one evaluation, gathered, and their place in the model card."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from latentfu import BadInputError, Generator, Progress, between, write_whole
from torch import Tensor

from latentfu_builtin.portraits.evaluate.frechet import frechet_distance
from latentfu_builtin.portraits.evaluate.neighbours import Overlap, memorising, overlap
from latentfu_builtin.portraits.evaluate.pictures import (
    Judge,
    Look,
    generated,
    rendered,
    scorer_features,
)
from latentfu_builtin.portraits.evaluate.smoothness import path_length
from latentfu_builtin.portraits.scorer.network import Scorer
from latentfu_builtin.portraits.scorer.train import figures

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


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
class Question:
    """What is evaluated, with what, and how thoroughly; ``compiled``: the renderer."""

    generator: Generator
    taught: Callable[[Tensor], Tensor]
    scorer: Scorer
    samples: int
    seed: int
    look: Look | None = None
    pairs: Path | None = None
    compiled: bool = False


def evaluate(question: Question, progress: Progress) -> Evaluation:
    """All figures; draws ``samples`` pictures of the network and twice as many renders."""
    q, scorer, side = question, question.scorer, question.generator.resolution
    judge = Judge(scorer, q.look or scorer_features(scorer))
    real, other = (
        rendered(judge, side, q.samples, q.seed + extra, part, compiled=q.compiled)
        for extra, part in ((0, between(progress, 0.0, 0.4)), (1, between(progress, 0.4, 0.8)))
    )
    made = generated(
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
        overlap=overlap(real.features, made.features),
        path_length=path_length(q.generator, scorer.distance, min(q.samples, 256), q.seed),
        attributes=figures(made.scores, made.factors),
        readable=figures(real.scores, real.factors),
        memorising=copied(q.pairs, judge.look, made.features, other.features),
    )


def copied(pairs: Path | None, look: Look, made: Tensor, fresh: Tensor) -> float | None:
    """How near the network's pictures come to those it was trained on; None without the cache."""
    if pairs is None:
        return None
    import numpy as np
    import torch

    from latentfu_builtin.stylegan.training.pairs import HOLDOUT, PairCache

    try:
        cache = PairCache(pairs)
    except ValueError as error:
        raise BadInputError(f"The training pictures can not be read: {error}.") from error
    rows = np.arange(HOLDOUT, cache.count)
    parts = np.array_split(rows, max(1, len(rows) // 64))
    known = torch.cat([look(cache.rows(part).images) for part in parts])
    return memorising(made, fresh, known)


def as_json(found: Evaluation) -> str:
    """The figures as JSON text."""
    return json.dumps(asdict(found), indent=1) + "\n"


def as_markdown(found: Evaluation) -> str:
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


def into_card(card: Path, found: Evaluation) -> None:
    """Put the figures between the two marks of the card; BadInputError when it has none."""
    put_between(card, BEGIN, END, as_markdown(found))


def put_between(card: Path, begin: str, end: str, words: str) -> None:
    """Replace what stands between two marks of a file; BadInputError when they are not there."""
    text = card.read_text(encoding="utf-8")
    if begin not in text or end not in text:
        raise BadInputError(f"{card} has no place for this: add {begin} and {end}.")
    before, rest = text.split(begin, 1)
    after = rest.split(end, 1)[1]
    write_whole(card, f"{before}{begin}\n{words}\n{end}{after}".encode())
