"""Broken plug-ins are named with their reason, contribute nothing, and stop nobody else."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import latentfu
import pytest
from latentfu.plugin_manager import Registry, get_registry, use_registry
from latentfu.plugin_manager.isolation import hint_when_slow
from latentfu.plugin_manager.sources import file_sources
from latentfu.storage import paths

from tests.support.broken_plugins import BROKEN, FINE, inverter


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "latentfu", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def write(name: str, text: str) -> Path:
    path = paths.plugin_dir() / f"{name}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """``latentfu plugins list --json`` with every broken plug-in and a good one installed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LATENTFU_HOME", str(tmp_path_factory.mktemp("home")))
        for name, (text, _) in BROKEN.items():
            write(name, text)
        write("fine", "print('I talk to stdout')\n" + FINE)
        done = run("plugins", "list", "--json")
        assert done.returncode == 0, done.stderr
        yield {plugin["name"]: plugin for plugin in json.loads(done.stdout)["plugins"]}


@pytest.mark.parametrize("name", BROKEN)
def test_each_is_quarantined_with_its_reason(listed: dict[str, Any], name: str) -> None:
    plugin = listed[name]
    assert plugin["state"] == "quarantined"
    assert BROKEN[name][1] in plugin["reason"]
    assert "\n" not in plugin["reason"]
    assert plugin["provides"] == {}
    assert plugin["origin"].endswith(f"{name}.py")


def test_the_others_work(listed: dict[str, Any]) -> None:
    assert listed["fine"]["state"] == "ok"
    assert listed["fine"]["provides"] == {"inverters": ["fine"]}


def test_the_built_in_plug_ins_come_first(listed: dict[str, Any]) -> None:
    origins = [plugin["origin"] for plugin in listed.values()]
    own = [origin == "package latentfu" for origin in origins]
    assert own == sorted(own, reverse=True)
    assert next(iter(listed)) == "portraits"


def test_the_later_of_two_claims_is_kept_out_and_both_are_named(isolated_home: Path) -> None:
    write("a_first", inverter("shared"))
    write("b_second", inverter("shared") + "\n" + _SCORER)
    registry = Registry(file_sources())
    first, second = registry.statuses()
    assert first.state == "ok"
    assert second.state == "quarantined"
    assert "shared" in second.reason
    assert "a_first" in second.reason
    assert registry.installed("scorers") == {}


def test_a_name_is_free_again_when_its_owner_is_broken(isolated_home: Path) -> None:
    bad_controls = "\n@hookimpl\ndef latentfu_controls(generator):\n    return 3\n"
    write("a_first", inverter("shared") + bad_controls)
    write("b_second", inverter("shared") + _GENERATOR)
    registry = Registry(file_sources())
    assert [status.state for status in registry.statuses()] == ["quarantined", "ok"]
    assert list(registry.installed("inverters")) == ["shared"]


def test_a_control_claimed_twice(isolated_home: Path) -> None:
    write("a_first", "import latentfu\nfrom latentfu import hookimpl\n" + _GENERATOR + _CONTROL)
    write("b_second", "import latentfu\nfrom latentfu import hookimpl\n" + _CONTROL)
    registry = Registry(file_sources())
    assert [status.state for status in registry.statuses()] == ["ok", "quarantined"]
    assert "'tilt' of generator given" in registry.statuses()[1].reason


def test_a_fault_that_shows_later_quarantines_then(isolated_home: Path) -> None:
    write("a_first", inverter("early") + _FAILS_SECOND_TIME + _GENERATOR)
    registry = Registry(file_sources())
    assert registry.statuses()[0].state == "ok"
    (spec,) = registry.installed("generators").values()
    assert registry.controls(spec) == {}
    assert registry.statuses()[0].state == "quarantined"
    assert registry.installed("inverters") == {}


def test_new_files_are_seen_after_a_fresh_look(isolated_home: Path) -> None:
    with use_registry(Registry(())):
        before = get_registry(fresh=True)
        write("late", inverter("late"))
        assert "late" not in get_registry().installed("inverters")
        assert "late" in get_registry(fresh=True).installed("inverters")
        assert get_registry() is not before


def test_a_file_in_a_watched_folder_is_seen_at_once(isolated_home: Path) -> None:
    with use_registry(Registry(())):
        write("watcher", _WATCHER)
        (isolated_home / "losses").mkdir()
        assert "soft" not in get_registry(fresh=True).installed("losses")
        same = get_registry()
        (isolated_home / "losses" / "soft.txt").touch()
        assert "soft" in get_registry().installed("losses")
        assert get_registry() is not same
        (isolated_home / "losses" / "Not A Name.txt").touch()
        assert get_registry().statuses()[-1].state == "quarantined"
        (isolated_home / "losses" / "Not A Name.txt").unlink()
        assert get_registry().statuses()[-1].state == "ok"


def test_what_is_installed_by_class_and_by_name(isolated_home: Path) -> None:
    write("a_first", inverter("shared"))
    registry = Registry(file_sources())
    assert registry.installed(latentfu.Inverter) == registry.installed("inverters")
    with pytest.raises(
        latentfu.NotInstalledError, match="No hook returns 'wishes'; there are: gen"
    ):
        registry.installed("wishes")
    with pytest.raises(latentfu.BadInputError, match="depend on a generator"):
        registry.installed(latentfu.Control)


def test_a_hook_that_asks_what_is_installed_is_named(isolated_home: Path) -> None:
    write("curious", "import latentfu\n" + _CURIOUS)
    with use_registry(Registry(())):
        status = get_registry(fresh=True).statuses()[-1]
    assert status.name == "curious"
    assert "being listed" in status.reason


def test_the_person_is_told_who_keeps_them_waiting(capsys: pytest.CaptureFixture[str]) -> None:
    with hint_when_slow("sleepy", after_seconds=0.01):
        end = time.monotonic() + 10
        while "plugins disable sleepy" not in capsys.readouterr().err:
            assert time.monotonic() < end
            time.sleep(0.01)


_WATCHER = """
import os
from pathlib import Path
import latentfu

FOLDER = Path(os.environ["LATENTFU_HOME"]) / "losses"

@latentfu.hookimpl
def latentfu_watched_folders():
    return [latentfu.WatchedFolder("losses", FOLDER)]

@latentfu.hookimpl
def latentfu_losses():
    return [latentfu.Loss(path.stem, "A loss", print) for path in FOLDER.glob("*.txt")]
"""
_CURIOUS = """
@latentfu.hookimpl
def latentfu_losses():
    return list(latentfu.generators())
"""
_SCORER = """
@hookimpl
def latentfu_scorers():
    return [latentfu.Scorer("looks", "Looks", "test", ("smile",), print)]
"""
_GENERATOR = """
@hookimpl
def latentfu_generators():
    return [latentfu.GeneratorSpec("given", "Given", "test", 16, "c" * 64, print)]
"""
_CONTROL = """
@hookimpl
def latentfu_controls(generator):
    if generator.name == "given":
        return [latentfu.Control("tilt", "Tilt", "more", generator.id, print)]
    return []
"""
_FAILS_SECOND_TIME = """
calls = []

@hookimpl
def latentfu_controls(generator):
    calls.append(1)
    if len(calls) > 1:
        raise OSError("the disk is gone")
    return []
"""
