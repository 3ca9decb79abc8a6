"""``latentfu plugins new`` writes packages that keep their contract, for every kind."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from latentfu.cli.plugin_kinds import KINDS
from latentfu.plugin_manager import Registry
from latentfu.plugin_manager.sources import Source
from latentfu.testing import tiny_spec


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from latentfu.cli.plugins import write_package

    folder = tmp_path_factory.mktemp("packages")
    for kind in KINDS:
        write_package(f"my-{kind}", folder, kind=kind)
    return folder


@pytest.mark.parametrize("kind", KINDS)
def test_it_lists_what_it_brings(written: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib

    monkeypatch.syspath_prepend(str(written / f"latentfu-my-{kind}"))
    source = Source(
        f"my-{kind}", "a test", "", lambda: importlib.import_module(f"latentfu_my_{kind}")
    )
    registry = Registry([source])
    (status,) = registry.statuses()
    assert status.state == "ok", status.reason
    portraits = replace(tiny_spec(), domain="portraits")
    assert status.provides or registry.controls(portraits), "controls are of a generator"


def test_their_own_tests_pass(written: Path) -> None:
    packages = sorted(written.iterdir())
    paths = [str(package) for package in packages]
    code = (
        "import sys, pytest; sys.path[:0] = sys.argv[1:]; sys.exit(pytest.main(["
        "'-q', '-p', 'no:cacheprovider', '--import-mode=importlib', *[a + '/tests' for a in "
        "sys.argv[1:]]]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *paths], capture_output=True, text=True, check=False,
        cwd=written,
    )  # fmt: skip
    assert f"{len(KINDS)} passed" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["builtin", "portraits", "1st", "Upper"])
def test_a_name_that_would_hurt_is_refused(
    latentfu_program: Any, tmp_path: Path, name: str
) -> None:
    ran = latentfu_program("plugins", "new", name, "--folder", tmp_path)
    assert ran.code == 1
    assert not list(tmp_path.iterdir())


def test_the_command_knows_every_kind() -> None:
    from latentfu.cli.plugins import plugins_new

    (option,) = [each for each in plugins_new.params if each.name == "kind"]
    assert option.type.choices == ("control", *KINDS)  # type: ignore[attr-defined]
