"""The demo as a person runs it, with a small random generator in place of the trained one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from latentfu.core.contact_sheet import CELL, SheetRow, contact_sheet
from latentfu.demo.scenes import Square, count_changed_outside, draw_ellipse
from PIL import Image

SMALL_WORLD = Path(__file__).parents[1] / "support" / "small_world.py"
PICTURES = ("portrait", "inverted", "edited", "masked", "mixed")
SAMPLES = """
import latentfu

def smooth(seed):
    import numpy as np
    from PIL import Image
    coarse = np.random.default_rng(seed).integers(0, 256, (5, 4, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((768, 960), Image.Resampling.BICUBIC)).copy()

@latentfu.hookimpl
def latentfu_sample_pictures():
    for seed, name in enumerate(("one", "other")):
        yield latentfu.SamplePicture(
            name, name, "test", lambda seed=seed: smooth(seed), lambda name=name: name + "-1"
        )
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the small generator, and pictures of its domain that need not be rendered."""
    home = tmp_path_factory.mktemp("home")
    plugins = home / "config/plugins"
    plugins.mkdir(parents=True)
    shutil.copyfile(SMALL_WORLD, plugins / "small_world.py")
    (plugins / "samples.py").write_text(SAMPLES)
    return home


def run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "latentfu.demo", *arguments],
        env={**os.environ, "LATENTFU_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )


def pixels(folder: Path, name: str) -> np.ndarray:
    with Image.open(folder / f"{name}.png") as image:
        return np.array(image)


@pytest.fixture(scope="module")
def out(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo") / "not/there/yet"
    done = run(home, "--out", str(out), "--generator", "small")
    assert done.returncode == 0, done.stderr
    assert "Finding the portrait in the network" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("Look here:")
    return out


def test_everything_is_written_and_nothing_else(out: Path) -> None:
    wanted = {f"{name}.png" for name in PICTURES} | {"sheet.png", "report.json"}
    assert {path.name for path in out.iterdir()} == wanted
    for name in PICTURES:
        assert pixels(out, name).shape == (960, 768, 3)


def test_each_picture_shows_a_change(out: Path) -> None:
    for name in PICTURES[1:]:
        assert (pixels(out, name) != pixels(out, "portrait")).any(), name


def test_the_report_counts_no_pixel_outside_the_masks(out: Path) -> None:
    report = json.loads((out / "report.json").read_text())
    assert report["changed_outside_mask"] == 0
    assert set(report["changed_outside"]) == {"masked", "mixed"}
    assert report["inversion"]["psnr"] > 0
    assert set(report["seconds"]) >= {"portrait", "inverted", "edited", "masked", "mixed", "sheet"}
    assert {"latentfu", "torch", "python"} <= set(report["versions"])


def test_the_masked_edit_stays_small(out: Path) -> None:
    changed = (pixels(out, "portrait") != pixels(out, "masked")).any(axis=2)
    assert 0 < changed.mean() < 0.2


def test_the_server_that_was_started_is_stopped(home: Path, out: Path) -> None:
    assert not (home / "config/server.json").exists()


def test_a_second_run_finds_the_inversion(home: Path, out: Path, tmp_path: Path) -> None:
    assert run(home, "--out", str(tmp_path), "--generator", "small").returncode == 0
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["inversion"]["inversion_cached"] is True
    for name in PICTURES:
        assert (tmp_path / f"{name}.png").read_bytes() == (out / f"{name}.png").read_bytes()


def test_a_portrait_from_the_cache_does_not_wait_for_torch(tmp_path: Path) -> None:
    code = (
        "import sys, shutil; from latentfu.demo import sample_pictures as pictures; "
        "one, other = pictures.choose_sample_pictures('portraits'); "
        "path = pictures._cached_file(one); path.parent.mkdir(parents=True); "
        f"shutil.copyfile({str(tmp_path / 'kept.png')!r}, path); "
        "shape = pictures.read_sample_picture(one).shape; "
        "print(one.name, other.name, one.domain, shape, 'torch' in sys.modules)"
    )
    Image.new("RGB", (768, 960)).save(tmp_path / "kept.png")
    environment = {**os.environ, "LATENTFU_HOME": str(tmp_path / "home")}
    told = subprocess.check_output([sys.executable, "-c", code], env=environment, text=True)
    assert told.strip() == "sitter guest portraits (960, 768, 3) False"


def test_mistakes_are_one_sentence(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    for arguments, sentence in (
        (("--out", str(file / "x")), "name another --out."),
        (("--out", str(tmp_path), "--generator", "none"), "There is no generator none"),
    ):
        done = run(home, *arguments)
        assert done.returncode == 1
        assert sentence in done.stderr
        assert "Traceback" not in done.stderr


def test_pixels_outside_the_mask_are_counted() -> None:
    before = np.zeros((20, 30, 3), np.uint8)
    after = before.copy()
    mask = draw_ellipse((20, 30), Square(0, 0, 20), (0.5, 0.5), (0.3, 0.3))
    after[mask > 0] = 9
    assert count_changed_outside(before, after, mask) == 0
    after[0, 0, 2] = 1
    after[19, 29] = 1
    assert count_changed_outside(before, after, mask) == 2


def test_a_soft_mask_stays_inside_the_hard_one() -> None:
    place = ((40, 30), Square(3, 5, 24), (0.5, 0.4), (0.4, 0.5))
    soft, hard = draw_ellipse(*place, softness=0.5), draw_ellipse(*place)
    assert (hard[soft > 0] == 255).all()
    assert 0 < np.count_nonzero(soft == 255) < np.count_nonzero(hard)


def test_the_sheet_has_a_row_for_each_control() -> None:
    face = np.full((30, 30, 3), 77, np.uint8)
    rows = [SheetRow("A very long title that cannot fit", "more of it " * 9, [face] * 5)] * 5
    sheet = np.asarray(contact_sheet(rows, ["-2", "-1", "0", "+1", "+2"]))
    assert (sheet == 77).all(axis=2).sum() == 5 * 5 * CELL * CELL
