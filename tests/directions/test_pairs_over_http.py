"""A direction made of pairs that a client has inverted, through a running server."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import latentfu
import numpy as np
import pytest
from latentfu.client.client import Client
from latentfu.protocol.pictures import layer_body

from tests.support.serving import Server, wait_until

WORLD = Path(__file__).parents[1] / "support" / "small_world.py"
NAMES = {"generator": "small", "inverter": "instant", "aligner": "center"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("home")
    folder = home / "config" / "plugins"
    folder.mkdir(parents=True)
    shutil.copy(WORLD, folder)
    server = Server(home, real=True)
    yield server
    assert server.stop() == 0


@pytest.fixture
def client(server: Server, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setenv("LATENTFU_HOME", str(server.home))
    return Client.connect()


def invert(client: Client, brightness: int) -> str:
    """The key of the inversion of an even picture."""
    pixels = np.full((40, 40, 3), (brightness, 150, 120), np.uint8)
    layer = client.send_layer(layer_body(latentfu.Layer(pixels)))
    _, report = client.run({"kind": "invert", "layer": layer, **NAMES})
    return str(report["inversion_key"])


def ask(server: Server, **fields: Any) -> tuple[int, Any]:
    body = {"generator": "small", "name": "brighter", **fields}
    return server.request("POST", "/v1/plugins/directions/pairs", body)


def test_it_is_measured_first_and_kept_when_it_is_asked_for(server: Server, client: Client) -> None:
    before, after = (
        [invert(client, level) for level in levels] for levels in ((120, 140), (170, 200))
    )
    status, told = ask(server, before=before, after=after, plus="more light")
    assert status == 200 and told["file"] is None and told["pairs"] == 2
    assert told["agreement"] == pytest.approx(1.0, abs=1e-3), "steps of one kind do not agree"
    assert told["spread"] == pytest.approx(1 / 11, abs=0.05)  # 50 and 60 levels
    names = {one.name for one in client.controls("small").controls}
    assert "brighter" not in names
    status, kept = ask(server, before=before, after=after, plus="more light", keep=True)
    assert status == 200 and Path(kept["file"]).is_file()
    wait_until(lambda: "brighter" in {one.name for one in client.controls("small").controls})
    listed = {one.name: one for one in client.controls("small").controls}
    assert listed["brighter"].plus == "more light" and listed["brighter"].group == "own"
    assert {**told, "file": kept["file"]} == kept


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"before": ["KEY"], "after": []}, "after is not a list"),
        ({"before": ["KEY", "KEY"], "after": ["KEY"]}, "give pairs"),
        ({"before": ["KEY"], "after": ["KEY"]}, "do not differ"),
        ({"before": ["../../token"], "after": ["KEY"]}, "64 hex digits"),
        ({"before": ["0" * 64], "after": ["KEY"]}, "no longer here"),
        ({"before": ["KEY"], "after": ["KEY"], "name": "../up"}, "no name"),
        ({"before": ["KEY"], "after": ["KEY"], "name": "red"}, "already"),
        ({"before": ["KEY"], "after": ["KEY"], "keep": "yes"}, "true or false"),
        ({"before": ["KEY"], "after": ["KEY"], "more": 1}, "no field"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(
    server: Server, client: Client, fields: dict[str, Any], words: str
) -> None:
    text = json.dumps(fields).replace("KEY", invert(client, 77))
    status, told = ask(server, **json.loads(text))
    assert status == 400 and words in told["error"]["message"], told
