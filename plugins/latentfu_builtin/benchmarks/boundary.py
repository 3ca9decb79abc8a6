"""``latentfu bench boundary``: our boundary training against scikit-learn's on the same codes."""

from __future__ import annotations

import time
from collections.abc import Iterator

import click
import numpy as np
from latentfu import Measure, json_option, print_measures

from latentfu_builtin.directions.plane_solvers import solve_svm

_FULL = (5600, 9216)
"""The size of a run on flattened W+ codes of an 18-layer network."""


def _measure_boundary(samples: int, size: int) -> Iterator[Measure]:
    """Seconds of both for ``samples`` codes of ``size`` numbers, and the cosine of the normals."""
    from sklearn.svm import SVC

    random = np.random.default_rng(0)
    codes = random.standard_normal((samples, size)).astype(np.float32)
    truth = random.standard_normal(size)
    noise = 0.5 * np.sqrt(size) * random.standard_normal(samples)
    labels = (codes @ truth + noise > 0).astype(np.int64)
    began = time.perf_counter()
    ours, _ = solve_svm(codes, labels)
    our_seconds = time.perf_counter() - began
    yield Measure("ours", our_seconds, "s")
    began = time.perf_counter()
    machine = SVC(kernel="linear")
    machine.fit(codes, labels)
    their_seconds = time.perf_counter() - began
    yield Measure('SVC(kernel="linear")', their_seconds, "s")
    theirs = machine.coef_[0]
    cosine = float(ours @ theirs / np.linalg.norm(ours) / np.linalg.norm(theirs))
    yield Measure("times faster", their_seconds / our_seconds, "x")
    yield Measure("cosine of the normals", cosine, "")


@click.command("boundary")
@click.option(
    "--samples",
    default=2000,
    show_default=True,
    type=click.IntRange(min=20),
    help="How many codes.",
)
@click.option(
    "--size",
    default=4096,
    show_default=True,
    type=click.IntRange(min=2),
    help="Numbers of each code.",
)
@click.option("--full", is_flag=True, help=f"{_FULL[0]} samples of {_FULL[1]} numbers: minutes.")
@json_option
def boundary_command(samples: int, size: int, full: bool, as_json: bool) -> None:
    """Measure boundary training against scikit-learn's SVC on random codes."""
    print_measures("boundary", _measure_boundary(*(_FULL if full else (samples, size))), as_json)
