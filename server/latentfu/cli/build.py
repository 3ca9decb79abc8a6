"""``latentfu build GENERATOR``: everything that is made from a generator's weights, in order."""

from __future__ import annotations

import time
from pathlib import Path

import click

from latentfu.cli.output import json_option, print_json, print_table, progress_bar
from latentfu.plugin_objects import BuildStep


@click.command("build")
@click.argument("generator")
@click.option("--only", multiple=True, metavar="STEP", help="This step alone; may be repeated.")
@click.option("--list", "listing", is_flag=True, help="Say what the steps are, and stop.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Another folder.")
@json_option
def build_command(
    generator: str, only: tuple[str, ...], listing: bool, out: Path | None, as_json: bool
) -> None:
    """Make again what is shipped for GENERATOR after its weights have changed.

    Each plug-in offers its own steps (directions, encoders, sheets, figures); they run in order
    and replace the files that are shipped, or write into --out.
    """
    steps = _choose_steps(generator, only)
    if listing:
        _print_rows([{"step": s.name, "title": s.title, "order": s.order} for s in steps], as_json)
        return
    done: list[dict[str, object]] = []
    for step in steps:
        began = time.monotonic()
        with progress_bar(step.title, quiet=as_json) as progress:
            step.run(out, progress)
        seconds = round(time.monotonic() - began, 1)
        done.append({"step": step.name, "title": step.title, "seconds": seconds})
        if not as_json:
            click.echo(f"{step.name}: {seconds} s", err=True)
    _print_rows(done, as_json)


def _choose_steps(generator: str, only: tuple[str, ...]) -> list[BuildStep]:
    """The steps of ``generator`` in order; click.UsageError for a name that it has not."""
    import latentfu

    steps = [step for step in latentfu.build_steps().values() if step.generator == generator]
    known = [step.name for step in sorted(steps, key=lambda step: (step.order, step.name))]
    if not known:
        raise click.UsageError(f"nothing is built for a generator {generator!r}")
    unknown = sorted(set(only) - set(known))
    if unknown:
        raise click.UsageError(f"there is no step {unknown[0]!r}; there are {', '.join(known)}")
    wanted = set(only or known)
    return sorted(
        (step for step in steps if step.name in wanted), key=lambda step: (step.order, step.name)
    )


def _print_rows(rows: list[dict[str, object]], as_json: bool) -> None:
    if as_json:
        print_json(rows)
    elif rows:
        print_table(tuple(rows[0]), [tuple(map(str, row.values())) for row in rows])
