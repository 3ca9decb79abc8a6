"""``latentfu bench``: figures of this machine."""

from __future__ import annotations

import dataclasses

import click

from latentfu.bench import BENCHMARKS, run
from latentfu.cli.output import json_option, print_json, print_table, watched

_LIST = "\n\n".join(f"{name}: {what}" for name, what in BENCHMARKS.items())


@click.command("bench", help=f"Measure NAME on this machine.\n\n{_LIST}")
@click.argument("name", type=click.Choice(list(BENCHMARKS)))
@json_option
def bench_command(name: str, as_json: bool) -> None:
    """Run one benchmark and print its figures."""
    measures = []
    with watched(f"Measuring {name}", quiet=as_json) as progress:
        for measure in run(name):
            measures.append(measure)
            progress(0.5, measure.name)
    if as_json:
        content = [dataclasses.asdict(measure) for measure in measures]
        print_json({"benchmark": name, "measures": content})
        return
    rows = [(m.name, f"{m.value:.1f} {m.unit}", str(m.runs)) for m in measures]
    print_table(("what", "median", "runs"), rows)
