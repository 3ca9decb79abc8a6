"""The server: how long it takes to start, and the road to it and back for a large layer."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from unittest import mock

from latentfu.bench import Measure, stop_process
from latentfu.bench.edit import open_default_network, sample_layer
from latentfu.client.client import Client
from latentfu.core.errors import ServerError
from latentfu.core.layer import Layer
from latentfu.protocol.pictures import body_layer, layer_body

_PATIENCE_S = 120.0
_STARTS = 3
_RUNS = 7
_SIDE = 2048


@contextmanager
def run_own_server(*words: str) -> Iterator[Client]:
    """Start ``latentfu serve`` on a free port with its own settings and stop it at the end.

    ``words``: more of its options.
    """
    with (
        tempfile.TemporaryDirectory(prefix="latentfu-bench-", ignore_cleanup_errors=True) as home,
        mock.patch.dict(os.environ, {"LATENTFU_HOME": home}),
    ):
        command = [sys.executable, "-P", "-m", "latentfu", "serve", "--port", "0", *words]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield _wait_for_health(process)
        finally:
            stop_process(process)


def _wait_for_health(process: subprocess.Popen[bytes]) -> Client:
    """The client of the server as soon as it answers; raises ServerError if it never does."""
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end:
        try:
            return Client.connect()
        except ServerError:
            if process.poll() is not None:
                break
            time.sleep(0.005)
    raise ServerError("The server did not start: run latentfu serve to see why.")


def wait_for_worker(client: Client) -> None:
    """Until the worker takes jobs."""
    end = time.monotonic() + _PATIENCE_S
    while client.health().worker.state != "ready":
        if time.monotonic() > end:
            raise ServerError("The worker did not start: run latentfu serve to see why.")
        time.sleep(0.01)


def measure_round_trip() -> Iterator[Measure]:
    """Send a new layer, run an edit whose inversion is cached, fetch the result."""
    generator, name = open_default_network()
    layer = sample_layer(generator, _SIDE, _SIDE)
    with run_own_server() as client:
        wait_for_worker(client)
        _trip(client, layer, {name: 1.0})  # inverts
        trips = []
        for run in range(_RUNS):
            layer.pixels[0, 0] = run  # a new layer to send; its crop stays as it is
            trips.append(_trip(client, layer, {name: 1.0 + run / 100}))
    whole, work = zip(*trips, strict=True)
    without = [total - inside for total, inside in trips]
    size = f"{_SIDE} x {_SIDE} RGB"
    yield Measure(f"{size}, whole round trip", statistics.median(whole), "ms", _RUNS)
    yield Measure(f"{size}, work in the worker", statistics.median(work), "ms", _RUNS)
    yield Measure(f"{size}, without the work", statistics.median(without), "ms", _RUNS)


def _trip(client: Client, layer: Layer, edits: Mapping[str, float]) -> tuple[float, float]:
    """Milliseconds of the whole way, and of the steps that the report counts."""
    began = time.perf_counter()
    name = client.send_layer(layer_body(layer))
    request: dict[str, object] = {"kind": "edit", "layer": name, "edits": dict(edits)}
    # Given, not looked for: one other pixel in the layer would move what is found by a hair, and
    # each run would invert anew.
    low, high = _SIDE // 10, _SIDE - _SIDE // 10
    request["corners"] = [[low, low], [high, low], [high, high], [low, high]]
    body, report = client.run(request)
    body_layer(body)
    whole = (time.perf_counter() - began) * 1000
    seconds = report["seconds"] if isinstance(report, Mapping) else report.seconds
    return whole, 1000 * sum(dict(seconds).values())


def measure_start() -> Iterator[Measure]:
    """From the start of the process to the first health answer, and to a worker that is ready."""
    first: list[float] = []
    ready: list[float] = []
    for _ in range(_STARTS):
        began = time.perf_counter()
        with run_own_server() as client:
            first.append((time.perf_counter() - began) * 1000)
            wait_for_worker(client)
            ready.append((time.perf_counter() - began) * 1000)
    yield Measure("serve to first health", statistics.median(first), "ms", _STARTS)
    yield Measure("serve to worker ready", statistics.median(ready), "ms", _STARTS)
