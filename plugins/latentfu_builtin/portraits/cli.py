"""`latentfu train locator` and `latentfu evaluate portraits`."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import click
import latentfu
from latentfu import json_option, write_whole

_WEIGHTS = Path(__file__).parent / "weights"
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


@click.command("locator")
@click.option(
    "--pairs",
    type=click.Path(path_type=Path, exists=True),
    required=True,
    help="Cache of renders, by latentfu train pairs.",
)
@click.option("--scenes", type=click.Path(path_type=Path), required=True, help="Cache file.")
@click.option("--count", default=400, show_default=True, help="Scenes to render.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Weights file; default: the shipped one.",
)
@click.option("--images", default=60_000, show_default=True, help="Pictures to train on.")
@click.option(
    "--measured",
    default=24,
    show_default=True,
    type=click.IntRange(min=1),
    help="Fresh renders to measure on.",
)
@click.option("--seed", default=0, show_default=True, help="Of scenes, first weights and order.")
@click.option("--threads", default=0, help="CPU threads; 0 for all.")
@json_option
def train_locator_command(
    pairs: Path, scenes: Path, output: Path | None, threads: int, as_json: bool, **asked: int
) -> None:
    """Train the network that finds a portrait's landmarks in a picture."""
    import torch

    from latentfu_builtin.portraits.locator.train import (
        LocatorOptions,
        measure_locator,
        render_scenes,
        train_locator,
        write_locator,
    )
    from latentfu_builtin.stylegan.training.pairs import PairCache

    if threads:
        torch.set_num_threads(threads)
    options = LocatorOptions(images=asked["images"], seed=asked["seed"])
    cache = PairCache(pairs)
    with click.progressbar(length=asked["count"], label="Rendering scenes", hidden=as_json) as bar:
        found = render_scenes(
            scenes, asked["count"], asked["seed"], lambda done, _: bar.update(done - bar.pos)
        )
    locator = train_locator(found, cache, options, functools.partial(click.echo, err=as_json))
    numbers = measure_locator(locator, asked["measured"])
    file = output or _WEIGHTS / "locator.safetensors"
    write_locator(file, locator, numbers, options)
    if as_json:
        click.echo(json.dumps({"file": str(file), "figures": numbers}))
        return
    for name, value in numbers.items():
        click.echo(f"{name:28} {value}")


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
@click.option("--inception", type=_FILE, help="Weights: compare by Inception features instead.")
@click.option("--pairs", type=_FOLDER, help="The training pictures, to see if they are repeated.")
@click.option("--card", type=_FILE, help="A model card to write the figures into.")
@click.option("--compiled", is_flag=True, help="Compile the renderer first: for thousands.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A JSON file.")
@json_option
def evaluate_portraits_command(
    generator: str, card: Path | None, output: Path | None, as_json: bool, **asked: Any
) -> None:
    """Measure a portraits generator against fresh renders.

    Frechet distance, precision, recall, density, coverage, what of its factors can be read back,
    perceptual path length, and whether it repeats its training pictures.
    """
    from latentfu_builtin.portraits.evaluate.measures import load_inception_features
    from latentfu_builtin.portraits.evaluate.report import (
        EvaluationRequest,
        evaluate_portraits,
        format_markdown,
        write_into_card,
    )
    from latentfu_builtin.portraits.evaluate.report import (
        format_json as report_as_json,
    )
    from latentfu_builtin.portraits.shipped import load_shipped_scorer, map_to_teacher

    question = EvaluationRequest(
        generator=latentfu.open_generator(generator),
        taught=map_to_teacher,
        scorer=load_shipped_scorer("cpu"),
        samples=asked["samples"],
        seed=asked["seed"],
        look=load_inception_features(asked["inception"]) if asked["inception"] else None,
        pairs=asked["pairs"],
        compiled=asked["compiled"],
    )
    with click.progressbar(length=100, label="Evaluating", hidden=as_json) as bar:
        found = evaluate_portraits(
            question, lambda part, _="": bar.update(round(100 * part) - bar.pos)
        )
    if output:
        write_whole(output, report_as_json(found).encode())
    if card:
        write_into_card(card, found)
    click.echo(report_as_json(found) if as_json else format_markdown(found))
