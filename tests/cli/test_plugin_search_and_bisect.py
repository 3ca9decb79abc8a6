"""Finding plug-ins to install, the one that makes a command fail, and what takes its time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from latentfu.cli.plugin_bisect import find_guilty
from latentfu.cli.plugin_search import CATALOG, read_entries
from latentfu.core.errors import BadInputError

from tests.support.program import Program

ROOT = Path(__file__).parents[2]
GOOD = """
import latentfu

@latentfu.hookimpl
def latentfu_losses():
    return []
"""
HURTS = GOOD + "\nimport os\nos._exit(9)\n"


@pytest.fixture
def folder(isolated_home: Path) -> Path:
    path = isolated_home / "config" / "plugins"
    path.mkdir(parents=True)
    return path


# The catalog


def test_the_catalog_names_what_there_is() -> None:
    entries = read_entries(CATALOG)
    assert {entry.name for entry in entries} >= {"example-direction", "example-generator"}
    for entry in entries:
        text = (ROOT / entry.source / "pyproject.toml").read_text()
        assert f'name = "{entry.package}"' in text and f"{entry.name} = " in text


def test_search_finds_by_words(folder: Path, latentfu_program: Program) -> None:
    found = latentfu_program("plugins", "search", "GENERATOR", "dcgan", "--json").json["plugins"]
    assert [one["name"] for one in found] == ["example-generator"]
    assert "example-direction" in latentfu_program("plugins", "search").out
    nothing = latentfu_program("plugins", "search", "toaster")
    assert nothing.code == 0 and "Nothing in the catalog" in nothing.err


def test_a_studio_has_a_catalog_of_its_own(
    folder: Path, latentfu_program: Program, tmp_path: Path
) -> None:
    mine = tmp_path / "catalog.json"
    row = {"name": "hats", "package": "latentfu-hats", "summary": "Hats of our house."}
    mine.write_text(json.dumps([row]))
    found = latentfu_program("plugins", "search", "--catalog", mine, "--json").json["plugins"]
    assert [(one["name"], one["installed"]) for one in found] == [("hats", False)]
    mine.write_text("{")
    bad = latentfu_program("plugins", "search", "--catalog", mine)
    assert bad.code == 1 and "is no catalog" in bad.err
    gone = latentfu_program("plugins", "search", "--catalog", tmp_path / "none.json")
    assert gone.code == 1 and "cannot be read" in gone.err


# Bisect


@pytest.mark.parametrize("guilty", [{"c"}, {"a", "f"}, {"b", "c", "g"}, {"h"}])
def test_the_fewest_are_found(guilty: set[str]) -> None:
    asked: list[Sequence[str]] = []

    def fails(active: Sequence[str]) -> bool:
        asked.append(active)
        return guilty <= set(active)

    assert set(find_guilty("abcdefgh", fails)) == guilty
    assert len(asked) < 50


def test_where_no_plug_in_is_guilty_it_says_so() -> None:
    with pytest.raises(BadInputError, match="works with all"):
        find_guilty("ab", lambda active: False)
    with pytest.raises(BadInputError, match="none of them is why"):
        find_guilty("ab", lambda active: True)


def test_the_one_that_makes_a_command_fail_is_named(
    folder: Path, latentfu_program: Program
) -> None:
    for name in ("anna", "berta", "clara"):
        (folder / f"{name}.py").write_text(HURTS if name == "berta" else GOOD)
    ran = latentfu_program("plugins", "bisect", "--json", "--", "generators", "list")
    assert ran.code == 0 and ran.json == {"plugins": ["berta"]}, ran.err
    listed = latentfu_program("plugins", "list", "--static", "--json").json["plugins"]
    assert {"anna", "berta", "clara"} <= {one["name"] for one in listed}, "nothing is removed"


# Tracing


def test_tracing_says_who_was_asked_what(folder: Path) -> None:
    (folder / "anna.py").write_text(GOOD)
    (folder / "berta.py").write_text("raise ValueError('no')")
    command = [sys.executable, "-m", "latentfu", "plugins", "list", "--json"]
    quiet, traced = (
        subprocess.run(
            command, capture_output=True, text=True, check=True, env={**os.environ, **more}
        )
        for more in ({}, {"LATENTFU_TRACE_PLUGINS": "1"})
    )
    assert "anna" not in quiet.stderr
    assert "plug-in anna: import, " in traced.stderr
    assert "plug-in anna: latentfu_losses, " in traced.stderr
    assert "raised ValueError: no" in traced.stderr
    assert json.loads(traced.stdout) == json.loads(quiet.stdout)
