"""The paper's first table: how like renders the pictures of both networks are."""

from __future__ import annotations

from dataclasses import asdict

from latentfu import Progress, between

from latentfu_builtin.evaluation.evaluate_generator import (
    EvaluationMethod,
    evaluate_generator,
    open_feature_reader,
)
from latentfu_builtin.evaluation.references import open_references
from latentfu_builtin.portraits.shipped import load_shipped_scorer
from latentfu_builtin.wplusplus_study.study_networks import open_study_network
from latentfu_builtin.wplusplus_study.study_plan import MAPPINGS, StudyPlan


def measure_generation(plan: StudyPlan, progress: Progress) -> None:
    """Frechet distance, precision, recall, density, coverage and path length of both."""
    look, distance = open_feature_reader(None), load_shipped_scorer("cpu").distance
    method = EvaluationMethod(look, "scorer", distance, plan.samples, plan.seed + 1000)
    found = {}
    for number, mapping in enumerate(MAPPINGS):
        generator = open_study_network(plan, mapping)
        references = open_references(plan.renderer, generator, plan.samples, plan.seed + 500_000)
        part = between(progress, number / 2, (number + 1) / 2)
        found[mapping] = asdict(evaluate_generator(generator, references, method, part))
    plan.keep_figures("generation", found)
