"""``latentfu evaluate GENERATOR --against FOLDER|renders``."""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import latentfu
from latentfu import EngineChoice, engine_options, json_option, progress_bar, write_whole

if TYPE_CHECKING:
    from latentfu_builtin.evaluation.evaluate_generator import EvaluationMethod, GeneratorFigures


@click.command("generator")
@click.argument("generator")
@click.option(
    "--against",
    required=True,
    metavar="FOLDER|renders",
    help="A folder of pictures, renders of its domain, or a renderer such as people.",
)
@click.option(
    "--samples",
    default=2000,
    show_default=True,
    type=click.IntRange(min=32),
    help="Pictures of the generator, and references at most.",
)
@click.option("--seed", default=1_000, show_default=True, help="Of its pictures and the renders.")
@click.option(
    "--psi",
    default=1.0,
    show_default=True,
    type=click.FloatRange(0.0, 2.0),
    help="Truncation: below 1 nearer to the mean.",
)
@click.option(
    "--inception",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Weights of torchvision's inception_v3: compare by its features.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A JSON file.")
@engine_options
@json_option
def evaluate_generator_command(
    generator: str,
    against: str,
    output: Path | None,
    engine: EngineChoice,
    as_json: bool,
    **asked: Any,
) -> None:
    """Measure GENERATOR against the pictures that its own should be like.

    Frechet distance, precision, recall, density, coverage, sharpness and perceptual path length.
    The features are those of the portraits' scorer, or of Inception where its weights are given:
    compare only figures of the same features and number of pictures. With --engine or --jobs the
    pictures are divided; without, all threads of this process look at them.
    """
    from latentfu_builtin.evaluation.divided_features import FeatureDivision
    from latentfu_builtin.evaluation.evaluate_generator import evaluate_generator
    from latentfu_builtin.evaluation.references import open_references

    opened = latentfu.open_generator(generator)
    references = open_references(against, opened, asked["samples"], asked["seed"] + 500_000)
    method = _choose_method(asked["inception"], asked["samples"], asked["seed"], asked["psi"])
    with contextlib.ExitStack() as stack:
        divider = None
        if engine.is_given:
            workers = stack.enter_context(engine.open())
            divider = FeatureDivision(workers, asked["inception"], generator)
        progress = stack.enter_context(progress_bar("Evaluating", quiet=as_json))
        found = evaluate_generator(opened, references, method, progress, divider)
    told = {"against": against, **asdict(found)}
    if output:
        write_whole(output, (json.dumps(told, indent=2) + "\n").encode())
    click.echo(json.dumps(told) if as_json else _format_figures(found, against))


def _choose_method(inception: Path | None, samples: int, seed: int, psi: float) -> EvaluationMethod:
    from latentfu_builtin.evaluation.evaluate_generator import (
        EvaluationMethod,
        open_feature_reader,
    )
    from latentfu_builtin.portraits.shipped import load_shipped_scorer

    scorer = load_shipped_scorer("cpu")
    return EvaluationMethod(
        look=open_feature_reader(inception),
        features="inception" if inception else "scorer",
        distance=scorer.distance,
        samples=samples,
        seed=seed,
        psi=psi,
    )


def _format_figures(found: GeneratorFigures, against: str) -> str:
    """One figure a line."""
    overlap, floor = found.overlap, found.frechet_floor
    halves = "too few references to say" if floor is None else f"{floor:.2f}"
    lines = [
        f"{found.generator}: {found.samples} pictures against {found.references} of {against}, "
        f"features of the {found.features}",
        f"Frechet distance     {found.frechet:.2f} (two halves of the references: {halves})",
        f"precision, recall    {overlap.precision:.3f}, {overlap.recall:.3f}",
        f"density, coverage    {overlap.density:.3f}, {overlap.coverage:.3f}",
        f"sharpness            {found.sharpness:.2f} of the references'",
        f"path length          {found.path_length:.2f}",
    ]
    return "\n".join(lines)
