"""GIMP 3 with the plug-in, and the server it talks to. Left out, with the reason, without GIMP."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

HERE = Path(__file__).parent
sys.path.append(str(HERE))

import chroot  # noqa: E402
import machine  # noqa: E402
from gimp import Gimp  # noqa: E402


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
    """LATENTFU_HOME of a running server that GIMP finds; the real one unless told otherwise."""
    home = share / "latentfu"
    home.mkdir(exist_ok=True)
    if os.environ.get("LATENTFU_GIMP_SERVER") == "standin":
        server = _standin().StandIn()
        server.write_address(home)
        yield home
        server.close()
        return
    process = subprocess.Popen(
        [sys.executable, "-m", "latentfu", "serve"],
        env={**os.environ, "LATENTFU_HOME": str(home)},
        stdout=(share / "serve.log").open("wb"),
        stderr=subprocess.STDOUT,
    )
    deadline = time.monotonic() + 60
    while not (home / "config" / "server.json").exists():
        log = (share / "serve.log").read_text(errors="replace")
        assert process.poll() is None and time.monotonic() < deadline, log
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


PORTRAIT_SIZE = (240, 320)


@pytest.fixture(scope="session")
def portrait(share: Path) -> Path:
    """A head and shoulders, drawn here, off-centre."""
    path = share / "portrait.png"
    width, height = PORTRAIT_SIZE
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    picture = np.stack([90 + 0 * x, 110 + y / 8, 140 + x / 6], axis=-1)
    _ellipse(picture, x, y, (110, 330, 100, 110), (60, 70, 120))
    _ellipse(picture, x, y, (110, 140, 74, 100), (70, 45, 30))
    _ellipse(picture, x, y, (110, 155, 60, 82), (224, 178, 150))
    for eye in (86, 134):
        _ellipse(picture, x, y, (eye, 140, 13, 8), (250, 250, 250))
        _ellipse(picture, x, y, (eye, 140, 6, 7), (50, 40, 30))
    _ellipse(picture, x, y, (110, 198, 24, 7), (180, 70, 70))
    Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(path)
    return path


def _ellipse(picture, x, y, place, colour) -> None:
    cx, cy, rx, ry = place
    inside = ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 < 1
    picture[inside] = colour


@pytest.fixture(scope="session")
def screenshots() -> Path | None:
    """Where pictures for the documentation go, None when nobody asked for them."""
    given = os.environ.get("LATENTFU_SCREENSHOTS")
    if not given:
        return None
    folder = Path(given)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _standin():
    path = HERE.parent / "gimp_client" / "standin.py"
    spec = importlib.util.spec_from_file_location("latentfu_standin", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["latentfu_standin"] = module
    spec.loader.exec_module(module)
    return module
