"""Strangers' packages, pip-installed, are seen by the command line and over HTTP."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from latentfu.cli.plugin_kinds import KINDS
from PIL import Image

from tests.support.own_environment import Stranger, make_environment

EXAMPLES = Path(__file__).parents[2] / "examples"
NAME = "example-direction"
GENERATOR = "example-dcgan"


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Stranger:
    """A new environment with the examples installed."""
    folder = tmp_path_factory.mktemp("stranger")
    found = make_environment(folder)
    source = shutil.copytree(EXAMPLES, folder / "source")  # building leaves files behind
    options = ("--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check")
    found.run("-m", "pip", "install", "--quiet", *options, *sorted(source.glob("latentfu-*")))
    return found


def test_it_went_into_its_own_environment(stranger: Stranger) -> None:
    code = "import latentfu_example_direction as it, sys; print(it.__file__.startswith(sys.prefix))"
    assert stranger.run("-P", "-c", code).stdout.strip() == "True"
    assert subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, check=False
    ).returncode


def test_the_command_line_sees_it(stranger: Stranger) -> None:
    plugins = {plugin["name"]: plugin for plugin in stranger.latentfu("plugins", "list")["plugins"]}
    assert plugins[NAME]["state"] == "ok", plugins[NAME]["reason"]
    assert plugins[NAME]["origin"] == "package latentfu-example-direction"
    assert plugins[NAME]["version"] == "0.1.0"
    assert plugins[NAME]["provides"] == {"controls": [NAME]}
    listed = stranger.latentfu("controls", "list")
    assert listed["generator"] == "portraits"
    names = [control["name"] for control in listed["controls"]]
    assert names[-1] == NAME
    assert "smile" in names


@pytest.fixture
def server(stranger: Stranger) -> Iterator[dict[str, Any]]:
    """``latentfu serve`` of that environment; gives server.json."""
    command = [str(stranger.python), "-P", "-m", "latentfu", "serve", "--port", "0"]
    process = subprocess.Popen(
        command,
        env=stranger.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = stranger.home / "config" / "server.json"
    end = time.monotonic() + 60
    try:
        while not address.exists():
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.05)
        yield json.loads(address.read_text())
    finally:
        process.terminate()
        process.wait(20)


def ask(stranger: Stranger, server: dict[str, Any], path: str) -> Any:
    """A plain request, made without our own client."""
    from urllib.request import Request, urlopen

    token = (stranger.home / "config" / "token").read_text().strip()
    request = Request(
        f"http://127.0.0.1:{server['port']}{path}", headers={"Authorization": f"Bearer {token}"}
    )
    with urlopen(request, timeout=60) as reply:
        return json.load(reply)


def test_it_is_seen_over_http(stranger: Stranger, server: dict[str, Any]) -> None:
    listed = ask(stranger, server, "/v1/controls?generator=portraits")
    (control,) = [control for control in listed["controls"] if control["name"] == NAME]
    assert control["group"] == "components"
    plugins = ask(stranger, server, "/v1/plugins")["plugins"]
    assert {plugin["name"]: plugin["state"] for plugin in plugins}[NAME] == "ok"


def test_a_generator_that_is_no_stylegan_is_seen(
    stranger: Stranger, server: dict[str, Any]
) -> None:
    plugins = {plugin["name"]: plugin for plugin in stranger.latentfu("plugins", "list")["plugins"]}
    provided = plugins["example-generator"]["provides"]
    assert provided == {"generators": [GENERATOR], "controls": ["background_light", "skin_tone"]}
    listed = ask(stranger, server, f"/v1/controls?generator={GENERATOR}")["controls"]
    assert {"background_light", "skin_tone"} <= {control["name"] for control in listed}
    assert "smile" not in {control["name"] for control in listed}, "trained for other weights"


def test_a_generator_that_is_no_stylegan_edits_a_picture(stranger: Stranger) -> None:
    people = stranger.home.parent / "people"
    stranger.latentfu("generators", "render", GENERATOR, "--count", "1", "-o", str(people))
    (picture,) = people.glob("*.png")
    edited = stranger.home.parent / "edited.png"
    chosen = ("--generator", GENERATOR, "--aligner", "center", "--quality", "draft")
    stranger.latentfu(
        "edit", str(picture), "-o", str(edited), *chosen, "--set", "background_light=2"
    )
    before, after = (np.asarray(Image.open(path).convert("L")) for path in (picture, edited))
    assert after[:8, :8].mean() > before[:8, :8].mean() + 5


def test_what_a_generator_without_layers_can_not_do_is_one_sentence(stranger: Stranger) -> None:
    made = stranger.run(
        *("-P", "-m", "latentfu", "deformations", "discover", "--generator", GENERATOR),
        *("--layer", "1", "--method", "svd", "--out", stranger.home.parent / "found"),
        check=False,
    )
    assert made.returncode == 1
    assert made.stderr.count("\n") == 1
    assert "Traceback" not in made.stderr
    assert not (stranger.home.parent / "found").exists()


@pytest.mark.slow
@pytest.mark.parametrize(("package", "passed"), [("direction", 3), ("generator", 4)])
def test_its_own_tests_pass(stranger: Stranger, package: str, passed: int) -> None:
    options = ("-q", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestConfigWarning")
    tests = stranger.home.parent / "source" / f"latentfu-example-{package}" / "tests"
    done = stranger.run("-m", "pytest", *options, "--rootdir", tests, tests)
    assert f"{passed} passed" in done.stdout, done.stdout


PIP = ("--no-deps", "--no-build-isolation", "--json")


def test_a_new_package_is_installed_upgraded_and_removed(
    stranger: Stranger, tmp_path: Path
) -> None:
    for kind in ("loss", "inverter"):
        made = stranger.latentfu(
            "plugins", "new", f"my-{kind}", "--kind", kind, "--folder", str(tmp_path)
        )
        ran = stranger.run("-P", "-m", "latentfu", "plugins", "install", *PIP, made["folder"])
        (plugin,) = json.loads(ran.stdout)["plugins"]
        assert (plugin["name"], plugin["state"]) == (f"my-{kind}", "ok"), plugin["reason"]
        stranger.run("-m", "pytest", "-q", "-p", "no:cacheprovider", made["folder"])
    removed = stranger.latentfu("plugins", "uninstall", "my-loss", "my-inverter")
    assert removed["removed"] == ["latentfu-my-loss", "latentfu-my-inverter"]
    names = [one["name"] for one in stranger.latentfu("plugins", "list", "--static")["plugins"]]
    assert "my-loss" not in names
    assert NAME in names


@pytest.mark.parametrize("module", ["latentfu", "latentfu_builtin"])
def test_no_package_can_overwrite_the_program(
    stranger: Stranger, tmp_path: Path, module: str
) -> None:
    (tmp_path / module).mkdir()
    (tmp_path / module / "__init__.py").write_text("taken = True")
    (tmp_path / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
        '[project]\nname = "faces-pack"\nversion = "1"\n'
        f'[tool.setuptools]\npackages = ["{module}"]\n'
    )
    ran = stranger.run("-P", "-m", "latentfu", "plugins", "install", *PIP, tmp_path, check=False)
    assert ran.returncode == 1
    assert f"has files of {module} in it and would overwrite the program" in ran.stdout
    assert "faces-pack" not in stranger.run("-m", "pip", "list").stdout


def test_what_belongs_to_the_program_is_not_removed(stranger: Stranger) -> None:
    ran = stranger.run("-P", "-m", "latentfu", "plugins", "uninstall", "portraits", check=False)
    assert (ran.returncode, "belongs to latentfu itself" in ran.stderr) == (1, True)
    for name in ("builtin", "1st", "portraits"):
        new = stranger.run("-P", "-m", "latentfu", "plugins", "new", name, check=False)
        assert new.returncode == 1, name


@pytest.fixture(scope="module")
def of_every_kind(stranger: Stranger) -> list[str]:
    """A package of each kind, installed at once; their names."""
    folder = stranger.home.parent / "kinds"
    folders = []
    for kind in ("direction", *KINDS):
        made = stranger.latentfu(
            "plugins", "new", f"one-{kind}", "--kind", kind, "--folder", str(folder)
        )
        folders.append(made["folder"])
    stranger.run("-P", "-m", "latentfu", "plugins", "install", *PIP, *folders)
    return [f"one-{kind}" for kind in ("direction", *KINDS)]


def test_a_package_of_every_kind_is_seen(
    stranger: Stranger, of_every_kind: list[str], server: dict[str, Any]
) -> None:
    listed = stranger.latentfu("plugins", "list")["plugins"]
    over_http = ask(stranger, server, "/v1/plugins")["plugins"]
    for plugins in (listed, over_http):
        states = {one["name"]: (one["state"], one["reason"]) for one in plugins}
        assert {name: states[name] for name in of_every_kind} == dict.fromkeys(
            of_every_kind, ("ok", "")
        )
    brought = {hook for one in listed if one["name"] in of_every_kind for hook in one["provides"]}
    assert len(brought) >= len(KINDS) - 1, brought
    assert "one-command" in stranger.run("-P", "-m", "latentfu", "--help").stdout


def build_wheel(stranger: Stranger, folder: Path, version: str, out: Path) -> None:
    """The wheel of a package under another version."""
    project = folder / "pyproject.toml"
    text = re.sub(r'(?m)^version = ".*"', f'version = "{version}"', project.read_text())
    project.write_text(text)
    building = ("--no-deps", "--no-build-isolation", "--disable-pip-version-check")
    stranger.run("-m", "pip", "wheel", "--quiet", *building, "--wheel-dir", out, folder)


@contextmanager
def package_index(folder: Path) -> Iterator[str]:
    """A local index over HTTP, as a studio may have one."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/simple/"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("way", ["wheel", "folder", "index"])
def test_wheels_are_installed_upgraded_and_removed(
    stranger: Stranger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    name = f"by-{way}"
    made = stranger.latentfu("plugins", "new", name, "--kind", "loss", "--folder", str(tmp_path))
    wheels = tmp_path / "simple" / f"latentfu-{name}"
    build_wheel(stranger, Path(made["folder"]), "1.0", wheels)
    asked = str(next(wheels.glob("*.whl"))) if way == "wheel" else f"latentfu-{name}"
    with package_index(tmp_path) as address:
        if way == "index":
            monkeypatch.setenv("PIP_INDEX_URL", address)
        else:
            monkeypatch.setenv("PIP_NO_INDEX", "1")
            monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
        done = stranger.latentfu("plugins", "install", asked)
        assert [(one["name"], one["state"]) for one in done["plugins"]] == [(name, "ok")]
        assert installed_version(stranger, name) == "1.0"
        build_wheel(stranger, Path(made["folder"]), "1.1", wheels)
        stranger.latentfu("plugins", "upgrade", name)
        assert installed_version(stranger, name) == "1.1"
    removed = stranger.latentfu("plugins", "uninstall", name)
    assert removed["removed"] == [f"latentfu-{name}"]
    assert installed_version(stranger, name) is None


def installed_version(stranger: Stranger, name: str) -> str | None:
    listed = stranger.latentfu("plugins", "list")["plugins"]
    return next((one["version"] for one in listed if one["name"] == name), None)


def test_what_is_not_in_the_index_is_one_sentence(
    stranger: Stranger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    ran = stranger.run("-P", "-m", "latentfu", "plugins", "install", "nobody-has-it", check=False)
    assert ran.returncode == 1 and ran.stderr.count("\n") == 1
    assert "pip could not do it" in ran.stderr and "nobody-has-it" in ran.stderr
