"""The road to the server and back: everything but the network's own time."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Mapping

from latentfu.bench import Measure
from latentfu.bench.sample import sample_layer
from latentfu.bench.server import own_server, wait_for_worker
from latentfu.client.client import Client
from latentfu.core.layer import Layer
from latentfu.protocol.pictures import body_layer, layer_body

_RUNS = 7
_SIDE = 2048


def measure() -> Iterator[Measure]:
    """Send a new layer, run an edit whose inversion is cached, fetch the result."""
    import latentfu
    from latentfu.plugin_manager import pick

    spec = pick(latentfu.generators(), None, "generator")
    generator = latentfu.open_generator(spec.name)
    name = pick(latentfu.controls(generator), None, "control").name
    layer = sample_layer(generator, _SIDE, _SIDE)
    with own_server() as client:
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
