"""The number of threads follows what other programs take of the machine."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace
from typing import NamedTuple

import psutil
import torch
from hypothesis import given
from hypothesis import strategies as st
from latentfu import check_cancelled, hold_threads
from latentfu.core import threads
from latentfu.core.threads import LoadMeter, ThreadChooser, choose_thread_count

from tests.support.serving import wait_until

COUNTS = st.integers(1, 64)


class Whole(NamedTuple):
    """Seconds of work of the whole machine, as psutil names them."""

    user: float
    nice: float
    idle: float
    guest: float


class Own:
    """This process, as psutil sees it."""

    def __init__(self, now: dict[str, float]) -> None:
        self._now = now

    def cpu_times(self) -> SimpleNamespace:
        return SimpleNamespace(user=self._now["own"], system=0.0)


class SetMeter(LoadMeter):
    """Others take as many cores as the test says."""

    taken = 0.0

    def measure_taken_cores(self) -> float:
        return self.taken


@given(most=COUNTS, cores=COUNTS, taken=st.floats(0, 64), more=st.floats(0, 64))
def test_more_load_never_means_more_threads(
    most: int, cores: int, taken: float, more: float
) -> None:
    count = choose_thread_count(most, cores, taken)
    assert 1 <= count <= most
    assert choose_thread_count(most, cores, taken + more) <= count
    assert choose_thread_count(min(most, cores), cores, 0.0) == min(most, cores)


def test_programs_that_work_are_seen() -> None:
    meter = LoadMeter()
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    try:
        wait_until(lambda: meter.measure_taken_cores() > 0.5)
    finally:
        for one in busy:
            one.kill()
            one.wait()


def test_own_work_and_what_gives_way_is_no_load_of_others(monkeypatch) -> None:
    now = {"when": 0.0, "user": 0.0, "nice": 0.0, "idle": 0.0, "own": 0.0}
    monkeypatch.setattr(
        psutil, "cpu_times", lambda: Whole(now["user"], now["nice"], now["idle"], now["user"])
    )
    monkeypatch.setattr(psutil, "Process", lambda: Own(now))
    monkeypatch.setattr(threads.time, "monotonic", lambda: now["when"])
    monkeypatch.setattr(threads.os, "nice", lambda by: 0)
    meter = LoadMeter()
    now.update(when=2.0, user=3.0, nice=0.5, idle=0.5, own=2.0)  # two cores for two seconds
    assert meter.measure_taken_cores() == 0.5
    now.update(when=4.0, user=4.0, own=3.0)  # another second, all of it its own
    assert meter.measure_taken_cores() == 0.0
    monkeypatch.setattr(threads.os, "nice", lambda by: 19)  # nothing gives way to it now
    now.update(when=5.0, nice=1.5)
    meter.measure_taken_cores()  # what was left out before is counted once
    now.update(when=6.0, nice=2.5)
    assert meter.measure_taken_cores() == 1.0


def test_threads_follow_the_load_between_layers_and_held_ones_do_not(monkeypatch) -> None:
    monkeypatch.setattr(threads, "PERIOD_S", 0.0)
    monkeypatch.setattr(threads.os, "cpu_count", lambda: 4)
    meter = SetMeter()
    with hold_threads(4):  # however many cores there are
        monkeypatch.setattr(threads, "_fitting", [ThreadChooser(meter)])
        meter.taken = 2.5
        check_cancelled()
        assert torch.get_num_threads() == 1
        meter.taken = 0.0
        with hold_threads(2):
            check_cancelled()
            assert torch.get_num_threads() == 2
        check_cancelled()
        assert torch.get_num_threads() == 4
        torch.set_num_threads(3)  # by a plug-in, say
        meter.taken = 4.0
        check_cancelled()
        assert torch.get_num_threads() == 3
