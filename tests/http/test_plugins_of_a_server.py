"""Settings and addresses of plug-ins, over a real socket and by the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.serving import Server, wait_until

PLUGIN = """
import latentfu

SPOUTS = latentfu.Setting("teapots", "spouts", "Spouts", 2, "slider", minimum=1, maximum=4)
LID = latentfu.Setting("teapots", "lid", "Lid", "round", "choice", choices=("round", "flat"))
KEY = latentfu.Setting("teapots", "key", "Key", "", "secret")
GLAZE = latentfu.Setting("teapots", "glaze", "Glaze", "#ff8800", "color")
WARM = latentfu.Setting("teapots", "warm", "Warm", True, "check")


@latentfu.hookimpl
def latentfu_settings():
    return [SPOUTS, LID, KEY, GLAZE, WARM]


def pour(request):
    if request.body.get("cups", 0) > 10:
        raise latentfu.BadInputError("There is tea for ten cups: ask for fewer.")
    return {"spouts": latentfu.read_setting(SPOUTS), "query": dict(request.query)}


BREWED = []


@latentfu.hookimpl
def latentfu_startup_tasks():
    return [
        latentfu.StartupTask("teapots", "spill", "Spill", lambda device: 1 / 0),
        latentfu.StartupTask("teapots", "brew", "Brew", BREWED.append),
    ]


@latentfu.hookimpl
def latentfu_routes():
    return [
        latentfu.Route("teapots", "pour", "Pour", pour),
        latentfu.Route("teapots", "fill", "Fill", pour, method="POST"),
        latentfu.Route("teapots", "brewed", "Brewed", lambda request: {"on": BREWED}),
        latentfu.Route("teapots", "break", "Break", lambda request: 1 / 0),
        latentfu.Route("teapots", "odd", "Odd", lambda request: {1, 2}),
    ]
"""


@pytest.fixture(scope="module")
def teapots(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("home")
    folder = home / "config" / "plugins"
    folder.mkdir(parents=True)
    (folder / "teapots.py").write_text(PLUGIN)
    server = Server(home, real=True)
    wait_until(lambda: server.get("/v1/health")[1]["worker"]["state"] == "ready", 180.0)
    yield server
    assert server.stop() == 0


def settings(server: Server) -> dict[str, Any]:
    status, body = server.get("/v1/settings?plugin=teapots")
    assert status == 200
    return {one["name"]: one for one in body["settings"]}


def program(server: Server, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "latentfu", *arguments],
        env={**os.environ, "LATENTFU_HOME": str(server.home)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_settings_are_listed_set_and_reset(teapots: Server) -> None:
    listed = settings(teapots)
    assert listed["spouts"]["value"] == 2
    assert listed["spouts"]["widget"] == "slider"
    assert listed["lid"]["choices"] == ["round", "flat"]
    status, body = teapots.put("/v1/settings/teapots/spouts", {"value": 3})
    assert (status, body["value"], body["is_set"]) == (200, 3, True)
    assert teapots.get("/v1/plugins/teapots/pour?cup=blue")[1] == {
        "spouts": 3,
        "query": {"cup": "blue"},
    }
    said = program(teapots, "settings", "list", "teapots").stdout
    assert "spouts" in said
    done = program(teapots, "settings", "set", "teapots", "spouts", "4")
    assert done.stdout.strip() == "spouts of teapots is 4."
    assert settings(teapots)["spouts"]["value"] == 4
    assert teapots.request("DELETE", "/v1/settings/teapots/spouts")[1]["value"] == 2


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("spouts", 9, "at least 1 and at most 4"),
        ("spouts", 2.5, "a whole number"),
        ("spouts", True, "a number"),
        ("lid", "square", "one of round, flat"),
        ("glaze", "red", "a color like #ff8800"),
        ("warm", "perhaps", "true or false"),
    ],
)
def test_a_value_that_a_setting_does_not_take(
    teapots: Server, name: str, value: object, says: str
) -> None:
    before = settings(teapots)
    status, body = teapots.put(f"/v1/settings/teapots/{name}", {"value": value})
    assert status == 400
    assert says in body["error"]["message"]
    assert settings(teapots) == before


def test_a_secret_is_shown_to_nobody(teapots: Server) -> None:
    status, body = teapots.put("/v1/settings/teapots/key", {"value": "abc123"})
    assert (status, body["value"], body["is_set"]) == (200, None, True)
    assert "abc123" not in program(teapots, "settings", "list", "--json").stdout
    kept = teapots.home / "config" / "settings.json"
    assert "abc123" in kept.read_text()
    assert kept.stat().st_mode & 0o077 == 0


def test_the_environment_comes_first(teapots: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LATENTFU_TEAPOTS_LID", "flat")
    assert "flat" in program(teapots, "settings", "list", "teapots").stdout


def test_what_is_done_at_the_start_was_done_and_a_fault_is_logged(teapots: Server) -> None:
    assert teapots.get("/v1/plugins/teapots/brewed") == (200, {"on": ["cpu"]})
    log = (teapots.home / "data" / "log" / "server.log").read_text()
    assert "spill" in log and "teapots" in log and "starts without it" in log


def test_routes_are_behind_token_and_limits(teapots: Server) -> None:
    assert teapots.get("/v1/plugins/teapots/pour", headers={"Authorization": None})[0] == 401
    status, body = teapots.request("POST", "/v1/plugins/teapots/fill", {"cups": 20})
    assert (status, body["error"]["message"]) == (
        400,
        "There is tea for ten cups: ask for fewer.",
    )
    assert teapots.request("POST", "/v1/plugins/teapots/pour", {})[0] == 404
    assert teapots.get("/v1/plugins/nobody/pour")[0] == 404
    large = {"text": "x" * 100_000}
    assert teapots.request("POST", "/v1/plugins/teapots/fill", large)[0] == 413


def test_a_broken_route_is_named(teapots: Server) -> None:
    status, body = teapots.get("/v1/plugins/teapots/break")
    assert status == 500
    assert body["error"]["code"] == "plugin"
    assert "The route teapots.break of the plug-in teapots (file " in body["error"]["message"]
    assert "ZeroDivisionError" in body["error"]["message"]
    assert "what JSON can hold" in teapots.get("/v1/plugins/teapots/odd")[1]["error"]["message"]


def test_a_setting_of_another_plug_in_is_refused(isolated_home: Path) -> None:
    from latentfu.plugin_manager import Registry
    from latentfu.plugin_manager.sources import file_sources

    folder = isolated_home / "config" / "plugins"
    folder.mkdir(parents=True)
    (folder / "thief.py").write_text(PLUGIN)
    (status,) = Registry(file_sources()).statuses()
    assert "a setting of the plug-in 'teapots', and this one is 'thief'" in status.reason
