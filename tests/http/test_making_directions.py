"""Directions made by a plug-in's maker through a running server: seen first, then kept."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import latentfu
import numpy as np
import pytest
from click.testing import CliRunner
from latentfu.client.client import Client
from latentfu.core.errors import BadInputError, LatentFuError, NotInstalledError
from latentfu.protocol.requests import MakeRequest
from latentfu_builtin.directions.commands.train import train_direction_command

from tests.support.maker_world import ATTRIBUTES, OPTIONS
from tests.support.serving import Server, wait_until
from tests.support.studio import Studio

SUPPORT = Path(__file__).parents[1] / "support"


def build_home(home: Path) -> Path:
    folder = home / "config" / "plugins"
    folder.mkdir(parents=True)
    for name in ("small_world.py", "maker_world.py"):
        shutil.copy(SUPPORT / name, folder)
    return home


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(build_home(tmp_path_factory.mktemp("home")), real=True)
    yield server
    assert server.stop() == 0


@pytest.fixture
def client(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    monkeypatch.setenv("LATENTFU_HOME", str(server.home))
    yield Client.connect()
    for folder in ("data/directions", "cache/made-directions"):
        shutil.rmtree(server.home / folder, ignore_errors=True)


def request(**fields: Any) -> MakeRequest:
    asked = {"attribute": "light", "generator": "small", "maker": "axis", "samples": 20}
    return MakeRequest(**{**asked, **fields})


def kept_vector(server: Server, name: str) -> Any:
    return latentfu.read_direction(server.home / "data/directions" / f"{name}.safetensors").vector


def listed(client: Client) -> set[str]:
    return {one.name for one in client.controls("small").controls}


def test_makers_are_listed_with_their_options_and_what_scorers_read(client: Client) -> None:
    told = client.makers("small")
    assert told.generator == "small"
    makers = {one.name: one for one in told.makers}
    assert next(iter(makers)) == "svm" and makers["axis"].options == OPTIONS
    assert makers["axis"].title == "One axis"
    assert [(one.name, one.scorer) for one in told.attributes] == [
        (name, "eye") for name in ATTRIBUTES
    ]
    with pytest.raises(NotInstalledError, match="no generator"):
        client.makers("nothing")


def test_it_is_reported_first_and_listed_at_once_when_it_is_kept(
    server: Server, client: Client
) -> None:
    heard: list[str] = []
    seen = client.make_direction(request(), lambda _, message: heard.append(message))
    (direction,) = seen.directions
    assert (direction.name, direction.attribute, direction.accuracy) == ("my-light", "light", 0.875)
    assert (seen.kept, direction.file, direction.replaces) == (False, None, False)
    assert any(message.startswith("Sample") for message in heard), heard
    assert "my-light" not in listed(client)
    kept = client.make_direction(request(keep=True))
    assert "my-light" in listed(client), "who asks at once does not see it"
    (same,) = kept.directions
    assert same.method == direction.method, "it was made once more: that is not what was seen"
    assert kept.kept and same.file == str(server.home / "data/directions/my-light.safetensors")
    assert not list((server.home / "cache" / "made-directions").iterdir())


def test_an_option_changes_what_is_made(server: Server, client: Client) -> None:
    for name, options in (("one", {}), ("two", {"axis": 5, "length": 2.5, "manner": "other"})):
        client.make_direction(request(name=name, options=options, keep=True))
    assert np.flatnonzero(kept_vector(server, "one")).tolist() == [3]
    assert np.flatnonzero(kept_vector(server, "two")).tolist() == [5]
    assert kept_vector(server, "two")[5] == 2.5


def test_every_door_makes_the_same(server: Server, client: Client, tmp_path: Path) -> None:
    """A built-in maker, which the samples and the scorer decide."""
    fields: dict[str, Any] = {"maker": "svm", "samples": 300, "seed": 4, "options": {"trials": 8}}
    made = client.make_direction(request(name="over-http", keep=True, **fields)).directions[0]
    assert made.accuracy and made.accuracy > 0.7 and made.effect
    words = ["light", "--generator", "small", "--maker", "svm", "--samples", "300", "--seed", "4"]
    words += ["--option", "trials=8", "--out", str(tmp_path), "--name", "typed"]
    told = CliRunner().invoke(train_direction_command, words)
    assert told.exit_code == 0, told.exception
    typed = latentfu.read_direction(tmp_path / "typed.safetensors")
    (called,) = latentfu.make_directions("light", generator="small", **fields)
    for one in (typed, called):
        assert np.array_equal(one.vector, kept_vector(server, "over-http"))
        assert (one.accuracy, one.effect) == (made.accuracy, made.effect)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"options": {"axes": 3}}, "The maker axis has no option 'axes'; it has: axis, length"),
        ({"options": {"axis": "many"}}, "axis of the maker axis is 'many': give a number"),
        ({"options": {"manner": "/etc/passwd"}}, "cannot name a file"),
        ({"maker": "magic"}, "There is no maker 'magic'; installed: svm, ridge"),
        ({"generator": "nothing"}, "There is no generator 'nothing'"),
        ({"name": "red"}, "There is a control 'red' already: give another name."),
        ({"maker": "svm", "attribute": "wheels", "samples": 200}, "does not know 'wheels'"),
        ({"options": {"axis": 99}}, "The control maker axis of the plug-in maker_world"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    server: Server, client: Client, fields: dict[str, Any], words: str
) -> None:
    with pytest.raises(LatentFuError) as told:
        client.make_direction(request(**fields, keep=True))
    assert words in str(told.value) and "\n" not in str(told.value)
    assert not list((server.home / "data" / "directions").glob("*"))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": "../up"}, "'../up' is no name for a direction"),
        ({"samples": 3}, "samples is 3: give a number between 20 and 1000000."),
        ({"maker": 7}, "maker"),
        ({"layers": [1, 2]}, "layers"),
    ],
)
def test_a_request_that_is_none_is_refused(
    server: Server, fields: dict[str, Any], words: str
) -> None:
    body = {"kind": "make", "attribute": "light", "generator": "small", **fields}
    status, told = server.request("PUT", f"/v1/jobs/{uuid.uuid4()}", body)
    assert status == 400 and words in told["error"]["message"], told


def test_cancelled_it_leaves_nothing_behind(server: Server, client: Client) -> None:
    slow = request(samples=1000, options={"pause_ms": 20}, keep=True)
    job = client.put_job(slow).id
    wait_until(lambda: client.job(job).message.startswith("Sample"))
    client.cancel(job)
    wait_until(lambda: client.job(job).state == "cancelled")
    # The worker does one job after the other: when this is done, the cancelled one has ended.
    client.make_direction(request(name="next"))
    assert not list((server.home / "data" / "directions").glob("*"))
    drafts = list((server.home / "cache/made-directions").iterdir())
    assert len(drafts) == 1, "what was cancelled is kept"
    # What the test before has left behind and taken away is gone from the list a moment later.
    wait_until(lambda: listed(client) == {"red", "tall"})


def test_what_is_replaced_is_said_and_put_aside(server: Server, client: Client) -> None:
    client.make_direction(request(name="mine", keep=True))
    seen = client.make_direction(request(name="mine", options={"axis": 7}))
    assert seen.directions[0].replaces and kept_vector(server, "mine")[7] == 0
    client.make_direction(request(name="mine", options={"axis": 7}, keep=True))
    assert kept_vector(server, "mine")[7] == 1
    (old,) = (server.home / "data" / "directions" / "replaced").iterdir()
    assert latentfu.read_direction(old).vector[3] == 1


def test_the_users_of_a_studio_see_makers_and_only_administrators_make(tmp_path: Path) -> None:
    studio = Studio(build_home(tmp_path), real=True)
    try:
        ana, root = studio.add("ana"), studio.add("root", "administer")
        assert "axis" in [one.name for one in ana.client.makers("small").makers]
        with pytest.raises(LatentFuError, match="Only an administrator of this server makes"):
            ana.client.make_direction(request())
        assert root.client.make_direction(request()).directions[0].name == "my-light"
    finally:
        assert studio.stop() == 0


def test_several_that_a_maker_gives_keep_their_names_and_a_stranger_is_refused(
    isolated_home: Path, registered: Any
) -> None:
    class World:
        @staticmethod
        @latentfu.hookimpl
        def latentfu_control_makers() -> list[latentfu.ControlMaker]:
            return [
                latentfu.ControlMaker("pair", "Two", lambda asked, out: write(asked, out, "ab")),
                latentfu.ControlMaker("none", "None", lambda asked, out: []),
                latentfu.ControlMaker("odd", "Odd", lambda asked, out: write(asked, out, "a", "f")),
            ]

    def write(asked: latentfu.ControlRequest, out: Path, names: str, id: str = "") -> list[Path]:
        vector = np.ones(16, np.float32)
        made = [
            latentfu.Direction(vector, "w", name, id * 64 or asked.generator.id) for name in names
        ]
        return [latentfu.write_direction(out / f"{one.name}.safetensors", one) for one in made]

    from tests.support.small_world import PLUGIN

    registered(World(), PLUGIN)
    make = latentfu.make_directions
    assert [one.name for one in make("x", generator="small", maker="pair")] == ["a", "b"]
    with pytest.raises(latentfu.PluginFailedError, match="gave no files instead of a list"):
        make("x", generator="small", maker="none")
    with pytest.raises(latentfu.PluginFailedError, match="another network's direction"):
        make("x", generator="small", maker="odd")
    with pytest.raises(BadInputError, match="no name for a direction"):
        make("x y", generator="small", maker="pair")
