"""Commands with --engine and --jobs, as a person types them: the same files whoever works."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import latentfu
import numpy as np
import pytest
from latentfu import LocalEngine, silent
from latentfu.storage.safetensors_file import read_arrays
from latentfu_builtin.deformations.discover import search_directions
from latentfu_builtin.deformations.search import DeformationSearch
from latentfu_builtin.evaluation.divided_features import FeatureDivision
from latentfu_builtin.evaluation.evaluate_generator import EvaluationMethod, open_feature_reader
from latentfu_builtin.evaluation.references import FolderReferences
from PIL import Image

from tests.support import small_world
from tests.support.engine_world import furnish
from tests.support.interrupts import heard_interrupts
from tests.support.program import Program


@pytest.fixture(autouse=True)
def house(isolated_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    furnish(isolated_home)
    return isolated_home


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_samples_are_the_same_files_with_two_processes(
    latentfu_program: Program, tmp_path: Path
) -> None:
    words = ("directions", "sample", "--generator", "little", "--count", "40", "--seed", "2")
    for jobs in ("1", "2"):
        ran = latentfu_program(*words, "--out", tmp_path / jobs, "--jobs", jobs)
        assert ran.code == 0, ran.err
    assert len(contents(tmp_path / "1")) == 40
    assert contents(tmp_path / "1") == contents(tmp_path / "2")


def test_samples_that_are_there_stay_and_broken_ones_are_drawn_again(
    latentfu_program: Program, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    words = ("directions", "sample", "--generator", "little", "--out", out, "--jobs", "1")
    assert latentfu_program(*words, "--count", "40").code == 0
    before, whole = {path: path.stat().st_mtime_ns for path in out.iterdir()}, contents(out)
    cut, *_, last = sorted(before)
    cut.write_bytes(cut.read_bytes()[:-20])
    last.unlink()
    assert latentfu_program(*words, "--count", "40").code == 0
    assert contents(out) == whole
    kept = [path for path in sorted(before)[16:32] if path.stat().st_mtime_ns == before[path]]
    assert len(kept) == 16  # the batch in the middle; a batch is drawn as a whole
    assert latentfu_program(*words, "--count", "50").code == 0
    assert contents(out).items() >= whole.items() and len(contents(out)) == 50


def test_scores_are_kept_for_training_whoever_draws(
    latentfu_program: Program, tmp_path: Path, house: Path
) -> None:
    network = house / "data" / "generators" / "little.safetensors"
    words = ("directions", "sample", "--scores", "--count", "300", "--seed", "4")
    for name, jobs, generator in (("a", "1", "little"), ("b", "2", "little"), ("c", "2", network)):
        place = ("--out", tmp_path / name, "--generator", generator, "--jobs", jobs)
        ran = latentfu_program(*words, *place)
        assert ran.code == 0, ran.err
    assert contents(tmp_path / "a") == contents(tmp_path / "b") == contents(tmp_path / "c")
    shards = sorted(name for name in contents(tmp_path / "a") if name.startswith("shard"))
    assert len(shards) == 2
    rows = read_arrays(tmp_path / "a" / shards[0])
    assert rows["codes"].shape == (256, 16) and rows["scores"].shape == (256, 2)
    before = contents(tmp_path / "a")
    ran = latentfu_program(
        "directions", "train", "above", "--generator", "little", "--samples", "300", "--seed", "4",
        "--work", tmp_path / "a", "--ends", "0.2", "--jobs", "1", "--json",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert contents(tmp_path / "a") == before and Path(ran.json["file"]).is_file()


def test_scores_of_another_seed_are_not_mixed(latentfu_program: Program, tmp_path: Path) -> None:
    words = ("directions", "sample", "--scores", "--count", "20", "--generator", "little")
    assert latentfu_program(*words, "--out", tmp_path / "out", "--seed", "1").code == 0
    ran = latentfu_program(*words, "--out", tmp_path / "out", "--seed", "2")
    assert ran.code == 1 and "another network, seed or scorer" in ran.err


def test_a_folder_has_the_same_codes_whoever_inverts_it(
    latentfu_program: Program, tmp_path: Path, house: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their files differ: each says how long it took."""
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(3):
        pixels = small_world.picture(40, 50, 3, number).pixels
        Image.fromarray(pixels).save(photos / f"p{number}.png")
    (photos / "bad.png").write_bytes(b"no picture")
    words = ("--generator", "little", "--inverter", "w-plus", "--losses", "pixels", "--steps", "5")
    found, shown = [], []
    for jobs in ("1", "2"):
        out = tmp_path / jobs
        ran = latentfu_program(
            "invert", photos, "-o", out, *words, "--jobs", jobs, "--again", "--json",
            "--save-image", out / "shown", "--coupled",
        )  # fmt: skip
        assert ran.code == 1 and [row["picture"] for row in ran.json["pictures"]] == [
            "bad.png", "p0.png", "p1.png", "p2.png",
        ]  # fmt: skip
        found.append([read_arrays(out / f"p{number}.safetensors") for number in range(3)])
        shown.append([(out / "shown" / f"p{number}.png").read_bytes() for number in range(3)])
    assert shown[0] == shown[1]
    for one, two in zip(*found, strict=True):
        assert one.keys() == two.keys() and all(
            np.array_equal(one[name], two[name]) for name in one
        )
    (tmp_path / "2" / "p1.safetensors").unlink()
    again = latentfu_program(
        "invert", photos, "-o", tmp_path / "2", *words, "--jobs", "2", "--json"
    )
    states = [row.get("state") for row in again.json["pictures"]]
    assert states == [None, "there already", "cached", "there already"]


def test_wrong_use_is_a_sentence(latentfu_program: Program, tmp_path: Path) -> None:
    picture = tmp_path / "p.png"
    Image.new("RGB", (40, 40)).save(picture)
    ran = latentfu_program("invert", picture, "-o", tmp_path / "x", "--jobs", "2")
    assert ran.code == 2 and "for a folder of pictures" in ran.err
    ran = latentfu_program("directions", "train", "above", "--maker", "svm", "--jobs", "2")
    assert ran.code == 2 and "draws its samples itself" in ran.err
    words = ("directions", "sample", "--generator", "little", "--out", tmp_path / "out")
    ran = latentfu_program(*words, "--engine", "spark")
    assert ran.code == 1 and "There is no engine 'spark'" in ran.err
    ran = latentfu_program(*words, "--engine", "ray://127.0.0.1:9")
    assert ran.code == 1 and "No Ray cluster listens at ray://127.0.0.1:9" in ran.err


def test_deformations_are_the_same_whoever_multiplies(
    latentfu_program: Program, tmp_path: Path
) -> None:
    """300 samples of 16 px are two batches of the Hessian's products."""
    generator = latentfu.open_generator("little", "cpu")
    search = DeformationSearch(generator, 1, count=2, samples=300, distance="pixels")
    one, two = (
        search_directions(replace(search, engine=LocalEngine(jobs)), silent).numpy()
        for jobs in (1, 2)
    )
    assert np.array_equal(one, two) and one.shape == (2, 16, 16, 3, 3)
    near = search_directions(search, silent).numpy()  # with all threads of this process
    assert np.allclose(one, near, atol=1e-3)
    words = ("--generator", "little", "--layer", "1", "--count", "2", "--samples", "2")
    ran = latentfu_program(
        "deformations", "discover", *words, "--distance", "pixels", "--out", tmp_path / "out",
        "--jobs", "1",
    )  # fmt: skip
    assert ran.code == 0 and len(list((tmp_path / "out").glob("*.safetensors"))) == 2


def test_features_of_pictures_are_the_same_whoever_looks(tmp_path: Path) -> None:
    """A generator's own, and those of a folder that they are compared with."""
    generator = latentfu.open_generator("little", "cpu")
    for number in range(40):
        Image.fromarray(small_world.picture(30, 30, 3, number).pixels).save(
            tmp_path / f"{number}.png"
        )
    look = open_feature_reader(None)
    method = EvaluationMethod(look, "scorer", lambda one, two: one, samples=40, seed=3)
    folder = FolderReferences(tmp_path, 16, 40, 0)
    found = []
    for jobs in (1, 2):
        by = FeatureDivision(LocalEngine(jobs), None, "little")
        found.append(by.look_at_generated(generator, method, silent))
        found.append(by.look_at_references(folder, generator, method, silent))
    assert np.array_equal(found[0].features, found[2].features)
    assert np.array_equal(found[1].features, found[3].features)
    assert np.array_equal(found[1].sharpness, found[3].sharpness)
    assert len(found[0].features) == len(found[1].sharpness) == 40


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_ctrl_c_is_one_word_and_leaves_no_process(tmp_path: Path) -> None:
    """As in a terminal, where it goes to every process of the command."""
    out, mark = tmp_path / "out", f"MARK={tmp_path}"
    words = ["directions", "sample", "--scores", "--count", "90000", "--generator", "little"]
    with heard_interrupts():
        running = subprocess.Popen(
            [sys.executable, "-m", "latentfu", *words, "--out", str(out), "--jobs", "2"],
            env={**os.environ, "MARK": str(tmp_path)}, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
    until = time.monotonic() + 120
    while not (out / "shard-00000.safetensors").is_file() and time.monotonic() < until:
        time.sleep(0.1)
    os.killpg(running.pid, signal.SIGINT)
    told = running.communicate(timeout=60)
    assert (running.returncode, told) == (130, ("", "\nStopped.\n"))
    while (left := list_marked(mark)) and time.monotonic() < until:
        time.sleep(0.1)
    assert left == [] and not (out / "manifest.json").exists()


def list_marked(mark: str) -> list[str]:
    """The processes that have this in their environment."""
    found = []
    for place in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark.encode() in place.read_bytes():
                found.append(place.parent.name)
        except OSError:
            continue
    return found
