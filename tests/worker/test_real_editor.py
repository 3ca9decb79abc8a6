"""The server with the real editor and a small random generator in the plug-in folder."""

import shutil
import uuid
from pathlib import Path

import pytest
from latentfu.client.client import Client
from latentfu.protocol.pictures import body_layer, layer_body, mask_body

from tests.support.serving import Server

WORLD = Path(__file__).parents[1] / "support" / "small_world.py"
CHOICE = {"generator": "small", "inverter": "instant", "aligner": "center"}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    (home / "config" / "plugins").mkdir(parents=True)
    shutil.copy(WORLD, home / "config" / "plugins")
    return home


@pytest.fixture(scope="module")
def client(home):
    server = Server(home, real=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LATENTFU_HOME", str(home))
        yield Client.connect()
    assert server.stop() == 0


@pytest.fixture(scope="module")
def world():
    from tests.support import small_world

    return small_world


@pytest.fixture(scope="module")
def editor(home, world, tmp_path_factory):
    import latentfu_builtin.inversion.plugin
    from latentfu.pipeline.editor import Editor
    from latentfu.plugin_manager import Registry, use_registry
    from latentfu.plugin_manager.sources import Source

    sources = [
        Source("small", "tests", "", lambda: world.PLUGIN),
        Source("inversion", "tests", "", lambda: latentfu_builtin.inversion.plugin),
    ]
    with pytest.MonkeyPatch.context() as patch, use_registry(Registry(sources)):
        patch.setenv("LATENTFU_HOME", str(tmp_path_factory.mktemp("other")))
        yield Editor()


def test_the_plugin_folder_is_listed_with_its_controls(client):
    assert "small" in [generator.name for generator in client.generators().generators]
    assert {"instant", "w-plus"} <= {inverter.name for inverter in client.inverters().inverters}
    assert [control.name for control in client.controls("small").controls] == ["red", "tall"]
    assert all(plugin.state != "quarantined" for plugin in client.plugins().plugins)


def test_the_server_gives_the_same_pixels_as_the_editor(client, editor, world):
    import numpy as np
    from latentfu.protocol.pictures import PictureStore
    from latentfu.protocol.requests import EditRequest, MixRequest

    layer, source = world.picture(40, 50, 4), world.picture(30, 30, 3, seed=5)
    mask = np.zeros((40, 50), np.uint8)
    mask[:, 25:] = 255
    names = {
        "layer": client.send_layer(layer_body(layer)),
        "mask": client.send_layer(mask_body(mask)),
    }
    pictures = PictureStore()
    here = {"layer": pictures.add(layer), "mask": pictures.add_mask(mask), **CHOICE}
    edits = {"red": 2.0, "tall": -1.0}
    body, report = client.run({"kind": "edit", **names, **CHOICE, "edits": edits})
    expected = editor.edit(EditRequest(edits=edits, **here), pictures).layer
    assert np.array_equal(body_layer(body).pixels, expected.pixels)
    assert np.array_equal(expected.pixels[:, :25], layer.pixels[:, :25])
    assert report["changed_outside_mask"] == 0 and len(report["quad"]) == 4
    assert report["generator"] == "small" and report["inverter"] == "instant"

    names["source"] = client.send_layer(layer_body(source))
    body, _ = client.run({"kind": "mix", **names, **CHOICE, "layers": [1, 3]})
    request = MixRequest(source=pictures.add(source), layers=(1, 3), **here)
    mixed = editor.mix(request, pictures).layer
    assert np.array_equal(body_layer(body).pixels, mixed.pixels)


def test_an_inversion_is_kept_and_previews_come_between_its_steps(client, world):
    quick = client.send_layer(layer_body(world.picture(24, 24, 3, seed=7)))
    _, report = client.run({"kind": "invert", "layer": quick, **CHOICE})
    assert report["inversion_cached"] is False and report["inversion_key"]
    _, again = client.run({"kind": "edit", "layer": quick, **CHOICE})
    assert again["inversion_cached"] is True

    slow = client.send_layer(layer_body(world.picture(24, 24, 3, seed=8)))
    job = client.put_job({"kind": "invert", "layer": slow, **CHOICE, "inverter": "w-plus"})
    previews = []

    def preview_once(fraction, message=""):
        if 0 < fraction < 0.8 and not previews:
            request = {"layer": quick, **CHOICE, "edits": {"red": 1.0}, "side": 32}
            previews.append(body_layer(client.preview(str(uuid.uuid4()), request)))
            assert client.job(job.id).state == "running"

    assert client.wait(job.id, preview_once).state == "done"
    assert previews[0].width == 24


def test_unknown_names_are_refused_in_the_editors_words(client, world):
    from latentfu.core.errors import BadInputError, NotInstalledError

    layer = client.send_layer(layer_body(world.picture(24, 24)))
    with pytest.raises(NotInstalledError, match="no control 'smle'"):
        client.run({"kind": "edit", "layer": layer, **CHOICE, "edits": {"smle": 1.0}})
    empty = client.send_layer(mask_body(world.picture(24, 24).pixels[:, :, 0] * 0))
    with pytest.raises(BadInputError, match="selection is empty"):
        client.run({"kind": "edit", "layer": layer, "mask": empty, **CHOICE})
