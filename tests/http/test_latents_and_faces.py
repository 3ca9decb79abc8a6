"""A client keeps a latent and brings it again; faces are listed; a change comes in 16 bits."""

from __future__ import annotations

import hashlib
import json
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import latentfu
import numpy as np
import pytest
from latentfu.client.client import Client
from latentfu.protocol.changes import unpack_change
from latentfu.protocol.pictures import body_layer, layer_body, mask_body

from tests.support.serving import Server

WORLD = Path(__file__).parents[1] / "support" / "small_world.py"
NAMES = {"generator": "small", "inverter": "instant"}
SQUARES = """
import numpy as np
from latentfu import Aligner, Quad, hookimpl


def find(rgb):
    return [
        Quad.square(x, 0, 40, 1.0)
        for x in range(0, rgb.shape[1] - 39, 40)
        if rgb[:, x : x + 40].mean() > 128
    ]


def find_first(rgb):
    return find(rgb)[:1]


@hookimpl
def latentfu_aligners():
    return [
        Aligner("squares", "Light squares", ("test",), find),
        Aligner("first", "The first", ("test",), find_first),
    ]
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("home")
    plugins = home / "config" / "plugins"
    plugins.mkdir(parents=True)
    shutil.copy(WORLD, plugins)
    (plugins / "squares.py").write_text(SQUARES)
    server = Server(home, real=True)
    yield server
    assert server.stop() == 0


@pytest.fixture
def client(server: Server, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setenv("LATENTFU_HOME", str(server.home))
    return Client.connect()


def make_picture() -> np.ndarray:
    """Dark, light, dark, light, light: squares of 40 pixels with noise."""
    noise = np.random.default_rng(1).integers(0, 40, (40, 200, 3))
    noise[:, 40:80] += 180
    noise[:, 120:] += 180
    return noise.astype(np.uint8)


def run(client: Client, **fields: object) -> tuple[bytes, dict]:
    body, job = client.run({"kind": "edit", "edits": {"red": 2.0}, **NAMES, **fields})
    return body, job


def find(client: Client, **fields: object) -> dict:
    return client.wait(client.put_job({"kind": "find", **NAMES, **fields}).id).report or {}


def test_a_latent_is_fetched_and_brought_again(client: Client, server: Server) -> None:
    layer = client.send_layer(layer_body(latentfu.Layer(make_picture())))
    before, report = run(client, layer=layer)
    status, latent = server.request("GET", f"/v1/latents/{report['inversion_key']}")
    assert status == 200 and len(latent) > 500
    name = hashlib.sha256(latent).hexdigest()
    for path in (server.home / "cache" / "inversions").iterdir():
        path.unlink()  # as on another day
    square = {"latent": name, "corners": report["quad"]}
    with pytest.raises(latentfu.LatentFuError, match="bring it first"):
        run(client, layer=layer, **square)
    assert server.request("PUT", f"/v1/latents/{name}", latent)[0] == 201
    assert server.request("PUT", f"/v1/latents/{name}", latent)[0] == 200
    again, report = run(client, layer=layer, **square)
    assert again == before and report["inversion_cached"]
    small = client.preview(str(uuid.uuid4()), {"layer": layer, "side": 64, **NAMES, **square})
    assert body_layer(small).width == 64


def test_a_false_latent_is_refused(client: Client, server: Server) -> None:
    layer = client.send_layer(layer_body(latentfu.Layer(make_picture())))
    junk = b"this is no latent" * 10
    assert server.request("PUT", f"/v1/latents/{'0' * 64}", junk)[0] == 400
    name = hashlib.sha256(junk).hexdigest()
    assert server.request("PUT", f"/v1/latents/{name}", junk)[0] == 201
    corners = [[0, 0], [40, 0], [40, 40], [0, 40]]
    with pytest.raises(latentfu.BadInputError):
        run(client, layer=layer, latent=name, corners=corners)
    with pytest.raises(latentfu.BadInputError, match="corners"):
        run(client, layer=layer, latent=name)
    assert server.request("GET", f"/v1/latents/{'1' * 64}")[0] == 404


def test_faces_are_listed_and_the_selected_one_is_meant(client: Client) -> None:
    layer = client.send_layer(layer_body(latentfu.Layer(make_picture())))
    mask = np.zeros((40, 200), dtype=np.uint8)
    mask[5:35, 125:155] = 255
    mask_name = client.send_layer(mask_body(mask))
    found = find(client, layer=layer, aligner="squares")
    assert [face[0][0] for face in found["faces"]] == [40, 120, 160] and found["chosen"] == 1
    assert find(client, layer=layer, aligner="squares", mask=mask_name)["chosen"] == 2
    assert find(client, layer=layer, aligner="squares", face=3)["chosen"] == 3


def test_a_selection_beside_all_faces_shows_where_to_look(client: Client) -> None:
    """An aligner that stops at the first is sent to the place that was selected."""
    layer = client.send_layer(layer_body(latentfu.Layer(make_picture())))
    mask = np.zeros((40, 200), dtype=np.uint8)
    mask[10:30, 160:190] = 255
    name = client.send_layer(mask_body(mask))
    assert len(find(client, layer=layer, aligner="first")["faces"]) == 1
    found = find(client, layer=layer, aligner="first", mask=name)
    assert found["chosen"] == 2 and found["faces"][1][0][0] > 120
    _, report = run(client, layer=layer, mask=name, aligner="first")
    assert report["changed"] > 100 and report["quad"] == found["faces"][1]


def test_nothing_found_has_a_code_of_its_own(client: Client) -> None:
    dark = client.send_layer(layer_body(latentfu.Layer(make_picture()[:, :40])))
    with pytest.raises(latentfu.BadInputError) as error:
        run(client, layer=dark, aligner="squares")
    assert error.value.code == "nothing_found"


def test_a_change_comes_in_sixteen_bits(client: Client) -> None:
    pixels = make_picture()
    layer = client.send_layer(layer_body(latentfu.Layer(pixels)))
    whole, _ = run(client, layer=layer)
    body, report = run(client, layer=layer, as_change=True)
    header, values = unpack_change(body)
    assert (header.width, header.height, header.channels) == (*values.shape[1::-1], 3)
    wanted = body_layer(whole).pixels.astype(np.float32)
    part = np.s_[header.y : header.y + header.height, header.x : header.x + header.width]
    found = pixels.astype(np.float32)
    found[part] = np.clip(found[part] + np.rint(values), 0, 255)
    assert np.abs(found - wanted).max() <= 1  # a half may be rounded either way
    fractions = np.unique(values[values != 0] % 1)
    assert len(fractions) > 32, "the change is finer than a level of 8 bits"
    assert json.dumps(report)
