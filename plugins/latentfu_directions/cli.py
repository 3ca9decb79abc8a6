"""`latentfu directions train ATTRIBUTE`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import latentfu
from latentfu import (
    BadInputError,
    ControlRequest,
    Generator,
    NotInstalledError,
    Progress,
    Scorer,
    read_direction,
)

from latentfu_directions.own import own_folder


@click.command("train")
@click.argument("attribute")
@click.option("--generator", metavar="NAME", help="Default: the first listed.")
@click.option("--maker", default="svm", show_default=True, help="svm, ridge, or a plug-in's.")
@click.option("--samples", default=4000, show_default=True, type=click.IntRange(min=100))
@click.option("--seed", default=0, show_default=True)
@click.option("--clean", type=int, help="How many other attributes to leave alone.")
@click.option("--name", help="Name of the direction; default: the attribute.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder.")
@click.option("--json", "as_json", is_flag=True)
def train_command(
    attribute: str,
    generator: str | None,
    maker: str,
    out: Path | None,
    as_json: bool,
    **asked: Any,
) -> None:
    """Train the direction of ATTRIBUTE from random samples that a scorer has read.

    It is put among your own directions, where the editor finds it.
    """
    options = {"name": asked["name"] or f"my-{attribute}"}
    options |= {} if asked["clean"] is None else {"clean": asked["clean"]}
    folder = out or own_folder()
    with click.progressbar(length=100, label="Sampling", hidden=as_json) as bar:
        paths = train(
            attribute, folder, generator=generator, maker=maker, options=options,
            progress=lambda done, message="": bar.update(round(100 * done) - bar.pos),
            samples=asked["samples"],
            seed=asked["seed"],

        )  # fmt: skip
    for path in paths:
        tell(path, as_json)


def train(
    attribute: str,
    out: Path,
    *,
    generator: str | None = None,
    maker: str = "svm",
    samples: int = 4000,
    seed: int = 0,
    options: dict[str, float | int | str | bool] | None = None,
    progress: Progress | None = None,
) -> list[Path]:
    """Make direction files for ``attribute`` in ``out``; raises LatentFuError."""
    makers = latentfu.control_makers()
    if maker not in makers:
        raise NotInstalledError(f"There is no maker {maker!r}; installed: {', '.join(makers)}.")
    opened = latentfu.open_generator(generator or next(iter(latentfu.generators()), "portraits"))
    refuse_taken(str((options or {}).get("name", attribute)), out, opened)
    request = ControlRequest(
        generator=opened,
        attribute=attribute,
        samples=samples,
        seed=seed,
        progress=progress or (lambda fraction, message="": None),
        scorer=scorer_for(opened.domain),
        options=options or {},
    )
    return makers[maker].make(request, out)


def refuse_taken(name: str, out: Path, generator: Generator) -> None:
    """Refuse a name that another control has, unless it is the file to be replaced."""
    control = latentfu.controls(generator).get(name)
    if out != own_folder() or control is None:
        return
    if control.facts.get("file") != str(out / f"{name}.safetensors"):
        raise BadInputError(f"There is a control {name!r} already: give another --name.")


def scorer_for(domain: str) -> Scorer | None:
    """The first installed scorer for ``domain``."""
    found = (scorer for scorer in latentfu.scorers().values() if scorer.domain == domain)
    return next(found, None)


def tell(path: Path, as_json: bool) -> None:
    """Say what was made and how well it does."""
    direction = read_direction(path)
    strongest = sorted(direction.leakage.items(), key=lambda item: -abs(item[1]))[:3]
    if as_json:
        click.echo(json.dumps({"file": str(path), **direction.facts()}))
        return
    leaks = ", ".join(f"{name} {amount:+.2f}" for name, amount in strongest) or "nothing"
    click.echo(f"{path}: told apart {direction.accuracy:.0%} of held-out samples; moves {leaks}.")
