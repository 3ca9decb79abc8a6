"""install.py itself, without fetching torch again."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """install.py as a module, for a project that needs no package at all."""
    spec = importlib.util.spec_from_file_location("latentfu_install_script", ROOT / "install.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    project = tmp_path / "project"
    (project / "latentfu").mkdir(parents=True)
    (project / "latentfu/__init__.py").write_text("")
    (project / "pyproject.toml").write_text('[project]\nname = "latentfu"\nversion = "1"\n')
    monkeypatch.setattr(module, "ROOT", project)
    monkeypatch.setenv("LATENTFU_HOME", str(tmp_path / "home"))
    return module


class Pip:
    """Stands in for the long part of pip: puts the project in place, or fails as told."""

    def __init__(self, script: ModuleType, monkeypatch: pytest.MonkeyPatch, template: Path) -> None:
        self.script = script
        self.template = template
        self.runs = 0
        self.failure = ""
        monkeypatch.setattr(script, "pip_install", self)
        monkeypatch.setattr(script, "make_venv", self.make_venv)

    def make_venv(self, venv: object, repair: bool) -> None:
        if repair:
            shutil.rmtree(venv.folder)  # type: ignore[attr-defined]
        shutil.copytree(
            self.template,
            venv.folder,  # type: ignore[attr-defined]
            symlinks=True,
            dirs_exist_ok=True,
        )

    def __call__(self, venv: object, testing: bool) -> None:
        self.runs += 1
        if self.failure:
            raise self.script.InstallError(self.failure)
        code = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
        done = subprocess.run(
            [str(venv.python), "-c", code],  # type: ignore[attr-defined]
            check=True,
            capture_output=True,
            text=True,
        )
        Path(done.stdout.strip(), "latentfu.pth").write_text(str(self.script.ROOT))


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment to copy: making one takes seconds."""
    folder = tmp_path_factory.mktemp("template") / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    return folder


@pytest.fixture
def pip(script: ModuleType, monkeypatch: pytest.MonkeyPatch, template: Path) -> Pip:
    return Pip(script, monkeypatch, template)


@pytest.mark.parametrize("version", [(3, 10), (3, 8), (2, 7)])
def test_an_old_python_gets_one_sentence(script: ModuleType, version: tuple[int, int]) -> None:
    sentence = script.too_old(version)
    assert sentence.startswith("Latent-Fu needs Python 3.11 or newer, this is")
    assert sentence.count(". ") == 0 and sentence.endswith(".")


@pytest.mark.parametrize("version", [(3, 11), (3, 14), (4, 0)])
def test_a_new_python_will_do(script: ModuleType, version: tuple[int, int]) -> None:
    assert script.too_old(version) is None


def test_the_second_run_does_not_call_pip(script: ModuleType, pip: Pip, tmp_path: Path) -> None:
    venv = script.Venv(tmp_path / "venv")
    script.set_up(venv)
    assert venv.runs("latentfu")
    script.set_up(venv)
    assert pip.runs == 1
    script.set_up(venv, testing=True)
    script.set_up(venv, testing=True)
    script.set_up(venv)
    assert pip.runs == 2
    content = (script.ROOT / "pyproject.toml").read_text()
    (script.ROOT / "pyproject.toml").write_text(content + 'dependencies = ["x"]\n')
    script.set_up(venv)
    assert pip.runs == 3


def test_a_failed_first_run_leaves_nothing(script: ModuleType, pip: Pip, tmp_path: Path) -> None:
    venv = script.Venv(tmp_path / "venv")
    pip.failure = "The disk is full."
    with pytest.raises(script.InstallError, match="disk is full"):
        script.set_up(venv)
    assert not venv.folder.exists()


def test_an_interrupted_run_is_repaired_by_the_next(
    script: ModuleType, pip: Pip, tmp_path: Path
) -> None:
    venv = script.Venv(tmp_path / "venv")
    script.set_up(venv)
    venv.write_stamp(state="installing", created=True)
    venv.python.unlink()
    assert not venv.ready(testing=False)
    script.set_up(venv)
    assert venv.ready(testing=False)


def test_a_folder_of_yours_is_not_taken(script: ModuleType, pip: Pip, tmp_path: Path) -> None:
    mine = tmp_path / "photos"
    mine.mkdir()
    (mine / "holiday.png").write_text("mine")
    assert script.main(["--venv", str(mine)]) == 1
    assert script.main(["uninstall", "--venv", str(mine)]) == 0
    assert (mine / "holiday.png").read_text() == "mine"


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("ERROR: Could not install: [Errno 28] No space left on device", "The disk is full"),
        ("NewConnectionError: Failed: name resolution", "pip could not reach its package index"),
        ("SSLError CERTIFICATE_VERIFY_FAILED", "does not trust the certificate"),
        ("ERROR: No matching distribution found for torch>=2.10", "pip found no torch>=2.10"),
        ("ERROR: ResolutionImpossible: x", "could not be installed (ResolutionImpossible: x)"),
    ],
)
def test_failures_are_one_sentence(
    script: ModuleType, tmp_path: Path, output: str, sentence: str
) -> None:
    said = script.explain(f"noise\n{output}\n", tmp_path / "pip.log")
    assert sentence in said
    assert output in (tmp_path / "pip.log").read_text()
    assert "\n" not in said


def test_an_index_that_is_not_there(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: object
) -> None:
    """The real pip, against an empty folder of packages."""
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    venv = script.Venv(tmp_path / "venv")
    with pytest.raises(script.InstallError, match="pip found no setuptools"):
        script.set_up(venv)
    assert not venv.folder.exists()


def test_what_pip_is_fetching_is_named(script: ModuleType, tmp_path: Path) -> None:
    assert script.downloading(tmp_path) is None
    (tmp_path / "pip-unpack").mkdir()
    wheel = tmp_path / "pip-unpack/torch-2.15.0-cp311-cp311-linux_x86_64.whl"
    wheel.write_bytes(bytes(3_000_000))
    assert script.downloading(tmp_path) == "torch-2.15.0: 3 MB"


def test_uninstall_without_a_working_environment(script: ModuleType, tmp_path: Path) -> None:
    """The plug-in goes even when the environment is gone; data stays."""
    placed = tmp_path / "GIMP/3.0/plug-ins/latentfu"
    placed.mkdir(parents=True)
    (placed / "latentfu.py").write_text("")
    config = tmp_path / "home/config"
    config.mkdir(parents=True)
    record = {"python": "/gone", "version": "1", "plug_ins": [str(placed), str(tmp_path)]}
    (config / "program.json").write_text(json.dumps(record))
    (config / "server.json").write_text("{}")
    (config / "token").write_text("secret")
    assert script.main(["uninstall", "--venv", str(tmp_path / "none")]) == 0
    assert not placed.exists()
    assert [path.name for path in config.iterdir()] == ["token"]
    assert tmp_path.exists()


def test_purge_without_a_working_environment_removes_nothing(
    script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    placed = tmp_path / "GIMP/3.0/plug-ins/latentfu"
    placed.mkdir(parents=True)
    assert script.main(["uninstall", "--purge", "--venv", str(tmp_path / "none")]) == 1
    assert len(capsys.readouterr().err.strip().splitlines()) == 1 and placed.exists()


@pytest.mark.parametrize("purge", [True, False])
def test_uninstall_takes_what_is_ours_and_nothing_beside_it(tmp_path: Path, purge: bool) -> None:
    """As install.py calls it: a server that runs, a placed plug-in, data on another disk."""
    house, home, disk = tmp_path / "house", tmp_path / "home", tmp_path / "disk"
    environment = {**os.environ, "HOME": str(house), "LATENTFU_HOME": str(home), "PATH": "/nowhere"}
    plug_ins = house / ".config/GIMP/3.0/plug-ins"
    (plug_ins / "other").mkdir(parents=True)
    disk.mkdir()
    home.mkdir()
    (home / "data").symlink_to(disk, target_is_directory=True)
    (home / "mine.txt").write_text("kept")

    def latentfu(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert latentfu("latentfu", "gimp", "install").returncode == 0
    assert (plug_ins / "latentfu/latentfu.py").is_file()
    command = [sys.executable, "-m", "latentfu", "serve", "--port", "0"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as server:
        assert server.stdout and server.stdout.readline()
        (disk / "mine.safetensors").write_text("")
        gone = latentfu("latentfu.setup.uninstall", *(["--purge"] if purge else []))
        assert gone.returncode == 0, gone.stderr
        server.wait(30)
    assert sorted(path.name for path in plug_ins.iterdir()) == ["other"]
    left = {path.name for path in home.iterdir()}
    assert left == ({"mine.txt"} if purge else {"mine.txt", "config", "data", "cache"})
    assert disk.exists() is not purge
    assert not (home / "config/server.json").exists()


@pytest.mark.parametrize("order", [["--venv", "X", "demo"], ["demo", "--venv", "X"]])
def test_the_environment_may_be_named_before_or_after(script: ModuleType, order: list[str]) -> None:
    options = script.parse(order)
    assert options.venv == Path("X")
    assert options.run is script.command_demo


def test_running_tests_are_shown_as_they_come(script: ModuleType, capfd: object) -> None:
    code = "import time; print('first', flush=True); time.sleep(0.2); print('= 3 passed =')"
    begun = time.monotonic()
    assert script.run_and_keep([sys.executable, "-c", code], {}) == (0, "3 passed")
    assert time.monotonic() > begun
