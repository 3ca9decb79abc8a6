"""`latentfu train scorer`."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from latentfu import json_option

if TYPE_CHECKING:
    from latentfu_builtin.scorer.network import ScorerNetwork


@click.command("scorer")
@click.option(
    "--pairs",
    type=click.Path(path_type=Path, exists=True),
    required=True,
    multiple=True,
    help="Cache of renders, by latentfu train pairs; may be repeated, the first one measures.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="Weights file to write.",
)
@click.option("--start", type=click.Path(path_type=Path, exists=True), help="Scorer to go on from.")
@click.option(
    "--trunk",
    type=click.Path(path_type=Path, exists=True),
    help="Encoder or scorer whose convolutions to begin with.",
)
@click.option("--renderer", default="portraits", show_default=True, help="What drew the pairs.")
@click.option("--images", default=120_000, show_default=True, help="Pictures to train on.")
@click.option("--batch", default=64, show_default=True, help="Pictures in a step.")
@click.option("--lr", default=2e-3, show_default=True, help="Learning rate.")
@click.option(
    "--seed", default=0, show_default=True, help="Of the first weights and the order of pictures."
)
@click.option("--changed", default=1.0, show_default=True, help="Share of changed pictures.")
@click.option(
    "--photograph", default=0.0, show_default=True, help="Share changed as photographs come."
)
@click.option("--weight", "weights", multiple=True, help="FACTOR=NUMBER: how much it counts.")
@click.option("--compiled", is_flag=True, help="Compile the network first.")
@click.option("--threads", default=0, help="CPU threads; 0 for all.")
@json_option
def train_scorer_command(
    *,
    pairs: tuple[Path, ...],
    output: Path,
    start: Path | None,
    trunk: Path | None,
    renderer: str,
    threads: int,
    as_json: bool,
    **asked: Any,
) -> None:
    """Train the network that reads factors back from the picture of a person."""
    import torch

    from latentfu_builtin.scorer.train_scorer import ScorerOptions, train_scorer, write_scorer
    from latentfu_builtin.stylegan.training.pairs import PairCache

    if threads:
        torch.set_num_threads(threads)
    options = ScorerOptions(
        **{**asked, "weights": tuple(_read_weight(t) for t in asked["weights"])}
    )
    begun = _begin_scorer(renderer, start, trunk)
    caches = [PairCache(folder, begun.sizes.side, enlarge=True) for folder in pairs]
    say = functools.partial(click.echo, err=as_json)
    scorer, numbers = train_scorer(caches, options, say, begun)
    write_scorer(output, scorer, numbers, options, sum(cache.count for cache in caches))
    if as_json:
        click.echo(json.dumps({"file": str(output), "figures": numbers}))
        return
    for name, value in numbers.items():
        click.echo(f"{name:20} {value:7.4f}")


def _begin_scorer(renderer: str, start: Path | None, trunk: Path | None) -> ScorerNetwork:
    """What is trained; raises click.UsageError where both are named."""
    from latentfu_builtin.encoders.training.students import read_trunk
    from latentfu_builtin.scorer.factor_table import open_factor_table
    from latentfu_builtin.scorer.network import ScorerNetwork, begin_with_convolutions, load_scorer

    if start and trunk:
        raise click.UsageError("A scorer begins with --start or with --trunk, not with both.")
    if start:
        return load_scorer(start)
    table = open_factor_table(renderer)
    return begin_with_convolutions(table, read_trunk(trunk)) if trunk else ScorerNetwork(table)


def _read_weight(text: str) -> tuple[str, float]:
    """FACTOR=NUMBER as a pair; click.BadParameter when it is none."""
    name, _, number = text.partition("=")
    try:
        return name, float(number)
    except ValueError as error:
        raise click.BadParameter(f"{text} is not FACTOR=NUMBER", param_hint="--weight") from error
