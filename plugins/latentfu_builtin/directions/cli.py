"""Training by an installed maker, and what its commands share."""

from __future__ import annotations

import json
from pathlib import Path

import click
import latentfu
from latentfu import (
    BadInputError,
    ControlRequest,
    Direction,
    Generator,
    NotInstalledError,
    Progress,
    Scorer,
    read_direction,
)

from latentfu_builtin.directions.own import own_folder


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
    if as_json:
        click.echo(json.dumps({"file": str(path), **direction.facts()}))
        return
    held = "none" if direction.accuracy is None else f"{direction.accuracy:.0%}"
    click.echo(f"{path}: told apart {held} of held-out samples; moves {leaks(direction)}.")


def leaks(direction: Direction) -> str:
    """The three other attributes that a direction moves most, for people."""
    strongest = sorted(direction.leakage.items(), key=lambda item: -abs(item[1]))[:3]
    return ", ".join(f"{name} {amount:+.2f}" for name, amount in strongest) or "nothing else"
