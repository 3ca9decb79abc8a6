"""What plug-ins do wrong while they work: named, over a real server, and the rest goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import museum
from tests.support.serving import Server, pixel_body, wait_until


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("home")
    museum.build(home)
    server = Server(home, real=True)
    wait_until(lambda: server.get("/v1/health")[1]["worker"]["state"] == "ready", 180.0)
    edit(server)  # the first imports torch
    yield server
    assert server.stop() == 0


def picture() -> bytes:
    """A layer with something on it."""
    body = bytearray(pixel_body(40, 40, 3))
    head = len(body) - 40 * 40 * 3
    for place in range(40 * 40 * 3):
        body[head + place] = (place * 7) % 256
    return bytes(body)


def edit(server: Server, **fields: Any) -> Any:
    """The finished job of an edit."""
    layer = server.put_layer(picture())
    asked = {"generator": "tiny", "edits": {"tilt": 1.0}, **fields}
    job = server.put_job(layer, **asked)
    wait_until(lambda: server.job(job)["state"] in ("done", "failed"), 180.0)
    return server.job(job)


def test_the_next_inverter_takes_over_and_the_person_is_told(house: Server) -> None:
    job = edit(house)
    assert job["state"] == "done", job
    assert job["report"]["inverter"] not in ("i-none", "i-nan")
    warning = job["report"]["warning"]
    assert warning.startswith("The inverter i-none of the plug-in no_inversion (file ")
    assert "gave None instead of a latentfu.Inversion. Used instead: " in warning
    again = edit(house)
    assert again["report"]["inversion_cached"] is True
    assert again["report"]["inverter"] == job["report"]["inverter"]


def test_a_named_inverter_fails_with_its_name(house: Server) -> None:
    job = edit(house, inverter="i-nan")
    assert job["error"]["code"] == "plugin"
    assert "The inverter i-nan of the plug-in no_numbers" in job["error"]["message"]
    assert "a quality that holds no numbers" in job["error"]["message"]


UNFIT = {
    "u-false": "The inverter u-false says that it is not for the generator tiny: choose another",
    "u-fails": "There is no u-net for tiny: bring one in.",
    "u-raises": "The inverter u-raises of the plug-in unfitting (file ",
    "u-space": "The inverter u-space works in w++, which the generator tiny does not take",
    "w-plus": "The inverter w-plus works in w+, which the generator tiny does not take",
    "pivotal": "The network tiny shows no layers to work on: choose another inverter.",
    "encoder": "There is no encoder for tiny: train one with latentfu train encoder tiny",
}


def test_the_list_says_why_an_inverter_does_not_work(house: Server) -> None:
    plain = house.get("/v1/inverters")[1]["inverters"]
    assert {one["misfit"] for one in plain} == {None}
    rows = house.get("/v1/inverters?generator=tiny")[1]["inverters"]
    assert {one["name"] for one in rows} == {one["name"] for one in plain}
    why = {one["name"]: one["misfit"] for one in rows}
    for name, says in UNFIT.items():
        assert why[name].startswith(says) and "\n" not in why[name]
    assert rows[0] == {**rows[0], "name": "i-none", "misfit": ""}  # the highest rank that fits
    reasons = [bool(one["misfit"]) for one in rows]
    assert reasons == sorted(reasons), "those that work come first"
    status, answer = house.get("/v1/inverters?generator=nobody")
    assert (status, answer["error"]["code"]) == (404, "not_installed")


def test_a_named_inverter_that_does_not_fit_is_tried_and_says_why_it_fails(house: Server) -> None:
    assert edit(house, inverter="u-false")["state"] == "done"
    for name in ("u-fails", "u-space", "w-plus", "encoder"):
        job = edit(house, inverter=name)
        assert job["error"]["code"] == "not_installed"
        assert job["error"]["message"].startswith(UNFIT[name])
    assert "KeyError: 'weights'" in house.log
    job = edit(house, inverter="pivotal")
    assert (job["error"]["code"], "layers" in job["error"]["message"]) == ("bad_input", True)


def test_the_command_line_lists_the_same(
    house: Server, monkeypatch: pytest.MonkeyPatch, latentfu_program: Any
) -> None:
    monkeypatch.setenv("LATENTFU_HOME", str(house.home))
    told = latentfu_program("inverters", "list", "--generator", "tiny", "--json").json
    assert told == house.get("/v1/inverters?generator=tiny")[1]
    assert "There is no u-net for tiny" in latentfu_program(
        "inverters", "list", "--generator", "tiny"
    ).out  # fmt: skip


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("who", "failed while it was loaded (KeyError: 'arcface.onnx')"),
        ("who-one", "gave [1] instead of embeddings [1, D]"),
        ("who-map", "gave [1, 3, 16, 16] instead of embeddings [1, D]"),
        ("who-two", "gave [2, 384] instead of embeddings [1, D]"),
        ("who-nan", "gave embeddings that are no numbers"),
        ("who-none", "gave None instead of embeddings [1, D]"),
        ("who-three", "gave a int instead of a function of pictures"),
    ],
)
def test_a_broken_identity_is_left_out_and_named(house: Server, name: str, says: str) -> None:
    job = edit(house)
    assert job["state"] == "done", job
    assert job["report"]["identity"] is None
    named = f"The identity {name} of the plug-in no_identity (file "
    told = [line for line in house.log.splitlines() if named in line and "It is left out" in line]
    assert told and says in told[0]


def test_a_broken_region_parser_is_left_out_and_the_person_is_told(house: Server) -> None:
    job = edit(house)
    assert job["state"] == "done", job
    note = job["report"]["regions_note"]
    assert note.startswith("The edit shows everywhere: The region parser p-raises of the plug-in")
    assert "KeyError: 'parser.onnx'" in note


def test_a_broken_region_parser_that_is_needed_is_named(house: Server) -> None:
    job = edit(house, regions=["hair"])
    assert job["error"]["code"] == "plugin"
    assert "The region parser p-raises of the plug-in no_regions" in job["error"]["message"]


def test_a_broken_loss_is_named(house: Server) -> None:
    options = {"losses": "l-raises:1", "steps": 2}
    job = edit(house, inverter="optimise", options=options)
    assert job["error"]["code"] == "plugin", job
    assert "The loss l-raises of the plug-in no_losses" in job["error"]["message"]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("c-raises", "failed while it moved a latent (KeyError: 'weights'), in no_controls.py"),
        ("c-none", "gave None instead of a latentfu.Latent"),
        ("c-load", "gave a int instead of a latentfu.ControlEffect"),
        ("c-exits", "tried to end the program while it moved a latent"),
    ],
)
def test_a_broken_control_is_named(house: Server, name: str, says: str) -> None:
    job = edit(house, edits={name: 1.0})
    assert job["error"]["code"] == "plugin"
    assert f"The control {name} of the plug-in no_controls" in job["error"]["message"]
    assert says in job["error"]["message"]


def test_a_control_without_numbers(house: Server) -> None:
    job = edit(house, edits={"c-nan": 1.0})
    assert "leads to no numbers at 1: use a smaller one" in job["error"]["message"]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("g-three", "The generator g-three of the plug-in no_generators"),
        ("g-numpy", "gave a ndarray instead of pictures [1, 3, 16, 16]"),
    ],
)
def test_a_broken_generator_is_named(house: Server, name: str, says: str) -> None:
    job = edit(house, generator=name, edits={}, inverter="guess")
    assert job["error"]["code"] == "plugin"
    assert says in job["error"]["message"]


def test_a_memory_fault_is_one_and_the_others_still_work(house: Server) -> None:
    job = edit(house, generator="g-full", edits={}, inverter="guess")
    assert job["error"]["code"] == "memory"
    assert "too little memory" in job["error"]["message"]
    assert edit(house)["state"] == "done"


def test_broken_aligners_are_named(house: Server) -> None:
    for name, says in (
        ("a-raises", "The aligner a-raises of the plug-in no_aligner"),
        ("a-three", "gave a int instead of a latentfu.Quad"),
        ("a-away", "that the aligner a-away found holds nothing of the picture"),
    ):
        job = edit(house, aligner=name)
        assert job["state"] == "failed"
        assert says in job["error"]["message"]


def test_the_command_line_keeps_its_json_whole(
    house: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, latentfu_program: Any
) -> None:
    from PIL import Image

    monkeypatch.setenv("LATENTFU_HOME", str(house.home))
    Image.effect_noise((40, 40), 60).convert("RGB").save(tmp_path / "in.png")
    out = tmp_path / "out.png"
    ran = latentfu_program(
        "edit", tmp_path / "in.png", "-o", out, "--generator", "tiny", "--set", "c-none=1",
        "--local", "--json",
    )  # fmt: skip
    told = json.loads(ran.out)
    assert ran.code == 1
    assert told["error"]["code"] == "plugin"
    assert "The control c-none of the plug-in no_controls" in told["error"]["message"]
    assert not out.exists()


def test_nothing_of_it_ended_the_worker(house: Server) -> None:
    wait_until(lambda: house.get("/v1/health")[1]["worker"]["state"] == "ready")
    assert "ended unexpectedly" not in house.log
