"""``latentfu plugins new`` writes packages that keep their contract, for every kind."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import latentfu
import numpy as np
import pytest
from latentfu.cli.plugin_kinds import KINDS
from latentfu.plugin_manager import Registry
from latentfu.plugin_manager.sources import Source
from latentfu.testing import LayeredGenerator, check_controls, spec_of, tiny_spec

EVERY = ("direction", *KINDS)
ROOT = Path(__file__).parents[2]
PASSED = {"direction": 3, "deformation": 2}
"""How many tests a package has, where it is not one."""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from latentfu.cli.plugins import write_package

    folder = tmp_path_factory.mktemp("packages")
    for kind in EVERY:
        write_package(f"my-{kind}", folder, kind=kind)
    return folder


@pytest.mark.parametrize("kind", EVERY)
def test_it_lists_what_it_brings(written: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
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
    expected = sum(PASSED.get(kind, 1) for kind in EVERY)
    assert f"{expected} passed" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("kind", EVERY)
def test_each_has_what_a_package_is_published_with(written: Path, kind: str) -> None:
    package = written / f"latentfu-my-{kind}"
    workflow = (package / ".github" / "workflows" / "test.yml").read_text()
    for command in ("ruff check .", "mypy", "pytest"):
        assert f"- run: {command}\n" in workflow
    readme = (package / "README.md").read_text()
    assert f"latentfu plugins install latentfu-my-{kind}" in readme
    project = tomllib.loads((package / "pyproject.toml").read_text())
    assert project["tool"]["mypy"]["strict"] is True
    assert project["project"]["license"] == "Apache-2.0"
    assert (package / f"latentfu_my_{kind}" / "py.typed").exists()


def test_their_style_is_clean(written: Path) -> None:
    for command in (["check"], ["format", "--check"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--no-cache", "."]
        done = subprocess.run(ruff, cwd=written, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("kind", [*EVERY, "example-direction", "example-generator"])
def test_their_types_are_strict(
    written: Path, kind: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """As its author runs it: mypy takes ``strict`` from the package's own pyproject.toml."""
    package = written / f"latentfu-my-{kind}"
    if kind not in EVERY:
        package = ROOT / "examples" / f"latentfu-{kind}"
    cache = tmp_path_factory.getbasetemp() / "mypy-of-packages"  # shared: torch is read once
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", cache],
        cwd=package, capture_output=True, text=True, check=False,
        env={**os.environ, "MYPYPATH": str(ROOT / "server")},
    )  # fmt: skip
    assert "Success: no issues found" in done.stdout, done.stdout + done.stderr


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
    assert option.type.choices == ("direction", *KINDS, "control")  # type: ignore[attr-defined]


def test_the_old_name_of_a_direction_is_taken(latentfu_program: Any, tmp_path: Path) -> None:
    for kind in ("control", "direction"):
        ran = latentfu_program(
            "plugins", "new", "tilt", "--kind", kind, "--folder", tmp_path / kind
        )
        assert ran.code == 0, ran.err
    one, other = (tmp_path / kind / "latentfu-tilt" for kind in ("control", "direction"))
    files = [path.relative_to(one) for path in one.rglob("*") if path.is_file()]
    assert len(files) == 6
    assert all((one / file).read_text() == (other / file).read_text() for file in files)


def test_a_pack_ships_deformations_too(
    latentfu_program: Any, tmp_path: Path, registered: Callable[..., Registry]
) -> None:
    generator = LayeredGenerator()
    shift = np.full((16, 16, 3, 3), 0.01, np.float32)
    facts = {"generator_id": generator.id, "author": "Ada", "licence": "CC0-1.0"}
    bend = latentfu.Deformation(shift, "second.weight", 0, "swell", **facts)
    latentfu.write_deformation(tmp_path / "swell.safetensors", bend)
    step = latentfu.Direction(vector=np.ones(8), space="z", name="lean", **facts)
    latentfu.write_direction(tmp_path / "lean.safetensors", step)
    ran = latentfu_program(
        "plugins", "new", "both", "--folder", tmp_path, "--json",
        "--directions", tmp_path / "swell.safetensors",
        "--directions", tmp_path / "lean.safetensors",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    package = Path(ran.json["folder"])
    test = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    environment = {**os.environ, "PYTHONPATH": str(package)}
    done = subprocess.run(
        test, cwd=package, env=environment, capture_output=True, text=True, check=False
    )
    assert "3 passed" in done.stdout, done.stdout
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(package))
        latentfu_both = importlib.import_module("latentfu_both")

        found = check_controls(latentfu_both, generator, spec_of(generator))
    assert {one.name: one.kind for one in found} == {"lean": "direction", "swell": "deformation"}
