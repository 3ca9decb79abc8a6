"""``latentfu bench NAME``: figures of this machine, by the program and by plug-ins."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

import click

from latentfu.bench import BENCHMARKS, Measure, run_benchmark
from latentfu.cli import options
from latentfu.cli.output import json_option, print_json, print_table, progress_bar


def bench_command(name: str, what: str, measure: Callable[[], Iterable[Measure]]) -> click.Command:
    """A command that shows measurements, as a table or with ``--json``.

    Plug-ins offer theirs as a Command with the path ``("bench", NAME)``.

    Args:
        name: of the benchmark.
        what: what it measures, after "Measure" in its help.
        measure: called when the command runs; gives the figures as they come.

    Returns:
        The click command.
    """

    @click.command(name, help=f"Measure {what}.")
    @json_option
    def command(as_json: bool) -> None:
        print_measures(name, measure(), as_json)

    return command


def print_measures(name: str, figures: Iterable[Measure], as_json: bool) -> None:
    """Print a benchmark's figures, the one at work named while they come.

    Args:
        name: of the benchmark.
        figures: read one by one.
        as_json: one JSON document instead of the table.
    """
    measures = []
    with progress_bar(f"Measuring {name}", quiet=as_json) as progress:
        for figure in figures:
            measures.append(figure)
            progress(0.5, figure.name)
    if as_json:
        content = [dataclasses.asdict(measure) for measure in measures]
        print_json({"benchmark": name, "measures": content})
        return
    rows = [(m.name, f"{m.value:.4g} {m.unit}", str(m.runs)) for m in measures]
    print_table(("what", "median", "runs"), rows)


def _own_benchmark(name: str) -> click.Command:
    return bench_command(name, BENCHMARKS[name], lambda: run_benchmark(name))


@click.command("chaos")
@click.option("--jobs", type=click.IntRange(1), default=500, show_default=True, help="How many.")
@click.option(
    "--clients", type=click.IntRange(1, 200), default=8, show_default=True, help="At once."
)
@click.option(
    "--within",
    type=click.FloatRange(1.0),
    default=60.0,
    show_default=True,
    metavar="MINUTES",
    help="No job is begun after that.",
)
@click.option(
    "--crowd",
    type=click.IntRange(1, 200),
    default=200,
    show_default=True,
    help="How many clients then work in peace, for the memory.",
)
@click.option(
    "--minutes", type=click.FloatRange(0.1), default=10.0, show_default=True,
    help="For how long they do.",
)  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True, help="Of the faults.")
@json_option
def bench_chaos(
    *, jobs: int, clients: int, within: float, crowd: int, minutes: float, seed: int, as_json: bool
) -> None:
    """Measure what is left of JOBS when worker and server are killed at random.

    The clock is set as well. The server is one of its own, in a home of its own; where that can be
    a small disk (Linux, root) it is filled, and unmounted for some seconds. Edits are real ones of
    the default network.
    """
    from latentfu.bench.chaos import measure_chaos, plan_chaos

    plan = plan_chaos(
        jobs=jobs,
        clients=clients,
        crowd=crowd,
        crowd_s=60.0 * minutes,
        most_s=60.0 * within,
        seed=seed,
    )
    print_measures("chaos", measure_chaos(plan), as_json)


@click.command("scale")
@click.option(
    "--workers", type=options.Numbers(), default="1,2,4", show_default=True, metavar="N,N,...",
    help="Of the engine, one number after the other.",
)  # fmt: skip
@click.option(
    "--samples", type=click.IntRange(8), default=256, show_default=True, help="Rendered each time."
)
@click.option(
    "--engine", default="local", show_default=True, metavar="WHERE",
    help="local, ray, or ray://HOST:PORT.",
)  # fmt: skip
@click.option(
    "--server-workers", type=options.Numbers(), default="1,2", show_default=True,
    metavar="N,N,...", help="Of the server that the crowd asks.",
)  # fmt: skip
@click.option(
    "--clients", type=click.IntRange(0, 500), default=200, show_default=True,
    help="Of the crowd; 0: none.",
)  # fmt: skip
@click.option(
    "--seconds", type=click.FloatRange(1.0), default=60.0, show_default=True,
    help="For so long it slides.",
)  # fmt: skip
@json_option
def bench_scale(*, as_json: bool, **asked: Any) -> None:
    """Measure what more workers bring, and what a crowd of clients waits for.

    Samples of the default network by 1, 2, 4 workers and once more while one is killed; then
    previews of a server with 1 and 2 workers, where each client asks for the next as soon as it has
    the last.
    """
    from latentfu.bench.scale import ScalePlan, measure_scale

    print_measures("scale", measure_scale(ScalePlan(**asked)), as_json)


@click.command("gimp")
@click.option("--gimp", "program", metavar="PROGRAM", help="That starts GIMP 3, if not the newest.")
@click.option(
    "--large", type=click.IntRange(64, 30_000), nargs=2, default=(6000, 7500), show_default=True,
    metavar="WIDTH HEIGHT", help="Pixels of the layer that goes through and back.",
)  # fmt: skip
@click.option("--moves", type=click.IntRange(1), default=15, show_default=True, help="Of a slider.")
@json_option
def bench_gimp(program: str | None, large: tuple[int, int], moves: int, as_json: bool) -> None:
    """Measure what a person waits for in GIMP.

    A GIMP with settings of its own is opened on the screen, with a server of its own; the window of
    Edit portrait opens there and a slider is moved. Leave mouse and keys alone meanwhile.
    """
    from latentfu.bench.gimp import GimpPlan, check_screen, measure_gimp_waits
    from latentfu.setup.gimp_placement import source_folder
    from latentfu.setup.gimp_places import choose_gimp

    check_screen()
    gimp = choose_gimp(program)
    plan = GimpPlan(gimp.command[0], gimp.version, source_folder(), large, moves)
    print_measures("gimp", measure_gimp_waits(plan), as_json)


bench_edit = _own_benchmark("edit")
http = _own_benchmark("http")
start = _own_benchmark("start")
imports = _own_benchmark("import")
