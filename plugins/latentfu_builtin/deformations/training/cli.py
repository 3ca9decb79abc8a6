"""``latentfu deformations train``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import latentfu
from latentfu import json_option

from latentfu_builtin.deformations.cli import FILE, draw_sheet, hand_over


@click.command("train")
@click.option("--generator", metavar="NAME", help="Default: the first listed.")
@click.option("--layer", required=True, type=int, help="Number of the synthesis layer.")
@click.option("--method", default="hessian", show_default=True, help="The basis: hessian or svd.")
@click.option("--count", default=64, show_default=True, help="How many deformations.")
@click.option("--vectors", type=FILE, help="Published eigenvectors (.pt) as the basis.")
@click.option("--steps", default=100_000, show_default=True, help="Training steps.")
@click.option("--paper", is_flag=True, help="The shifts that the authors give for 512 channels.")
@click.option("--quick", is_flag=True, help="Settings for a processor: half an hour for 8.")
@click.option(
    "--samples",
    default=16,
    show_default=True,
    type=click.IntRange(min=2),
    help="Latents that the basis is found with.",
)
@click.option("--distance", default="", help="An installed loss; default: the domain's own.")
@click.option("--set", "changes", multiple=True, metavar="NAME=VALUE", help="Training option.")
@click.option(
    "--sheet-steps",
    default=1000,
    show_default=True,
    type=click.IntRange(min=1),
    help="Steps between two sheets.",
)
@click.option("--minutes", default=2.0, show_default=True, help="Between checkpoints.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1, ...")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the run.",
)
@json_option
def train_command(
    generator: str | None, out: Path, changes: tuple[str, ...], as_json: bool, **asked: Any
) -> None:
    """Train deformations of one layer that a small network can tell apart.

    The same command goes on with an interrupted training, and adds steps to a finished one.
    """
    from latentfu_builtin.deformations.layer import opened
    from latentfu_builtin.deformations.training.options import PAPER, QUICK, TrainingOptions
    from latentfu_builtin.deformations.training.run import Order, train

    given = {"count": str(asked.pop("count")), "steps": str(asked.pop("steps"))}
    if asked.pop("quick"):
        given |= {name: str(value) for name, value in QUICK.items()}
    if asked.pop("paper"):
        given |= {name: str(value) for name, value in PAPER.get(asked["method"], {}).items()}
    for change in changes:
        name, equals, value = change.partition("=")
        if not equals:
            raise click.UsageError(f"--set takes NAME=VALUE, not {change!r}")
        given[name] = value
    options = TrainingOptions.from_settings(given, TrainingOptions())
    found_on = opened(generator, asked.pop("device"))
    order = Order(found_on, out=out, options=options, **asked)
    with latentfu.progress_bar("Training", as_json) as progress:
        found = train(
            order,
            progress,
            lambda text: None if as_json else click.echo(text),
            lambda samples, path: draw_sheet(found_on, samples, path),
        )
    hand_over(found_on, found, out, as_json)
