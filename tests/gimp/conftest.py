"""GIMP 3 with the plug-in, and the server it talks to. Left out, with the reason, without GIMP."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gimp import chroot, machine
from tests.gimp.desktop import Desktop
from tests.gimp.edit_window import Edit
from tests.gimp.gimp import Gimp
from tests.gimp.steps import SETUP
from tests.gimp.window_steps import WINDOW

HERE = Path(__file__).parent
WORLDS = (
    HERE.parent / "support" / "small_world.py",
    HERE / "faces_world.py",
    HERE / "wardrobe_world.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    mine = [item for item in items if HERE in item.path.parents]
    reason = ""
    try:
        if mine:
            machine.find()
    except chroot.NoGimpError as error:
        reason = str(error)
    for item in mine:
        item.add_marker(pytest.mark.gimp)
        if reason:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def share() -> Iterator[Path]:
    """A folder that is seen at the same path beside GIMP; short, for the sockets in it."""
    with tempfile.TemporaryDirectory(prefix="lfgimp-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def shell(share: Path) -> Iterator[machine.Shell]:
    shell = machine.find().shell(share)
    yield shell
    shell.close()


@pytest.fixture(scope="session")
def home(share: Path) -> Iterator[Path]:
    """LATENTFU_HOME of a running server that GIMP finds, with a second, tiny network in it.

    What pip puts into ``packages`` beside it, the server finds as if it were installed.
    """
    home = share / "latentfu"
    home.mkdir(exist_ok=True)
    plugins = home / "config" / "plugins"
    plugins.mkdir(parents=True, exist_ok=True)
    for world in WORLDS:
        shutil.copy(world, plugins)
    with (share / "serve.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "latentfu", "serve", "--port", "0"],
            env={
                **os.environ,
                "LATENTFU_HOME": str(home),
                "PYTHONPATH": os.pathsep.join([str(HERE.parents[1]), str(share / "packages")]),
                "OMP_NUM_THREADS": "1",
            },
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    deadline = time.monotonic() + 60
    while not (home / "config" / "server.json").exists():
        said = (share / "serve.log").read_text(errors="replace")
        assert process.poll() is None and time.monotonic() < deadline, said
        time.sleep(0.1)
    yield home
    process.terminate()
    process.wait(20)


@pytest.fixture(scope="session")
def gimp(shell: machine.Shell, share: Path, home: Path) -> Iterator[Gimp]:
    """GIMP without a window."""
    gimp = Gimp(shell, share / "console")
    yield gimp
    gimp.quit()


PORTRAIT_SIZE = (480, 600)


@pytest.fixture(scope="session")
def portrait(share: Path) -> Path:
    """A rendered person, off-center, larger than the network's resolution."""
    return _draw(share / "portrait.png", 20268465, (0.46, 0.45, 0.8))


@pytest.fixture(scope="session")
def second_portrait(share: Path) -> Path:
    """Another person."""
    return _draw(share / "second.png", 20268748, (0.52, 0.46, 0.85))


@pytest.fixture(scope="session")
def photograph(share: Path) -> Path:
    """A photograph of a face, 320 x 320: regions are read in photographs only."""
    from PIL import Image

    path = share / "photograph.png"
    with Image.open(HERE.parent / "faces" / "reference" / "astronaut.png") as whole:
        whole.convert("RGB").crop((70, 0, 390, 320)).save(path)
    return path


def _draw(path: Path, seed: int, where: tuple[float, float, float]) -> Path:
    import torch
    from latentfu_builtin.portraits.renderer import PortraitPlacement, render, sample
    from PIL import Image

    # Beside other work, threads that wait for each other cost far more than they bring.
    torch.set_num_threads(1)
    people = sample(1, seed=seed)
    picture = render(people, PORTRAIT_SIZE[::-1], placement=PortraitPlacement(*where))[0]
    levels = ((picture.permute(1, 2, 0) + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    Image.fromarray(levels.numpy()).save(path)
    return path


@pytest.fixture(scope="session")
def edit_gimp(
    shell: machine.Shell, share: Path, home: Path, portrait: Path, second_portrait: Path
) -> Iterator[Gimp]:
    folder = share / "edit"
    folder.mkdir()
    desktop = Desktop(shell, folder)
    gimp = Gimp(shell, share / "edit-window", desktop.display)
    gimp.run(SETUP + WINDOW + f'PORTRAIT = "{portrait}"; SECOND = "{second_portrait}"')
    gimp.desktop = desktop  # type: ignore[attr-defined]
    yield gimp
    gimp.quit()


@pytest.fixture
def edit(edit_gimp: Gimp) -> Iterator[Edit]:
    # GIMP shows what a refused call said in a window, which would lie over that of the next test.
    edit_gimp.desktop.dismiss("GIMP Message")  # type: ignore[attr-defined]
    edit_gimp.run("image = load(PORTRAIT); layer = image.get_layers()[0]")
    edit = Edit(edit_gimp)
    yield edit
    edit.cancel()


@pytest.fixture(scope="session")
def screenshots() -> Path | None:
    """Where pictures for the documentation go, None when nobody asked for them."""
    given = os.environ.get("LATENTFU_SCREENSHOTS")
    if not given:
        return None
    folder = Path(given)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
