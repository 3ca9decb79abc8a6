"""``latentfu evaluate portraits``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import latentfu
from latentfu import json_option, write_whole

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


@click.command("portraits")
@click.option(
    "--generator",
    default="portraits",
    show_default=True,
    metavar="NAME",
    help="The generator to measure.",
)
@click.option(
    "--samples",
    default=2000,
    show_default=True,
    type=click.IntRange(min=32),
    help="Pictures drawn; twice as many are rendered.",
)
@click.option("--seed", default=1_000, show_default=True, help="Of pictures and renders.")
@click.option("--inception", type=FILE, help="Weights: compare by Inception features instead.")
@click.option("--pairs", type=FOLDER, help="The training pictures, to see if they are repeated.")
@click.option("--card", type=FILE, help="A model card to write the figures into.")
@click.option("--compiled", is_flag=True, help="Compile the renderer first: for thousands.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A JSON file.")
@json_option
def evaluate_command(
    generator: str, card: Path | None, output: Path | None, as_json: bool, **asked: Any
) -> None:
    """Measure a portraits generator against fresh renders.

    Frechet distance, precision, recall, density, coverage, what of its factors can be read back,
    perceptual path length, and whether it repeats its training pictures.
    """
    from latentfu_builtin.portraits.evaluate.inception import inception_features
    from latentfu_builtin.portraits.evaluate.report import (
        Question,
        as_markdown,
        evaluate,
        into_card,
    )
    from latentfu_builtin.portraits.evaluate.report import (
        as_json as report_as_json,
    )
    from latentfu_builtin.portraits.plugin import scorer_network, taught

    question = Question(
        generator=latentfu.open_generator(generator),
        taught=taught,
        scorer=scorer_network("cpu"),
        samples=asked["samples"],
        seed=asked["seed"],
        look=inception_features(asked["inception"]) if asked["inception"] else None,
        pairs=asked["pairs"],
        compiled=asked["compiled"],
    )
    with click.progressbar(length=100, label="Evaluating", hidden=as_json) as bar:
        found = evaluate(question, lambda part, _="": bar.update(round(100 * part) - bar.pos))
    if output:
        write_whole(output, report_as_json(found).encode())
    if card:
        into_card(card, found)
    click.echo(report_as_json(found) if as_json else as_markdown(found))
