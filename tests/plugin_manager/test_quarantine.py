"""Broken plug-ins are named with their reason, contribute nothing, and stop nobody else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import latentfu
import pytest
from latentfu.core import paths
from latentfu.plugin_manager import Registry, get_registry, use_registry
from latentfu.plugin_manager.isolation import hint_when_slow
from latentfu.plugin_manager.sources import file_sources, installed_sources

from tests.support.broken_plugins import BROKEN, CLAIMS_A_COMMAND, FINE, inverter


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "latentfu", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def write(name: str, text: str) -> Path:
    path = paths.plugin_dir() / f"{name}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def owner(registry: Registry, item: object) -> str:
    found = registry.owner(item)
    assert found is not None
    return found.name


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
    assert list(listed)[:2] == ["people-network", "portraits"]


def test_one_taken_name_costs_one_object_and_both_are_named(isolated_home: Path) -> None:
    write("a_first", inverter("shared"))
    write("b_second", inverter("shared") + "\n" + _SCORER)
    registry = Registry(file_sources())
    first, second = registry.statuses()
    assert first.state == second.state == "ok"
    (sentence,) = second.left_out
    assert sentence.startswith("left out the inverter 'shared', which a_first (file ")
    assert first.left_out == ()
    assert list(registry.installed("scorers")) == ["looks"]
    assert second.provides == {"scorers": ("looks",)}


def test_a_name_is_free_again_when_its_owner_is_broken(isolated_home: Path) -> None:
    bad_controls = "\n@hookimpl\ndef latentfu_controls(generator):\n    return 3\n"
    write("a_first", inverter("shared") + bad_controls)
    write("b_second", inverter("shared") + _GENERATOR)
    registry = Registry(file_sources())
    assert [status.state for status in registry.statuses()] == ["quarantined", "ok"]
    assert list(registry.installed("inverters")) == ["shared"]


@pytest.mark.parametrize("mark", ["\n", "\x1b[2J", "\u202e", "\u2066"])
def test_a_title_that_would_be_shown_as_another_is_refused(isolated_home: Path, mark: str) -> None:
    """Line breaks, a terminal's orders, and marks that turn the order of letters around."""
    write("odd", inverter("shared", f"Fine {mark}txt"))
    (status,) = Registry(file_sources()).statuses()
    assert status.state == "quarantined"
    assert "which has line breaks or control characters" in str(status.reason)


def test_a_control_claimed_twice(isolated_home: Path) -> None:
    write("a_first", "import latentfu\nfrom latentfu import hookimpl\n" + _GENERATOR + _CONTROL)
    write("b_second", "import latentfu\nfrom latentfu import hookimpl\n" + _CONTROL)
    registry = Registry(file_sources())
    assert [status.state for status in registry.statuses()] == ["ok", "ok"]
    (spec,) = registry.installed(latentfu.GeneratorSpec).values()
    found = registry.controls(spec)
    assert list(found) == ["tilt", "b_second.tilt"]
    assert found["b_second.tilt"].title == "Tilt (b_second)"
    (sentence,) = registry.statuses()[1].left_out
    assert sentence == "b_second.tilt is the control 'tilt' of generator given, which a_first has"
    assert owner(registry, found["tilt"]) == "a_first"
    assert owner(registry, found["b_second.tilt"]) == "b_second"


def test_a_preference_decides_who_has_the_short_name(isolated_home: Path) -> None:
    write("a_first", "import latentfu\nfrom latentfu import hookimpl\n" + _GENERATOR + _CONTROL)
    write("b_second", "import latentfu\nfrom latentfu import hookimpl\n" + _CONTROL)
    assert run("plugins", "prefer", "b_second").returncode == 0
    with use_registry(Registry(())):
        controls = latentfu.installed(latentfu.GeneratorSpec)
        registry = get_registry(fresh=True)
        found = registry.controls(latentfu.generators()["given"])
    assert {name: owner(registry, item) for name, item in found.items()} == {
        "tilt": "b_second",
        "a_first.tilt": "a_first",
    }
    assert controls == {}
    assert run("plugins", "prefer", "b_second", "--no-more").returncode == 0
    assert run("plugins", "prefer", "nobody").returncode == 1


def test_a_command_of_the_program_stays_its_own(isolated_home: Path) -> None:
    write("bold", CLAIMS_A_COMMAND)
    (status,) = Registry(file_sources()).statuses()
    assert status.provides == {"inverters": ("handy",)}
    assert status.left_out == ("left out the command 'edit', which latentfu itself has",)


def test_two_plug_ins_of_one_name(isolated_home: Path) -> None:
    write("a_first", inverter("one"))
    write("b_second", inverter("two"))
    sources = [replace(source, name="fine") for source in file_sources()]
    registry = Registry(sources)
    first, second = registry.statuses()
    assert first.state == "ok"
    assert second.state == "quarantined"
    assert "claims the plug-in name 'fine'" in second.reason


def test_the_traceback_of_a_broken_plug_in_is_kept(
    isolated_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("halfway", inverter("x").replace("return [", "return 1 / 0 or ["))
    (status,) = Registry(file_sources()).statuses()
    assert 'halfway.py", line 6, in latentfu_inverters' in status.traceback
    assert "isolation.py" not in status.traceback
    others = [source.name for source in installed_sources()]  # each costs doctor a process
    monkeypatch.setenv("LATENTFU_DISABLED_PLUGINS", ",".join(others))
    done = run("plugins", "doctor")
    assert 'halfway.py", line 6, in latentfu_inverters' in done.stdout
    debug = run("--debug", "plugins", "list")
    assert 'halfway.py", line 6, in latentfu_inverters' in debug.stderr


def test_a_wrong_hook_name_is_guessed(isolated_home: Path) -> None:
    write("wrong", inverter("x").replace("latentfu_inverters", "latentfu_inverter"))
    (status,) = Registry(file_sources()).statuses()
    assert (
        status.reason == "has an unknown hook latentfu_inverter: did you mean latentfu_inverters?"
    )


def test_a_plug_in_for_a_newer_version_says_so(isolated_home: Path) -> None:
    write("newer", "from latentfu import Painter")
    (status,) = Registry(file_sources()).statuses()
    assert "written for another version than latentfu" in status.reason
    source = replace(file_sources()[0], needs=">=99", load=lambda: None)
    (status,) = Registry([source]).statuses()
    assert status.reason.startswith("needs latentfu >=99, and this is")


@pytest.mark.parametrize(
    ("line", "needs", "reason"),
    [
        ("REQUIRES_LATENTFU = '>=0.1,<99'", ">=0.1,<99", ""),
        ("REQUIRES_LATENTFU: str = '>=99'", ">=99", "needs latentfu >=99, and this is"),
        ("REQUIRES_LATENTFU = '<0.1'", "<0.1", "needs latentfu <0.1, and this is"),
        ("REQUIRES_LATENTFU = 'soon'", "soon", "says REQUIRES_LATENTFU = 'soon', which names no"),
        ("REQUIRES_LATENTFU = (0, 3)", "(0, 3)", "says REQUIRES_LATENTFU = '(0, 3)', which names"),
        ("# REQUIRES_LATENTFU = '>=99'", "", ""),
    ],
)
def test_a_file_that_needs_another_version_is_not_imported(
    isolated_home: Path, line: str, needs: str, reason: str
) -> None:
    imported = "raise AssertionError('it was imported')\n" if reason else ""
    write("dated", f"{line}\n{imported}{FINE}")
    (source,) = file_sources()
    assert source.needs == needs
    (status,) = Registry([source]).statuses()
    assert status.state == ("quarantined" if reason else "ok")
    assert status.reason.startswith(reason)


def test_the_environment_switches_off(isolated_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write("fine", FINE)
    monkeypatch.setenv("LATENTFU_DISABLED_PLUGINS", "people, *")
    statuses = {
        each["name"]: each
        for each in json.loads(run("plugins", "list", "--json").stdout)["plugins"]
    }
    assert statuses["fine"]["state"] == statuses["people"]["state"] == "disabled"
    assert statuses["portraits"]["state"] == "ok"


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


def test_a_folder_is_a_plug_in_with_what_lies_in_it(isolated_home: Path) -> None:
    write("kit/__init__", "from .parts import latentfu_inverters\n")
    write("kit/parts", inverter("of-a-kit"))
    write("_helpers/__init__", "raise ValueError('a helper is no plug-in')")
    write("plain/notes", "raise ValueError('no package')")
    (source,) = file_sources()
    (status,) = Registry([source]).statuses()
    assert (status.name, status.state) == ("kit", "ok"), status.reason
    assert status.provides == {"inverters": ("of-a-kit",)}
    before = source.stamp
    os.utime(paths.plugin_dir() / "kit" / "parts.py", (1, 1))
    assert file_sources()[0].stamp != before


def test_one_module_under_two_names_is_a_sentence(isolated_home: Path) -> None:
    write("one", inverter("one"))
    (source,) = file_sources()
    module = source.load()
    twice = [replace(source, name=name, load=lambda: module) for name in ("first", "second")]
    first, second = Registry(twice).statuses()
    assert first.state == "ok"
    assert second.reason == (
        "is the same module as another plug-in: give each entry point a module of its own"
    )


def test_a_pack_for_what_is_not_here_says_so(isolated_home: Path) -> None:
    write("elsewhere", "import latentfu\nfrom latentfu import hookimpl\n" + _CONTROL)
    listed = run("plugins", "list").stdout
    assert "nothing for the networks" in listed


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
