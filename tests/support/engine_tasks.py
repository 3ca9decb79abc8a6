"""Tasks for the tests of the engine: small, of torch, and able to be killed in the middle."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from latentfu.engine.batch_task import BatchTask, Resources, WorkerPlace

SMALL = Resources(batch=4)
Rows = dict[str, np.ndarray]


def make_weights(place: WorkerPlace, folder: Path, together: int = 1) -> tuple[torch.Tensor, Path]:
    """What a worker sets up: a matrix, and where it writes down what it does.

    ``together``: wait until so many workers are there, so that each of them gets work.
    """
    (folder / f"worker-{os.getpid()}").touch()
    until = time.monotonic() + 120
    while len(list(folder.glob("worker-*"))) < together and time.monotonic() < until:
        time.sleep(0.02)
    draw = torch.Generator().manual_seed(5)
    return torch.randn(64, 300, generator=draw), folder


def multiply(state: tuple[torch.Tensor, Path], numbers: Sequence[int]) -> Rows:
    """Rows that depend on their numbers alone; each batch is written down."""
    weights, folder = state
    with (folder / "batches").open("a") as file:
        file.write(f"{numbers[0]}\n")
    seeds = [torch.Generator().manual_seed(number) for number in numbers]
    codes = torch.stack([torch.randn(64, generator=seed) for seed in seeds])
    return {"codes": codes.numpy(), "scores": (codes @ weights).tanh().numpy()}


def multiply_slowly(state: tuple[torch.Tensor, Path], numbers: Sequence[int]) -> Rows:
    """The same, long enough to be killed."""
    time.sleep(0.3)
    return multiply(state, numbers)


def die_once(state: tuple[torch.Tensor, Path], numbers: Sequence[int]) -> Rows:
    """The same; the first worker that comes to item 20 is killed there."""
    mark = state[1] / "died"
    if 20 in numbers and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return multiply(state, numbers)


def die_always(state: tuple[torch.Tensor, Path], numbers: Sequence[int]) -> Rows:
    """A batch that no worker survives."""
    if 20 in numbers:
        os.kill(os.getpid(), signal.SIGKILL)
    return multiply(state, numbers)


def multiplying(folder: Path, run: object = multiply, together: int = 1) -> BatchTask:  # type: ignore[type-arg]
    """The task of one of these functions, which writes down what it does in a folder."""
    folder.mkdir(exist_ok=True)
    return BatchTask(partial(make_weights, folder=folder, together=together), run)  # type: ignore[arg-type]


def count_batches(folder: Path) -> int:
    """How many batches were worked on, those included that were done twice."""
    path = folder / "batches"
    return len(path.read_text().splitlines()) if path.is_file() else 0
