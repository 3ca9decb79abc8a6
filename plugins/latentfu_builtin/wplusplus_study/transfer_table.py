"""The fourth table: editing by a reference, along directions and by a conditional mapping."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from latentfu import Direction, DirectionEffect, Generator, Progress, Scorer, between

from latentfu_builtin.conditional_mapping.checkpoint import (
    restore_mapping_training,
    save_mapping_training,
)
from latentfu_builtin.conditional_mapping.compare_transfers import compare_transfers
from latentfu_builtin.conditional_mapping.effect import open_trained
from latentfu_builtin.conditional_mapping.options import ConditionalOptions
from latentfu_builtin.conditional_mapping.scored_attributes import find_scorer_for
from latentfu_builtin.conditional_mapping.train_mapping import (
    ConditionalTrainer,
    train_conditional_mapping,
)
from latentfu_builtin.directions.train_direction import (
    TrainingData,
    TrainingSettings,
    train_direction,
)
from latentfu_builtin.wplusplus_study.editing_table import draw_scored_codes
from latentfu_builtin.wplusplus_study.study_networks import open_study_network
from latentfu_builtin.wplusplus_study.study_plan import MAPPINGS, StudyPlan


def measure_transfer(plan: StudyPlan, progress: Progress) -> None:
    """Give pairs of each network's pictures each other's attributes in both ways."""
    found = {}
    for number, mapping in enumerate(MAPPINGS):
        part = between(progress, number / 2, (number + 1) / 2)
        generator = open_study_network(plan, mapping)
        scorer = find_scorer_for(generator, None)
        directions = _learn_directions(plan, generator, scorer, between(part, 0.0, 0.3))
        options = ConditionalOptions(
            pictures=plan.mapping_images, batch=min(16, plan.mapping_images), seed=plan.seed,
            pool=min(1024, 4 * plan.mapping_images),
        )  # fmt: skip
        trainer = ConditionalTrainer.begin(generator, scorer, list(plan.given_over), options)
        figures = _train(trainer, plan.mapping_checkpoint(mapping), between(part, 0.3, 0.9))
        effect = open_trained(trainer.store(), trainer.attributes)
        pairs = range(40_000, 40_000 + plan.pairs_edited)
        ways = compare_transfers(generator, effect, directions, pairs, between(part, 0.9, 1.0))
        found[mapping] = {"training": figures, "ways": [asdict(way) for way in ways]}
    plan.keep_figures("transfer", found)


def _train(trainer: ConditionalTrainer, kept: Path, progress: Progress) -> dict[str, float]:
    """Go on with what is kept, or begin; also a finished training stays, to be measured again."""
    if kept.is_file():
        restore_mapping_training(kept, trainer)
    figures = train_conditional_mapping(
        trainer, progress, lambda: save_mapping_training(kept, trainer)
    )
    save_mapping_training(kept, trainer)
    return figures


def _learn_directions(
    plan: StudyPlan, generator: Generator, scorer: Scorer, progress: Progress
) -> list[DirectionEffect]:
    """The linear way: a boundary of each attribute among scored samples."""
    drawn = draw_scored_codes(plan, generator, scorer, progress)
    effects = []
    for attribute in plan.given_over:
        scores = drawn.scores[:, scorer.attributes.index(attribute)].astype("float64")
        words = {"name": attribute, "attribute": attribute}
        settings = TrainingSettings(ends=0.25, seed=plan.seed, words=words)
        data = TrainingData(drawn.codes, scores, description="the study of W++")
        made: Direction = train_direction(data, settings, generator, None).direction
        effects.append(DirectionEffect(made))
    return effects
