"""``latentfu train parser`` and ``latentfu train region-changes``."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import click
from latentfu import json_option, progress_bar, write_whole

from latentfu_builtin.regions.network import CHANGES


@click.command("parser")
@click.option(
    "--pairs",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    required=True,
    help="Folder of `latentfu train pairs --renderer people --regions`.",
)
@click.option(
    "--state",
    type=click.Path(path_type=Path, dir_okay=False),
    help="What a stopped training goes on from; default: parser.safetensors in that folder.",
)
@click.option("--images", default=60_000, show_default=True, help="Pictures to train on.")
@click.option("--batch", default=8, show_default=True, help="Pictures in a step.")
@click.option("--lr", default=3e-3, show_default=True, help="Learning rate.")
@click.option("--seed", default=0, show_default=True, help="Of first weights, order and changes.")
@click.option(
    "--holdout", default=200, show_default=True, help="Renders kept for measuring, the first ones."
)
@click.option("--threads", default=0, help="CPU threads; 0 for all.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Weights file; default: the shipped one.",
)
@json_option
def train_parser_command(
    *,
    pairs: Path,
    state: Path | None,
    images: int,
    batch: int,
    lr: float,
    seed: int,
    holdout: int,
    threads: int,
    output: Path | None,
    as_json: bool,
) -> None:
    """Train the parser of face regions on rendered people; stopped, it goes on where it was.

    It takes up pairs that arrive meanwhile.
    """
    import torch

    from latentfu_builtin.regions.network import PARSER_WEIGHTS
    from latentfu_builtin.regions.train import (
        ParserOptions,
        RenderedPeople,
        measure_parser,
        train_parser,
        write_parser,
    )

    if threads:
        torch.set_num_threads(threads)
    options = ParserOptions(images, batch, lr, seed, holdout)
    people = RenderedPeople(pairs)
    say = functools.partial(click.echo, err=as_json)
    network = train_parser(people, options, state or pairs / "parser.safetensors", say)
    figures = {
        "renders": measure_parser(network, people, holdout),
        "changed": measure_parser(network, people, holdout, changed=True),
    }
    file = output or PARSER_WEIGHTS
    write_parser(file, network, options, figures, people.count)
    if as_json:
        click.echo(json.dumps({"file": str(file), "figures": figures}))
        return
    for name, score in figures["renders"].items():
        changed = figures["changed"].get(name, 0.0)
        click.echo(f"{name:12} IoU {score:.3f} on renders, {changed:.3f} on changed ones")


@click.command("region-changes")
@click.option("--people", default=4, show_default=True, type=click.IntRange(1), help="Of each.")
@click.option("--size", default=96, show_default=True, type=click.IntRange(32), help="Pixels.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="JSON file; default: the shipped one."
)
@json_option
def measure_changes_command(*, people: int, size: int, output: Path | None, as_json: bool) -> None:
    """Measure which regions each factor of the people renderer changes, on pairs of renders."""
    from latentfu_builtin.regions.changes import measure_factor_changes

    with progress_bar("Measuring factors", quiet=as_json) as progress:
        changes = measure_factor_changes(people, size, progress)
    file = output or CHANGES
    about = {"people": people, "size": size, "changes": changes}
    write_whole(file, json.dumps(about, indent=1).encode() + b"\n")
    click.echo(json.dumps({"file": str(file)}) if as_json else f"{file}: {len(changes)} factors")
