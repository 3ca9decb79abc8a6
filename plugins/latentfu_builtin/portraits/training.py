"""`latentfu train scorer` and `latentfu train locator`."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import click
from latentfu import json_option

WEIGHTS = Path(__file__).parent / "weights"


@click.command("scorer")
@click.option(
    "--pairs",
    type=click.Path(path_type=Path, exists=True),
    required=True,
    help="Cache of renders, by latentfu train pairs.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Weights file; default: the shipped one.",
)
@click.option("--start", type=click.Path(path_type=Path, exists=True), help="Scorer to go on from.")
@click.option("--images", default=120_000, show_default=True, help="Pictures to train on.")
@click.option("--batch", default=64, show_default=True, help="Pictures in a step.")
@click.option("--lr", default=2e-3, show_default=True, help="Learning rate.")
@click.option(
    "--seed", default=0, show_default=True, help="Of the first weights and the order of pictures."
)
@click.option("--changed", default=1.0, show_default=True, help="Share of changed pictures.")
@click.option("--weight", "weights", multiple=True, help="FACTOR=NUMBER: how much it counts.")
@click.option("--compiled", is_flag=True, help="Compile the network first.")
@click.option("--threads", default=0, help="CPU threads; 0 for all.")
@json_option
def scorer_command(
    pairs: Path, output: Path | None, start: Path | None, threads: int, as_json: bool, **asked: Any
) -> None:
    """Train the network that reads factors back from a portrait."""
    import torch

    from latentfu_builtin.portraits.scorer import load_scorer
    from latentfu_builtin.portraits.scorer.train import ScorerOptions, train_scorer, write_scorer
    from latentfu_builtin.stylegan.training.pairs import PairCache

    if threads:
        torch.set_num_threads(threads)
    options = ScorerOptions(**{**asked, "weights": tuple(read_weight(t) for t in asked["weights"])})
    cache = PairCache(pairs)
    begun = load_scorer(start) if start else None
    scorer, numbers = train_scorer(
        cache, options, functools.partial(click.echo, err=as_json), begun
    )
    file = output or WEIGHTS / "scorer.safetensors"
    write_scorer(file, scorer, numbers, options, cache.count)
    if as_json:
        click.echo(json.dumps({"file": str(file), "figures": numbers}))
        return
    for name, value in numbers.items():
        click.echo(f"{name:20} {value:7.4f}")


def read_weight(text: str) -> tuple[str, float]:
    """FACTOR=NUMBER as a pair; click.BadParameter when it is none."""
    name, _, number = text.partition("=")
    try:
        return name, float(number)
    except ValueError as error:
        raise click.BadParameter(f"{text} is not FACTOR=NUMBER", param_hint="--weight") from error


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
@click.option("--seed", default=0, show_default=True, help="Of scenes, first weights and order.")
@click.option("--threads", default=0, help="CPU threads; 0 for all.")
@json_option
def locator_command(
    pairs: Path, scenes: Path, output: Path | None, threads: int, as_json: bool, **asked: int
) -> None:
    """Train the network that finds a portrait's landmarks in a picture."""
    import torch

    from latentfu_builtin.portraits.locator.scenes import render_scenes
    from latentfu_builtin.portraits.locator.train import (
        LocatorOptions,
        measure,
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
    numbers = measure(locator)
    file = output or WEIGHTS / "locator.safetensors"
    write_locator(file, locator, numbers, options)
    if as_json:
        click.echo(json.dumps({"file": str(file), "figures": numbers}))
        return
    for name, value in numbers.items():
        click.echo(f"{name:28} {value}")
