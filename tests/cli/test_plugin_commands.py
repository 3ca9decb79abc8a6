"""``latentfu plugins``: doctor, switching off and on, and starting a new one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from latentfu.plugin_manager.sources import Source, file_sources

from tests.support.program import Program


@pytest.fixture
def folder(isolated_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The plug-in folder; the installed plug-ins are out of the way, so that tests are quick."""
    path = isolated_home / "config" / "plugins"
    path.mkdir(parents=True)
    return path


GOOD = """
import latentfu

@latentfu.hookimpl
def latentfu_losses():
    return []
"""


def test_doctor_names_each_kind_of_trouble(
    folder: Path, latentfu_program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    troubles = {
        "good": GOOD,
        "hangs": "import time; time.sleep(600)",
        "hangs_when_asked": GOOD.replace("return []", "import time; time.sleep(600)"),
        "sleeps": "import time; time.sleep(3)\n" + GOOD,
        "dies": "import os; os._exit(0)",
        "raises": "raise ValueError('no')",
        "talks": "print('latentfu-doctor: hello')\n" + GOOD,
    }
    for name, text in troubles.items():
        (folder / f"{name}.py").write_text(text)
    ran = latentfu_program("plugins", "doctor", "--seconds", "12", "--json")
    found = {finding["name"]: finding["state"] for finding in ran.json["plugins"]}
    assert ran.code == 1
    assert {name: found[name] for name in troubles} == {
        "good": "ok",
        "hangs": "hangs",
        "hangs_when_asked": "hangs",
        "sleeps": "slow",
        "dies": "dies",
        "raises": "broken",
        "talks": "ok",
    }


def test_switching_off_and_on(folder: Path, latentfu_program: Program) -> None:
    (folder / "hangs.py").write_text("import time; time.sleep(600)")
    off = latentfu_program("plugins", "disable", "hangs", "--json")
    assert off.json == {"name": "hangs", "state": "disabled", "changed": True}
    assert not latentfu_program("plugins", "disable", "hangs", "--json").json["changed"]
    kept = json.loads((folder.parent / "plugins.json").read_text())
    assert kept == {"disabled": ["hangs"]}
    (folder / "hangs.py").write_text(GOOD)
    assert latentfu_program("plugins", "enable", "hangs", "--json").json["changed"]
    assert json.loads((folder.parent / "plugins.json").read_text()) == {"disabled": []}


def test_a_disabled_plug_in_is_not_imported(folder: Path) -> None:
    from latentfu.plugin_manager import Registry

    def load() -> object:
        raise AssertionError("it was imported")

    registry = Registry([Source("off", "a test", "", load)], disabled=["off"])
    (status,) = registry.statuses()
    assert (status.state, status.reason, status.provides) == ("disabled", "", {})


def test_a_damaged_list_of_disabled_plug_ins_is_named(
    folder: Path, latentfu_program: Program
) -> None:
    (folder.parent / "plugins.json").write_text("{")
    ran = latentfu_program("plugins", "disable", "portraits")
    assert ran.code == 1
    assert "plugins.json is damaged" in ran.err
    assert latentfu_program("--help").code == 0


def test_files_with_an_underscore_are_no_plug_ins(folder: Path) -> None:
    (folder / "_helper.py").write_text("")
    (folder / "good.py").write_text(GOOD)
    assert [source.name for source in file_sources()] == ["good"]


def test_new_writes_the_example(tmp_path: Path, latentfu_program: Program) -> None:
    made = latentfu_program("plugins", "new", "example-direction", "--folder", tmp_path, "--json")
    written = Path(made.json["folder"])
    example = Path(__file__).parents[2] / "examples" / written.name
    for file in (path for path in written.rglob("*") if path.is_file()):
        assert file.read_text() == (example / file.relative_to(written)).read_text()
    again = latentfu_program("plugins", "new", "example-direction", "--folder", tmp_path)
    assert (again.code, "already" in again.err) == (1, True)
    assert [entry.name for entry in tmp_path.iterdir() if entry.name.startswith(".")] == []


@pytest.mark.parametrize("name", ["../up", "Big", "a b", "", "a_b", "-x."])
def test_new_refuses_odd_names(tmp_path: Path, latentfu_program: Program, name: str) -> None:
    ran = latentfu_program("plugins", "new", "--folder", tmp_path, "--", name)
    assert ran.code == 1
    assert list(tmp_path.glob("latentfu-*")) == []
