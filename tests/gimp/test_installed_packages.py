"""Real GIMP 3: packages that pip installed while the server runs are rows of the window."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from latentfu.cli.plugins import write_package

from tests.gimp.desktop import wait_for
from tests.gimp.edit_window import Edit

KEPT = "about(image.get_layers()[0])['state']['edits']"


@pytest.fixture(scope="module")
def packages(share: Path, home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A slider and a choice, as ``latentfu plugins new`` writes them, for the small network."""
    folder = tmp_path_factory.mktemp("packages")
    written = [write_package("my-push", folder), write_package("my-look", folder, kind="choice")]
    for package in written:
        for module in package.glob("latentfu_*/__init__.py"):
            module.write_text(module.read_text().replace('"portraits"', '"test"'))
    options = ("--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--target")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", *options]
    subprocess.run([*pip, share / "packages", *written], check=True)
    yield
    shutil.rmtree(share / "packages")


@pytest.fixture
def window(packages: None, edit: Edit) -> Iterator[Edit]:
    def is_there() -> bool:
        edit.open(edits="")
        found = bool(edit.look("bool(part('Look', Gtk.ComboBoxText))", False))
        if not found:
            edit.cancel()
        return found

    wait_for(is_there, "the packages are not taken up", 90)
    yield edit


def test_a_slider_of_a_package_edits_a_layer(window: Edit) -> None:
    window.do("number('First component').set_value(3)")
    assert window.apply().startswith("my-push ")
    assert window.look(KEPT) == {"my-push": 3.0}
    assert window.look("changed(layer, image.get_layers()[0])['count']") > 1000


def test_a_choice_of_a_package_edits_a_layer(window: Edit) -> None:
    window.do("part('Look', Gtk.ComboBoxText).set_active_id('second')")
    assert window.apply().startswith("my-look ")
    assert window.look(KEPT) == {"my-look": "second"}
    assert window.look("changed(layer, image.get_layers()[0])['count']") > 1000
