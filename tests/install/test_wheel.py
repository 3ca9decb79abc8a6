"""People who install with pip have the GIMP plug-in too."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", "*.egg-info")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.Path:
    clone = tmp_path_factory.mktemp("clone")
    for name in ("server", "plugins", "gimp_plugin"):
        shutil.copytree(ROOT / name, clone / name, ignore=LEFT_OUT)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copyfile(ROOT / name, clone / name)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    command += ["--no-build-isolation", "--wheel-dir", str(clone / "out"), str(clone)]
    subprocess.run(command, check=True, capture_output=True)
    (built,) = (clone / "out").glob("latentfu-*.whl")
    return zipfile.Path(built)


def files(folder: zipfile.Path, base: str = "") -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for entry in folder.iterdir():
        name = f"{base}{entry.name}"
        found |= files(entry, f"{name}/") if entry.is_dir() else {name: entry.read_bytes()}
    return found


def on_disk(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_has_every_file_of_the_plug_in(wheel: zipfile.Path) -> None:
    (data,) = (entry for entry in wheel.iterdir() if entry.name.endswith(".data"))
    carried = files(data / "data/share/latentfu/gimp_plugin/latentfu")
    assert carried == on_disk(ROOT / "gimp_plugin/latentfu")


def test_the_wheel_has_the_weights_and_no_tests(wheel: zipfile.Path) -> None:
    names = {entry.name for entry in wheel.iterdir()}
    assert {"latentfu", "latentfu_builtin"} <= names
    assert (wheel / "latentfu/__init__.pyi").is_file()
    assert not names & {"tests", "install.py", "benchmarks"}
    carried = files(wheel / "latentfu_builtin/portraits")
    for kind in ("weights", "directions"):
        mine = on_disk(ROOT / "plugins/latentfu_builtin/portraits" / kind)
        assert {f"{kind}/{name}" for name in mine} <= carried.keys()


def test_an_installed_wheel_finds_its_plug_in(wheel: zipfile.Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    # Without --ignore-installed pip removes the installation that runs these tests.
    command += ["--ignore-installed", "--prefix", str(tmp_path), str(wheel.root.filename)]
    subprocess.run(command, check=True, capture_output=True)
    (packages,) = tmp_path.glob("lib*/python*/site-packages")
    code = (
        f"import sys; sys.path.insert(0, {str(packages)!r})\n"
        "from latentfu.setup.gimp_placement import source_folder\n"
        "print(source_folder())"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], check=True, capture_output=True, text=True
    )
    assert Path(done.stdout.strip()) == tmp_path / "share/latentfu/gimp_plugin/latentfu"
