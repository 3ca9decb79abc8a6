"""The same request through Python, the command line and HTTP: the same pixels, the same limits."""

import json
import shutil
import uuid
from contextlib import contextmanager
from pathlib import Path

import latentfu
import numpy as np
import pytest
from latentfu import api
from latentfu.cli.main import run
from latentfu.client.client import Client
from latentfu.plugin_manager import Registry, use_registry
from latentfu.plugin_manager.sources import all_sources
from latentfu.protocol.pictures import body_layer, layer_body
from latentfu.protocol.requests import LIMITS
from PIL import Image

from tests.support.serving import Server

WORLD = Path(__file__).parents[1] / "support" / "small_world.py"
NAMES = {"generator": "small", "inverter": "instant", "aligner": "center"}
PERSONS = """
import latentfu


def load(device):
    return lambda images: images.mean(dim=3).flatten(1)


@latentfu.hookimpl
def latentfu_identities():
    return [latentfu.Identity("rows", "Rows", ("test",), load)]
"""
WHOLE = {
    "edits": {"tall": -2.0},
    "targets": {"red": 1.5},
    "only": {"tall": [0, 0]},
    "psi": 0.6,
    "truncation": "first",
    "identity": 2.0,
}
WHOLE_WORDS = (
    *("--set", "tall=-2", "--to", "red=1.5", "--only", "tall=0-0"),
    *("--psi", "0.6", "--truncate", "first", "--identity", "2"),
)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    plugins = home / "config" / "plugins"
    plugins.mkdir(parents=True)
    shutil.copy(WORLD, plugins)
    (plugins / "persons.py").write_text(PERSONS)
    return home


@contextmanager
def at_home(folder):
    """This process with the plug-ins of ``folder`` and no editor from before."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LATENTFU_HOME", str(folder))
        patch.setattr(api, "_editors", {})
        with use_registry(Registry(all_sources())):
            yield


@pytest.fixture(scope="module")
def server(home):
    server = Server(home, real=True)
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    draw = np.random.default_rng(3)
    pixels = np.kron(draw.integers(30, 220, (10, 12, 3)), np.ones((5, 5, 1))).astype(np.uint8)
    path = tmp_path_factory.mktemp("photo") / "photo.png"
    Image.fromarray(pixels).save(path)
    return path


def read(path):
    with Image.open(path) as image:
        return np.asarray(image).copy()


def by_python(pixels, **fields):
    only = {name: tuple(layers) for name, layers in fields.pop("only", {}).items()}
    return latentfu.edit(pixels, fields.pop("edits", {}), only=only, **fields, **NAMES)


def by_program(photo, out, *words):
    names = [word for name, value in NAMES.items() for word in (f"--{name}", value)]
    return run(["edit", str(photo), "-o", str(out), *names, *words, "--json"])


def test_all_doors_give_the_same_pixels(server, home, photo, tmp_path, capsys):
    pixels = read(photo)
    with at_home(home):
        wanted = by_python(pixels, **WHOLE)
        assert by_program(photo, tmp_path / "here.png", *WHOLE_WORDS, "--local") == 0
        assert json.loads(capsys.readouterr().out)["place"] == "here"
        assert by_program(photo, tmp_path / "there.png", *WHOLE_WORDS) == 0
        assert json.loads(capsys.readouterr().out)["place"] == "server"
        client = Client.connect()
        layer = client.send_layer(layer_body(latentfu.Layer(pixels)))
        body, _ = client.run({"kind": "edit", "layer": layer, **WHOLE, **NAMES})
        shown = client.preview(str(uuid.uuid4()), {"layer": layer, "side": 64, **WHOLE, **NAMES})
    assert (wanted != pixels).any()
    for found in (read(tmp_path / "here.png"), read(tmp_path / "there.png")):
        assert np.array_equal(found, wanted)
    for found in (body, shown):
        assert np.array_equal(body_layer(found).pixels, wanted)


def test_a_transfer_gives_the_same_pixels_here_and_through_the_server(
    server, home, photo, tmp_path, capsys
):
    other = tmp_path / "other.png"
    Image.new("RGB", (40, 40), (200, 30, 60)).save(other)
    names = [word for name, value in NAMES.items() for word in (f"--{name}", value)]
    words = ["--along", "red", "--along", "tall", "--scale", "0.5", *names, "--json"]
    told = {}
    with at_home(home):
        for place, more in (("here", ["--local"]), ("server", [])):
            out = str(tmp_path / f"{place}.png")
            assert run(["transfer", str(photo), str(other), "-o", out, *words, *more]) == 0
            told[place] = json.loads(capsys.readouterr().out)
            assert told[place]["place"] == place
        moves = told["server"]["report"]["moves"]
        by_strength = by_python(read(photo), edits={n: m["strength"] for n, m in moves.items()})
    for name, move in moves.items():
        middle = (move["have"] + move["exemplar"]) / 2
        assert move["goal"] == pytest.approx(middle) != move["have"], name
    assert told["here"]["report"]["moves"] == moves
    found = read(tmp_path / "server.png")
    assert np.array_equal(found, read(tmp_path / "here.png"))
    assert (found != read(photo)).any()
    assert np.array_equal(found, by_strength), "an edit of the strengths that are told is another"


def test_an_attribute_moves_all_of_its_directions(server, home, photo, tmp_path, capsys):
    other = tmp_path / "other.png"
    Image.new("RGB", (40, 40), (200, 30, 60)).save(other)
    with at_home(home):
        client = Client.connect()
        listed = [one for one in client.controls("small").controls if one.kind == "direction"]
        (group,) = {one.group for one in listed if one.name == "red"}
        belonging = [one.name for one in listed if one.group == group]
        names = [word for name, value in NAMES.items() for word in (f"--{name}", value)]
        told = []
        for words in (
            ["--attributes", group],
            [word for name in belonging for word in ("--along", name)],
        ):
            out = str(tmp_path / f"{len(told)}.png")
            assert (
                run(["transfer", str(photo), str(other), "-o", out, *words, *names, "--json"]) == 0
            )
            told.append((read(out).tobytes(), json.loads(capsys.readouterr().out)["to"]))
    assert len(belonging) > 1 and set(told[0][1]) == set(belonging)
    assert told[0] == told[1]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"along": []}, "name directions \\(along\\) or attributes"),
        ({"attributes": ["hair"]}, "no attribute 'hair' here; there are: "),
        ({"attributes": ["x", "x"]}, "The attribute x is given twice"),
        ({"along": ["red", "red"]}, "red is given twice"),
        ({"along": ["red"], "scale": 11.0}, "scale is 11.0: give a number between -10 and 10"),
        ({"along": ["nowhere"]}, "no control 'nowhere'"),
    ],
)
def test_a_transfer_that_cannot_be_is_refused_in_one_sentence(server, home, photo, fields, words):
    with at_home(home):
        client = Client.connect()
        layer = client.send_layer(layer_body(latentfu.Layer(read(photo))))
        with pytest.raises(latentfu.LatentFuError, match=words):
            client.run({"kind": "transfer", "layer": layer, "source": layer, **fields, **NAMES})


@pytest.mark.parametrize("field", ["targets", "only", "truncation", "identity"])
def test_each_of_the_fields_counts(home, photo, field):
    pixels = read(photo)
    less = {name: value for name, value in WHOLE.items() if name != field}
    with at_home(home):
        assert (by_python(pixels, **WHOLE) != by_python(pixels, **less)).any()


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("feather", 1000.5, ("--feather", "1000.5")),
        ("psi", 2.5, ("--psi", "2.5")),
        ("identity", 1001.0, ("--identity", "1001")),
        ("edits", {"red": 100.5}, ("--set", "red=100.5")),
        ("targets", {"red": -101.0}, ("--to", "red=-101")),
        ("only", {"red": [3, 1]}, ("--only", "red=3-1")),
        ("only", {"tall": [0, 1]}, ("--only", "tall=0-1")),
    ],
)
def test_every_door_refuses_the_same(server, home, photo, tmp_path, field, value, words):
    fields = {"edits": {"red": 1.0}, field: value}
    if field == "targets":
        fields["edits"] = {"tall": 1.0}
    given = ("--set", "tall=1") if field == "targets" else ("--set", "red=1")
    words = words if field == "edits" else (*given, *words)
    with at_home(home):
        with pytest.raises(latentfu.BadInputError) as here:
            by_python(read(photo), **fields)
        client = Client.connect()
        layer = client.send_layer(layer_body(latentfu.Layer(read(photo))))
        with pytest.raises(latentfu.BadInputError) as there:
            client.put_job({"kind": "edit", "layer": layer, **fields, **NAMES})
        assert str(here.value) == str(there.value)
        for more in ((), ("--local",)):
            assert by_program(photo, tmp_path / "no.png", *words, *more) in (1, 2)
    assert not (tmp_path / "no.png").exists()


def test_the_largest_numbers_pass_everywhere(server, home, photo, tmp_path):
    fields = {"edits": {"red": 100.0}, "feather": 1000.0, "psi": 2.0}
    assert [LIMITS[name][1] for name in ("edits", "feather", "psi")] == [100, 1000, 2]
    words = ("--set", "red=100", "--feather", "1000", "--psi", "2")
    with at_home(home):
        wanted = by_python(read(photo), **fields)
        for name in ("a.png", "b.png"):
            local = ("--local",) if name == "a.png" else ()
            assert by_program(photo, tmp_path / name, *words, *local) == 0
            assert np.array_equal(read(tmp_path / name), wanted)


def test_options_reach_the_inverter_and_name_no_file_over_http(server, home, photo):
    with at_home(home):
        client = Client.connect()
        layer = client.send_layer(layer_body(latentfu.Layer(read(photo))))
        request = {"kind": "edit", "layer": layer, **NAMES}
        with pytest.raises(latentfu.BadInputError, match="no option 'steps'"):
            client.run({**request, "options": {"steps": 3}})
        for name in ("/etc/passwd", "..\\x", "weights.pt"):
            with pytest.raises(latentfu.BadInputError, match="cannot name a file"):
                client.run({**request, "options": {"encoder": name}})
        with pytest.raises(latentfu.BadInputError, match="no option 'losses'"):
            client.run({**request, "options": {"losses": "l1:1,lpips:0.8"}})
        with pytest.raises(latentfu.BadInputError, match="no option 'steps'"):
            latentfu.edit(read(photo), {}, options={"steps": 3}, **NAMES)


def test_the_aligners_are_listed(server, home):
    with at_home(home):
        assert "center" in [one.name for one in Client.connect().aligners().aligners]
