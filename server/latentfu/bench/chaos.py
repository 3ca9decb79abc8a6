"""Endurance: jobs while worker and server are killed at random and the disk is full now and then.

What is promised: a job that was taken ends, once; its result is the one that it has in peace; what
fails does so in a sentence; memory stays where it was.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

from latentfu.bench import Measure
from latentfu.client.client import Client
from latentfu.core.errors import LatentFuError, ServerError
from latentfu.core.progress import Progress, silent
from latentfu.protocol.replies import JobReply

SERVE = (sys.executable, "-P", "-m", "latentfu", "serve", "--port", "0")
_PATIENCE_S = 180.0
_PAUSE_S = 12.0
_BETWEEN = 3
"""Seconds and jobs between two faults: a worker has to come as far as to do something."""
_FAULTS = ("worker", "worker", "front", "disk")
_MAY_FAIL = ("worker", "storage")
"""Killed twice over one job, or a full disk: said in a sentence, and not our mistake."""
_HOME_BYTES = 192 << 20
_KEPT = 490
"""Of the 500 newest jobs that the queue keeps, without those that were done before."""
_SIZE = (192, 240)


@dataclass(frozen=True)
class ChaosPlan:
    """``jobs``: how many, by ``clients`` at once. ``calm_s``: how long clients then work in peace.

    ``every_s``: between two faults, about. ``command``: what starts the server. ``requests``: what
    is asked in turn, without the layer. ``layer``: a pixel body.
    """

    jobs: int
    clients: int
    calm_s: float
    every_s: float
    layer: bytes
    requests: Sequence[Mapping[str, object]]
    seed: int = 0
    command: Sequence[str] = SERVE


def plan_chaos(jobs: int, clients: int, calm_s: float, seed: int) -> ChaosPlan:
    """Edits of one picture by the default network, whose inversion is made once.

    Args:
        jobs: how many.
        clients: how many put them at once.
        calm_s: how long they work in peace afterwards.
        seed: of the faults.

    Raises:
        NotInstalledError: there is no network, or it has no slider.
    """
    import latentfu
    from latentfu.bench.edit import sample_layer
    from latentfu.plugin_manager import pick
    from latentfu.protocol.pictures import layer_body

    spec = pick(latentfu.generators(), None, "generator")
    generator = latentfu.open_generator(spec.name)
    controls = latentfu.controls(generator)
    sliders = {name: each for name, each in controls.items() if each.widget == "slider"}
    name = pick(sliders, None, "control").name
    low, right, bottom = 10, _SIZE[0] - 10, _SIZE[0] - 10
    corners = [[low, low], [right, low], [right, bottom], [low, bottom]]
    requests = [
        {"kind": "edit", "edits": {name: strength}, "corners": corners}
        for strength in (-2.0, -1.0, 1.0, 2.0)
    ]
    layer = layer_body(sample_layer(generator, *_SIZE))
    return ChaosPlan(jobs, clients, calm_s, _PAUSE_S, layer, requests, seed)


@dataclass
class _Tally:
    """What came of it."""

    ended: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    ids: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)


class _Fallible:
    """A server that is started again whenever it was killed.

    ``small_home``: where its disk is so small that it can be filled; else None.
    """

    def __init__(self, command: Sequence[str], small_home: Path | None) -> None:
        self._command = command
        self.small_home = small_home
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
            self._process.terminate()
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()


def measure_chaos(plan: ChaosPlan, progress: Progress = silent) -> Iterator[Measure]:
    """Run the plan in a home of its own; the figures as they come.

    Raises:
        ServerError: the server does not come up at all.
    """
    with _own_home() as (home, is_small):
        server, tally = _Fallible(plan.command, home if is_small else None), _Tally()
        server.start()
        try:
            expected = _answers_in_peace(plan)
            _run_jobs(plan, server, tally, expected, progress)
            yield from _tell_jobs(plan, tally)
            kept = _list_kept(home)
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
    plan: ChaosPlan,
    server: _Fallible,
    tally: _Tally,
    expected: Sequence[str],
    progress: Progress,
) -> None:
    numbers = iter(range(plan.jobs))

    def work() -> None:
        while True:
            with tally.lock:
                number = next(numbers, None)
            if number is None:
                return
            outcome = _do_one(plan, number % len(plan.requests), expected, tally)
            with tally.lock:
                tally.ended[outcome] += 1
                progress(sum(tally.ended.values()) / plan.jobs, "Jobs and faults")

    threads = [threading.Thread(target=work, daemon=True) for _ in range(plan.clients)]
    for thread in threads:
        thread.start()
    chance = random.Random(plan.seed)
    while _are_busy(threads):
        before = sum(tally.ended.values())
        time.sleep(chance.uniform(0.5, 1.5) * plan.every_s)
        # Where starting takes longer than the pause, nothing would ever be done.
        while sum(tally.ended.values()) < before + _BETWEEN and _are_busy(threads):
            time.sleep(0.2)
        if _are_busy(threads):
            _do_harm(chance.choice(_FAULTS), server, tally)
    for thread in threads:
        thread.join()


def _are_busy(threads: Sequence[threading.Thread]) -> bool:
    return any(thread.is_alive() for thread in threads)


def _do_harm(fault: str, server: _Fallible, tally: _Tally) -> None:
    match fault:
        case "worker":
            tally.faults[fault] += server.kill_worker()
        case "front":
            server.kill()
            server.start()
            tally.faults[fault] += 1
        case "disk" if server.small_home is not None:
            ballast = server.small_home / "ballast"
            with contextlib.suppress(OSError), ballast.open("wb") as file:
                while True:
                    file.write(b"\0" * (1 << 20))
            time.sleep(1.0)
            ballast.unlink()
            tally.faults[fault] += 1


def _do_one(plan: ChaosPlan, which: int, expected: Sequence[str], tally: _Tally) -> str:
    """One job, asked for under the same id until the server has it; how it ended."""
    job_id, end = str(uuid.uuid4()), time.monotonic() + _PATIENCE_S
    while time.monotonic() < end:
        try:
            client = _connect()
            layer = client.send_layer(plan.layer)
            client.put_job({**plan.requests[which], "layer": layer}, job_id)
            with tally.lock:
                tally.ids.add(job_id)
            job = _wait_for_end(client, job_id)
            if job.state == "failed" and job.error is not None:
                return job.error.code if job.error.code in _MAY_FAIL else "failed otherwise"
            if _digest(client.result(job_id)) != expected[which]:
                return "another result"
        except LatentFuError:  # the server is down, its disk is full, its queue is
            time.sleep(0.2)
            continue
        return job.state
    return "not ended"


def _wait_for_end(client: Client, job_id: str) -> JobReply:
    while (job := client.job(job_id)).state in ("queued", "running"):
        time.sleep(0.05)
    return job


def _tell_jobs(plan: ChaosPlan, tally: _Tally) -> Iterator[Measure]:
    for fault, what in (
        ("worker", "worker killed"),
        ("front", "server killed"),
        ("disk", "disk filled and freed"),
    ):
        yield Measure(what, tally.faults[fault], "times")
    said = tally.ended["worker"] + tally.ended["storage"]
    yield Measure("jobs done as in peace", tally.ended["done"], "jobs")
    yield Measure("jobs failed in a sentence", said, "jobs")
    rest = plan.jobs - tally.ended["done"] - said
    yield Measure("jobs lost, wrong or not ended", rest, "jobs")


def _work_in_peace(
    plan: ChaosPlan, expected: Sequence[str], progress: Progress
) -> Iterator[Measure]:
    """Clients without faults: how much memory server and worker have more at the end."""
    tally = _Tally()
    _connect_and_wait(plan, expected, tally)
    before = _memory_mb()
    began, end = time.monotonic(), time.monotonic() + plan.calm_s

    def work(number: int) -> None:
        while time.monotonic() < end:
            outcome = _do_one(plan, number % len(plan.requests), expected, tally)
            with tally.lock:
                tally.ended[outcome] += 1
                progress(min(1.0, (time.monotonic() - began) / plan.calm_s), "Clients in peace")

    threads = [threading.Thread(target=work, args=(n,), daemon=True) for n in range(plan.clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done = sum(tally.ended.values())
    yield Measure("jobs in peace", done, "jobs")
    yield Measure("of these not done", done - tally.ended["done"], "jobs")
    for name, old, new in zip(("server", "worker"), before, _memory_mb(), strict=True):
        if old:
            yield Measure(f"memory of the {name}, change", 100.0 * (new - old) / old, "%")


def _connect_and_wait(plan: ChaosPlan, expected: Sequence[str], tally: _Tally) -> None:
    """Until the worker is warm: what it takes at first is not what grows."""
    for number in range(3 * len(plan.requests)):
        _do_one(plan, number % len(plan.requests), expected, tally)


def _memory_mb() -> tuple[int, int]:
    health = _connect().health()
    try:
        pages = int(Path(f"/proc/{health.pid}/statm").read_text("ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0, health.worker.memory_mb
    return pages * os.sysconf("SC_PAGE_SIZE") >> 20, health.worker.memory_mb


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


@contextlib.contextmanager
def _own_home() -> Iterator[tuple[Path, bool]]:
    """A home of its own, and whether it is a small disk that can be filled (Linux, root)."""
    folder = Path(tempfile.mkdtemp(prefix="latentfu-chaos-"))
    is_small = _mount_small(folder)
    try:
        with mock.patch.dict(os.environ, {"LATENTFU_HOME": str(folder / "home")}):
            (folder / "home").mkdir()
            yield folder / "home", is_small
    finally:
        if is_small:
            subprocess.run(["umount", "--lazy", str(folder)], check=False, capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)


def _mount_small(folder: Path) -> bool:
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("mount") is None:
        return False
    command = ["mount", "-t", "tmpfs", "-o", f"size={_HOME_BYTES}", "latentfu", str(folder)]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0
