"""Endurance: jobs while worker and server are killed at random, and disk, home and clock change.

What is promised: a job that was taken ends, once; its result is the one that it has in peace; what
fails does so in a sentence; and a crowd of clients costs no memory that stays.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from latentfu.bench import Measure, stop_process
from latentfu.bench.memory_watch import MemoryWatch
from latentfu.bench.shaky_home import ShakyHome, make_shaky_home
from latentfu.client.client import Client
from latentfu.core.errors import LatentFuError, ServerError
from latentfu.core.progress import Progress, silent

SERVE = (sys.executable, "-P", "-m", "latentfu", "serve", "--port", "0")
_PATIENCE_S = 180.0
_PAUSE_S = 12.0
_FULL_S, _AWAY_S = 1.0, 2.5
_BETWEEN = 3
"""Jobs between two faults: a worker has to come as far as to do something."""
FAULTS = {
    "worker": "worker killed",
    "front": "server killed",
    "disk": "disk filled and freed",
    "home": "home unmounted and back",
    "clock": "clock set",
}
_BAG = ("worker", "worker", "front", "disk", "home", "clock")
_CLOCKS = (3600, -86_400, 400 * 86_400, -400 * 86_400, 0)
"""Seconds off: an hour ahead, a day back, a battery that is empty."""
_MAY_FAIL = ("worker", "storage")
"""Killed twice over one job, or a disk that is full: said in a sentence, no mistake of ours."""
_OTHERWISE, _OTHER, _UNENDED = "failed otherwise", "another result", "not ended"
_BROKEN = {
    _OTHERWISE: "jobs failed otherwise",
    _OTHER: "jobs with another result than in peace",
    _UNENDED: "jobs lost or not ended",
}
"""How a job must not end, in words."""
_KEPT = 490
"""Of the 500 newest jobs that the queue keeps, without those that were done before."""
_SIZE = (192, 240)


@dataclass(frozen=True)
class ChaosPlan:
    """``jobs``: how many, by ``clients`` at once, while there are faults.

    ``crowd``: how many clients then work in peace, for ``crowd_s``. ``every_s``: between two
    faults, about. ``most_s``: nothing is begun after that. ``command``: what starts
    the server. ``requests``: what is asked in turn, without the layer. ``layer``: a pixel body.
    """

    jobs: int
    clients: int
    crowd: int
    crowd_s: float
    layer: bytes
    requests: Sequence[Mapping[str, object]]
    every_s: float = _PAUSE_S
    most_s: float = 3600.0
    seed: int = 0
    command: Sequence[str] = SERVE


def plan_chaos(
    *, jobs: int, clients: int, crowd: int, crowd_s: float, most_s: float, seed: int
) -> ChaosPlan:
    """Edits of one picture by the default network, whose inversion is made once.

    Args:
        jobs: how many.
        clients: how many put them at once.
        crowd: how many clients work in peace afterwards.
        crowd_s: for how long, in seconds.
        most_s: for so many seconds jobs are begun among faults.
        seed: of the faults.

    Raises:
        NotInstalledError: there is no network, or it has no slider.
    """
    from latentfu.bench.edit import open_default_network, sample_layer
    from latentfu.protocol.pictures import layer_body

    generator, name = open_default_network()
    low, right, bottom = 10, _SIZE[0] - 10, _SIZE[0] - 10
    corners = [[low, low], [right, low], [right, bottom], [low, bottom]]
    requests = [
        {"kind": "edit", "edits": {name: strength}, "corners": corners}
        for strength in (-2.0, -1.0, 1.0, 2.0)
    ]
    layer = layer_body(sample_layer(generator, *_SIZE))
    return ChaosPlan(
        jobs, clients, crowd, crowd_s, layer=layer, requests=requests, most_s=most_s, seed=seed
    )


@dataclass
class _Tally:
    """What came of it; ``end``: when (monotonic) nothing more is begun."""

    end: float
    ended: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    ids: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)


class _Fallible:
    """A server that is started again whenever it was killed."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; it may need some seconds until it answers."""
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def kill(self) -> None:
        """As a power cut would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def kill_worker(self) -> bool:
        """The process that works; False where there is none right now."""
        assert self._process is not None
        pid = self._process.pid
        try:
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
            os.kill(int(children[0]), signal.SIGKILL)
        except (OSError, ValueError, IndexError):
            return False
        return True

    def stop(self) -> None:
        """As its owner would."""
        if self._process is not None and self._process.poll() is None:
            stop_process(self._process, 30.0)


@dataclass(frozen=True)
class _Stage:
    """What is done harm to."""

    server: _Fallible
    home: ShakyHome


def measure_chaos(plan: ChaosPlan, progress: Progress = silent) -> Iterator[Measure]:
    """Run the plan in a home of its own; the figures as they come.

    Raises:
        ServerError: the server does not come up at all.
    """
    with make_shaky_home() as home:
        server, tally = _Fallible(plan.command), _Tally(time.monotonic() + plan.most_s)
        server.start()
        try:
            expected = _answers_in_peace(plan)
            _run_jobs(plan, _Stage(server, home), tally, expected, progress)
            yield from _tell_jobs(plan, tally)
            kept = _list_kept(home.path)
            known = min(len(tally.ids), _KEPT)  # the oldest are forgotten, as they should be
            yield Measure("jobs kept twice", len(kept) - len(set(kept)), "jobs")
            missing = max(0, known - len(tally.ids & set(kept)))
            yield Measure("jobs missing in the queue", missing, "jobs")
            yield from _work_in_peace(plan, expected, progress)
        finally:
            server.stop()


def _answers_in_peace(plan: ChaosPlan) -> list[str]:
    """The sha256 of the result of each request."""
    client = _connect()
    layer = client.send_layer(plan.layer)
    return [_digest(client.run({**request, "layer": layer})[0]) for request in plan.requests]


def _run_jobs(
    plan: ChaosPlan, stage: _Stage, tally: _Tally, expected: Sequence[str], progress: Progress
) -> None:
    numbers = iter(range(plan.jobs))

    def work() -> None:
        while time.monotonic() < tally.end:
            with tally.lock:
                number = next(numbers, None)
            if number is None:
                return
            outcome = _do_one(plan, number % len(plan.requests), expected, tally)
            with tally.lock:
                tally.ended[outcome] += 1
                progress(sum(tally.ended.values()) / plan.jobs, "Jobs and faults")

    threads = _start_threads(plan.clients, lambda _: work())
    chance, bag = random.Random(plan.seed), list[str]()
    while _are_busy(threads):
        before = sum(tally.ended.values())
        time.sleep(chance.uniform(0.5, 1.5) * plan.every_s)
        # Where starting takes longer than the pause, nothing would ever be done.
        while sum(tally.ended.values()) < before + _BETWEEN and _are_busy(threads):
            time.sleep(0.2)
        if not bag:
            bag = chance.sample(_BAG, len(_BAG))
        if _are_busy(threads):
            fault = bag.pop()
            tally.faults[fault] += _do_harm(fault, stage, chance)
    stage.home.set_clock(0)
    for thread in threads:
        thread.join()


def _start_threads(count: int, work: Callable[[int], None]) -> list[threading.Thread]:
    threads = [threading.Thread(target=work, args=(n,), daemon=True) for n in range(count)]
    for thread in threads:
        thread.start()
    return threads


def _are_busy(threads: Sequence[threading.Thread]) -> bool:
    return any(thread.is_alive() for thread in threads)


def _do_harm(fault: str, stage: _Stage, chance: random.Random) -> bool:
    """Whether it could be done here."""
    match fault:
        case "worker":
            return stage.server.kill_worker()
        case "front":
            stage.server.kill()
            stage.server.start()
            return True
        case "disk":
            return stage.home.fill(_FULL_S)
        case "home":
            return stage.home.leave(_AWAY_S)
        case _:
            stage.home.set_clock(chance.choice(_CLOCKS))
            return True


def _do_one(
    plan: ChaosPlan,
    which: int,
    expected: Sequence[str],
    tally: _Tally,
    patience_s: float = _PATIENCE_S,
) -> str:
    """One job, asked for under the same id until the server has it; how it ended."""
    job_id, end = str(uuid.uuid4()), time.monotonic() + patience_s
    while time.monotonic() < end:
        try:
            client = _connect()
            layer = client.send_layer(plan.layer)
            client.put_job({**plan.requests[which], "layer": layer}, job_id)
            with tally.lock:
                tally.ids.add(job_id)
            with contextlib.suppress(LatentFuError):  # what it ended with is read below
                client.wait(job_id, patience_s=20.0)
            job = client.job(job_id)
            if job.state == "failed" and job.error is not None:
                return job.error.code if job.error.code in _MAY_FAIL else _OTHERWISE
            if job.state != "done":
                continue
            return "done" if _digest(client.result(job_id)) == expected[which] else _OTHER
        except LatentFuError:  # the server is down, its disk is full or away, its queue is full
            time.sleep(0.2)
    return _UNENDED


def _tell_jobs(plan: ChaosPlan, tally: _Tally) -> Iterator[Measure]:
    for fault, what in FAULTS.items():
        yield Measure(what, tally.faults[fault], "times")
    said = tally.ended["worker"] + tally.ended["storage"]
    yield Measure("jobs done as in peace", tally.ended["done"], "jobs")
    yield Measure("jobs failed in a sentence", said, "jobs")
    for how, what in _BROKEN.items():
        yield Measure(what, tally.ended[how], "jobs")
    yield Measure("jobs not begun in the time", plan.jobs - sum(tally.ended.values()), "jobs")


def _work_in_peace(
    plan: ChaosPlan, expected: Sequence[str], progress: Progress
) -> Iterator[Measure]:
    """A crowd without faults: its jobs, and how much memory server and worker have more at the end.

    What a process takes at first, as the crowd comes, is not what grows.
    """
    tally = _Tally(time.monotonic() + plan.crowd_s)
    began, end = time.monotonic(), time.monotonic() + plan.crowd_s

    def work(number: int) -> None:
        while time.monotonic() < end:
            # On a slow machine the line of a whole crowd is longer than anybody's patience.
            patience_s = plan.crowd_s + _PATIENCE_S
            outcome = _do_one(plan, number % len(plan.requests), expected, tally, patience_s)
            with tally.lock:
                tally.ended[outcome] += 1
                progress(min(1.0, (time.monotonic() - began) / plan.crowd_s), "A crowd in peace")

    watch = MemoryWatch(_connect)
    threads = _start_threads(plan.crowd, work)
    while time.monotonic() < end:
        time.sleep(plan.crowd_s / 60)
        watch.look()
    for thread in threads:
        thread.join()
    done = sum(tally.ended.values())
    yield Measure("clients in peace", plan.crowd, "clients")
    yield Measure("jobs in peace", done, "jobs")
    yield Measure("of these not done", done - tally.ended["done"], "jobs")
    yield from watch.tell()


def _connect() -> Client:
    end = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return Client.connect(timeout_s=60.0)
        except ServerError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _list_kept(home: Path) -> list[str]:
    """The ids in the queue's table."""
    with contextlib.closing(sqlite3.connect(home / "data" / "jobs.sqlite")) as table:
        return [str(row[0]) for row in table.execute("SELECT id FROM jobs")]
