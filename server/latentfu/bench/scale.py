"""Work on several workers, and many people at once: what more of either costs or brings.

Two parts. Samples of the default network, rendered by 1, 2, 4 ... workers of an engine, and once
more while one of them is killed. Then a server with 1, 2 ... workers, whose crowd of clients
slides: each asks for its next preview as soon as it has the last.
"""

from __future__ import annotations

import hashlib
import os
import signal
import statistics
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from latentfu.bench import Measure
from latentfu.bench.edit import open_default_network, sample_layer
from latentfu.bench.memory_watch import MemoryWatch
from latentfu.bench.server import run_own_server, wait_for_worker
from latentfu.client.client import Client
from latentfu.core.errors import LatentFuError
from latentfu.core.generator import Generator, random_latents
from latentfu.core.progress import silent
from latentfu.engine.batch_task import BatchTask, WorkerPlace, split_items
from latentfu.engine.map_batches import run_batches
from latentfu.engine.open_engine import open_engine
from latentfu.pipeline.generator_recipe import GeneratorRecipe, describe_generator, measure_worker
from latentfu.protocol.errors import QueueFullError
from latentfu.protocol.pictures import layer_body

if TYPE_CHECKING:
    from latentfu.engine.map_batches import Engine

_BATCH = 4
_KILL_AFTER = 3
"""Batches, so that the one that is killed is in the middle of its work."""
_SIZE = (192, 240)
_PAUSE_S = 1.0
"""Before a client that was told to come again does."""


@dataclass(frozen=True)
class ScalePlan:
    """What is measured.

    Attributes:
        workers: How many of an engine render, one number after the other.
        samples: How many samples they render each time.
        engine: As ``open_engine`` takes it.
        server_workers: How many workers a server has, one number after the other.
        clients: How many slide at once.
        seconds: For how long.
    """

    workers: Sequence[int] = (1, 2, 4)
    samples: int = 256
    engine: str = "local"
    server_workers: Sequence[int] = (1, 2)
    clients: int = 200
    seconds: float = 60.0


@dataclass(frozen=True)
class RenderedBatch:
    """Of some samples: the sha256 of each picture, the codes, and the process that drew them."""

    digests: list[str]
    codes: bytes
    pid: int


def measure_scale(plan: ScalePlan) -> Iterator[Measure]:
    """The figures as they come; raises LatentFuError where engine or server do not start."""
    yield from _measure_rendering(plan)
    if plan.clients:
        for count in plan.server_workers:
            yield from _measure_sliding(plan, count)


# Samples by the workers of an engine


def _measure_rendering(plan: ScalePlan) -> Iterator[Measure]:
    generator, _ = open_default_network()
    batches = split_items(range(plan.samples), _BATCH)
    expected: list[str] = []
    alone = 0.0
    for count in plan.workers:
        with open_engine(plan.engine, count) as engine:
            run = _render(engine, generator, count, batches)
        expected = expected or run.digests
        alone = alone or run.seconds
        name = f"{count} worker{'s' if count > 1 else ''}"
        yield Measure(f"{name}, samples", plan.samples / run.seconds, "1/s")
        yield Measure(f"{name}, against the first", alone / run.seconds, "times")
        yield Measure(f"{name}, until the first sample", run.start_s, "s")
        yield Measure(f"{name}, brought back for a sample", run.bytes / plan.samples, "bytes")
        yield Measure(f"{name}, samples that differ", run.count_other(expected), "samples")
    most = max(plan.workers)
    if most > 1 and not plan.engine.startswith("ray://"):  # whose processes are on other machines
        with open_engine(plan.engine, most) as engine:
            run = _render(engine, generator, most, batches, kill=True)
        yield Measure("one worker killed, workers", run.killed, "workers")
        yield Measure("one worker killed, samples", plan.samples / run.seconds, "1/s")
        other = run.count_other(expected)
        yield Measure("one worker killed, samples that differ", other, "samples")


@dataclass
class _Run:
    """What came of rendering; ``start_s``: until the first sample of the first batch."""

    start_s: float = 0.0
    seconds: float = 0.0
    bytes: int = 0
    killed: int = 0
    digests: list[str] = field(default_factory=list)

    def count_other(self, expected: Sequence[str]) -> int:
        """How many samples are not those of the first run."""
        return sum(a != b for a, b in zip(self.digests, expected, strict=True))


def _render(
    engine: Engine,
    generator: Generator,
    count: int,
    batches: Sequence[Sequence[int]],
    kill: bool = False,
) -> _Run:
    """All batches, by workers that have opened their networks before."""
    recipe = describe_generator(generator)
    task = BatchTask(partial(_open_in_worker, recipe), _render_in_worker, recipe.files)
    resources = measure_worker(generator, _BATCH, engine.choose_device("cpu"))
    run, began = _Run(), time.perf_counter()
    with engine.hire(task, resources, len(batches)) as crew:
        for _ in run_batches(crew, batches[: 2 * count], "finished", silent):
            run.start_s = run.start_s or time.perf_counter() - began
        began = time.perf_counter()
        for number, (_, drawn) in enumerate(run_batches(crew, batches, "items", silent)):
            run.digests += drawn.digests
            run.bytes += len(drawn.codes) + sum(map(len, drawn.digests))
            if kill and number == _KILL_AFTER:
                run.killed = _kill_worker(drawn.pid)
        run.seconds = time.perf_counter() - began
    return run


def _kill_worker(pid: int) -> int:
    """End one of the processes at work, as the system does when memory is short; how many."""
    if pid == os.getpid():
        return 0
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return 0
    return 1


def _open_in_worker(recipe: GeneratorRecipe, place: WorkerPlace) -> Generator:
    """The network of a worker."""
    return recipe.open(place)


def _render_in_worker(generator: Generator, numbers: Sequence[int]) -> RenderedBatch:
    """Samples by their seeds."""
    import torch

    digests, codes = [], b""
    for number in numbers:
        latent = random_latents(generator, 1, number)
        picture = generator.render(latent)  # [1, 3, R, R]
        pixels = (picture.clamp(-1, 1) * 127.5 + 127.5).to(torch.uint8).cpu().numpy()
        digests.append(hashlib.sha256(pixels.tobytes()).hexdigest())
        codes += latent.codes.cpu().numpy().tobytes()
    return RenderedBatch(digests, codes, os.getpid())


# Clients that slide


@dataclass
class _Slide:
    """What one client saw: seconds until each preview, how often it was told to come again."""

    waits: list[float] = field(default_factory=list)
    refused: int = 0
    failed: int = 0


def _measure_sliding(plan: ScalePlan, count: int) -> Iterator[Measure]:
    generator, control = open_default_network()
    layer = layer_body(sample_layer(generator, *_SIZE))
    with run_own_server(*(word for _ in range(count) for word in ("--device", "cpu"))) as client:
        wait_for_worker(client)
        watch = MemoryWatch(Client.connect)
        slides = _slide_together(plan, layer, control, watch)
    waits = sorted(wait for slide in slides for wait in slide.waits)
    served = [len(slide.waits) for slide in slides]
    name = f"{plan.clients} clients, {count} worker{'s' if count > 1 else ''}"
    yield Measure(f"{name}, previews", len(waits) / plan.seconds, "1/s", len(waits))
    if waits:
        yield Measure(f"{name}, preview p50", 1000 * statistics.median(waits), "ms", len(waits))
        tail = waits[min(len(waits) - 1, int(0.99 * len(waits)))]
        yield Measure(f"{name}, preview p99", 1000 * tail, "ms", len(waits))
        share = min(served) / statistics.mean(served)
        yield Measure(f"{name}, served least, of the mean", share, "times", plan.clients)
    yield Measure(f"{name}, told to come again", sum(each.refused for each in slides), "times")
    yield Measure(f"{name}, failed", sum(each.failed for each in slides), "previews")
    for figure in watch.tell():
        yield Measure(f"{name}, {figure.name}", figure.value, figure.unit, figure.runs)


def _slide_together(
    plan: ScalePlan, layer: bytes, control: str, watch: MemoryWatch
) -> list[_Slide]:
    """Every client in a thread of its own, with a session of its own."""
    client = Client.connect(timeout_s=300.0)
    request = {"layer": client.send_layer(layer), "quick": 2, "corners": _find_corners()}
    client.preview(str(uuid.uuid4()), {**request, "edits": {control: 0.5}})  # inverts
    slides = [_Slide() for _ in range(plan.clients)]
    end = time.monotonic() + plan.seconds

    def work(number: int) -> None:
        session, step = str(uuid.uuid4()), 0
        while time.monotonic() < end:
            step += 1
            edits = {control: (number + 37 * step) % 400 / 100 - 2.0}
            began = time.monotonic()
            try:
                client.preview(session, {**request, "edits": edits})
                slides[number].waits.append(time.monotonic() - began)
            except QueueFullError:
                slides[number].refused += 1
                time.sleep(_PAUSE_S)
            except LatentFuError:
                slides[number].failed += 1
                time.sleep(_PAUSE_S)

    threads = [threading.Thread(target=work, args=(n,), daemon=True) for n in range(plan.clients)]
    for thread in threads:
        thread.start()
    while time.monotonic() < end:
        time.sleep(plan.seconds / 40)
        watch.look()
    for thread in threads:
        thread.join()
    return slides


def _find_corners() -> list[list[int]]:
    """The square of the layer that is edited: given, so that all share one inversion."""
    low, high = 10, _SIZE[0] - 10
    return [[low, low], [high, low], [high, high], [low, high]]
