"""The default network, chosen once and used at every door where none is named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import latentfu
import numpy as np
import pytest
from latentfu.plugin_manager import Registry, use_registry
from latentfu.plugin_manager.sources import all_sources

from tests.support.program import Program
from tests.support.serving import Server, pixel_body, wait_until

SECOND = """
import latentfu
from latentfu import hookimpl
from latentfu.testing import TinyGenerator

def load(device):
    made = TinyGenerator(device=device, seed=4)
    made.id = "4" * 64
    return made

@hookimpl
def latentfu_generators():
    return [
        latentfu.GeneratorSpec("other", "Other", "test", 16, "4" * 64, load),
        latentfu.GeneratorSpec("third", "Third", "test", 16, "5" * 64, load),
    ]
"""

NOISE = np.random.default_rng(0).integers(0, 255, (24, 24, 3), dtype=np.uint8)


@pytest.fixture
def home(isolated_home: Path) -> Iterator[Path]:
    """The small house, whose network is the first, and a plug-in with two networks more."""
    from tests.support import small_house

    small_house.build(isolated_home)
    (isolated_home / "config" / "plugins" / "zoo.py").write_text(SECOND)
    built_in = ("people-network", "portraits")
    with use_registry(Registry(one for one in all_sources() if one.name not in built_in)):
        yield isolated_home


def test_it_is_shown_chosen_and_taken_back(home: Path, latentfu_program: Program) -> None:
    first = next(iter(latentfu.generators()))
    shown = latentfu_program("generators", "default")
    assert shown.out == f"None is chosen: {first} is used.\n"
    assert latentfu_program("generators", "default", "other").out == "other is the default.\n"
    assert next(iter(latentfu.generators())) == "other"
    assert latentfu.read_default_generator() == "other"
    rows = latentfu_program("generators", "list", "--json").json["generators"]
    assert [row["name"] for row in rows if row["is_default"]] == ["other"] == [rows[0]["name"]]
    line = next(
        line for line in latentfu_program("generators", "list").out.splitlines() if "other" in line
    )
    assert line.split()[:2] == ["other", "default"]
    assert latentfu_program("generators", "default", "--json").json == {
        "generator": "other",
        "chosen": "other",
    }
    assert latentfu_program("generators", "info", "--json").json["name"] == "other"
    cleared = latentfu_program("generators", "default", "--clear")
    assert cleared.out == f"None is chosen: {first} is used.\n"
    assert next(iter(latentfu.generators())) == first


def test_an_unknown_name_is_one_sentence(home: Path, latentfu_program: Program) -> None:
    refused = latentfu_program("generators", "default", "nobody")
    assert refused.code == 1 and refused.err.count("\n") == 1
    assert "There is no generator 'nobody'; installed: " in refused.err
    assert latentfu_program("generators", "default", "other", "--clear").code == 2
    with pytest.raises(latentfu.NotInstalledError, match="There is no generator 'nobody'"):
        latentfu.write_default_generator("nobody")
    assert latentfu.read_default_generator() == ""


def test_a_choice_that_is_not_there_is_said_and_edits_say_what_they_used(
    home: Path, latentfu_program: Program, tmp_path: Path
) -> None:
    latentfu.write_default_generator("gone", check=False)
    used = next(iter(latentfu.generators()))
    sentence = f"The default network gone is not installed: {used} is used"
    assert sentence in latentfu_program("generators", "default").out
    assert sentence in latentfu_program("generators", "list").err
    from PIL import Image

    Image.fromarray(NOISE).save(tmp_path / "p.png")
    words = ["invert", tmp_path / "p.png", "-o", tmp_path / "c.safetensors", "--inverter", "guess"]
    square = ["--corners", "0,0,24,0,24,24,0,24"]
    done = latentfu_program(*words, *square)
    assert done.code == 0, done.err
    assert sentence in done.err
    named = latentfu_program(*words, *square, "--generator", used)
    assert "gone" not in named.err


def test_python_uses_it_where_none_is_named(home: Path) -> None:
    latentfu.write_default_generator("other")
    found = latentfu.invert(
        NOISE,
        inverter="guess",
        placing=latentfu.Placement(corners=((0, 0), (24, 0), (24, 24), (0, 24))),
    )
    assert found.latent.generator_id == "4" * 64
    latentfu.write_default_generator(None)
    assert "tilt" in latentfu.controls()


def test_the_environment_comes_first_and_is_said(
    home: Path, latentfu_program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LATENTFU_GENERATORS_DEFAULT", "third")
    assert next(iter(latentfu.generators())) == "third"
    told = latentfu_program("generators", "default", "other").out
    assert "LATENTFU_GENERATORS_DEFAULT says third" in told
    monkeypatch.delenv("LATENTFU_GENERATORS_DEFAULT")
    assert next(iter(latentfu.generators())) == "other"


def test_the_server_takes_it_at_once(start: Callable[..., Server], isolated_home: Path) -> None:
    from tests.support import small_house

    small_house.build(isolated_home)
    (isolated_home / "config" / "plugins" / "zoo.py").write_text(SECOND)
    server = start(home=isolated_home, real=True)
    first = server.get("/v1/generators")[1]["generators"][0]
    assert first["is_default"]
    unset = {"generator": first["name"], "chosen": None}
    assert server.get("/v1/default-generator") == (200, unset)

    def put(body: dict[str, Any]) -> tuple[int, Any]:
        return server.put("/v1/default-generator", body)

    assert put({"generator": "tiny"}) == (200, {"generator": "tiny", "chosen": "tiny"})
    rows = server.get("/v1/generators")[1]["generators"]
    assert [row["name"] for row in rows if row["is_default"]] == ["tiny"] == [rows[0]["name"]]
    assert server.get("/v1/controls")[1]["generator"] == "tiny"
    refused = put({"generator": "nobody"})
    assert refused[0] == 404 and "There is no generator 'nobody'" in str(refused[1])
    assert put({})[0] == 400
    # chosen by another program while the server runs: its next job uses it
    header = pixel_body(24, 24, 3)[:16]
    layer = server.put_layer(header + NOISE.tobytes())
    square = [[0, 0], [24, 0], [24, 24], [0, 24]]
    latentfu.write_default_generator("other", check=False)
    wait_until(lambda: server.get("/v1/health")[1]["worker"]["state"] == "ready")
    job = server.put_job(layer, kind="invert", inverter="guess", corners=square)
    done = server.wait_for(job)
    assert done["state"] == "done", done
    assert done["report"]["generator"] == "other"
    assert put({"generator": None}) == (200, unset)
