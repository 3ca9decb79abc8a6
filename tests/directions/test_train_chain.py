"""From sorted pictures, scores or samples to a direction, in one command."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from latentfu import (
    BadInputError,
    CancelledError,
    ControlMaker,
    ControlRequest,
    Direction,
    Scorer,
    hookimpl,
    random_latents,
    read_direction,
    write_direction,
)
from latentfu.core.progress import silent
from latentfu.storage.direction_control import DirectionEffect
from latentfu.testing.tiny import spec_of
from latentfu_builtin.directions.boundaries import train_boundary, train_on_labels
from latentfu_builtin.directions.commands.fit import fit_command
from latentfu_builtin.directions.commands.train import sample_command, train_direction_command
from latentfu_builtin.directions.picture_classifier import train_classifier
from latentfu_builtin.directions.plane_solvers import SOLVERS
from latentfu_builtin.directions.sample_cache import SamplePlan, draw_cached_samples
from latentfu_builtin.directions.seeded_samples import (
    SampleNumber,
    draw_z,
    read_number,
    save_numbered_picture,
    write_samples,
)
from latentfu_builtin.directions.training_data import (
    InversionChoice,
    list_sorted_folders,
    put_held_out_scores,
    read_picture_codes,
    train_on_pictures,
)

from tests.directions.test_makers import Blocks

PLANTED = torch.tensor([1.0, 1, 0, 0, 0, 0])
ID = "c" * 64
GENERATOR = Blocks(ID)
GENERATOR.mixing = torch.eye(6)


def level(images: torch.Tensor) -> torch.Tensor:
    """What is planted: the brightness of the first two rows of blocks."""
    return images[:, 0, :2, 0].sum(dim=1, keepdim=True) * 20


class World:
    """The plug-in with the generator and the scorer."""

    @staticmethod
    @hookimpl
    def latentfu_generators() -> list[Any]:
        return [spec_of(GENERATOR)]

    @staticmethod
    @hookimpl
    def latentfu_scorers() -> list[Scorer]:
        return [Scorer("level", "Level", "blocks", ("level",), lambda device: level)]

    @staticmethod
    @hookimpl
    def latentfu_control_makers() -> list[ControlMaker]:
        options = {"corner": 3, "soft": False}
        return [ControlMaker("corners", "Corners", make_corner, options=options)]


def read_points(images: torch.Tensor) -> torch.Tensor:
    """The level in points: 40 where it is none."""
    return 5 * level(images) + 40


class CountedWorld(World):
    """The same with a scorer that counts."""

    @staticmethod
    @hookimpl
    def latentfu_scorers() -> list[Scorer]:
        attributes, units = ("points",), {"points": "points"}
        return [Scorer("points", "Points", "blocks", attributes, lambda device: read_points, units)]


def make_corner(request: ControlRequest, out: Path) -> list[Path]:
    """The axis that the option names."""
    vector = np.eye(6, dtype=np.float32)[int(request.options["corner"])]
    name = str(request.options["name"])
    method = f"soft {request.options['soft']}"
    made = Direction(vector, "w", name, generator_id=request.generator.id, method=method)
    out.mkdir(parents=True, exist_ok=True)
    write_direction(out / f"{name}.safetensors", made)
    return [out / f"{name}.safetensors"]


Run = Callable[..., Result]


@pytest.fixture
def training(isolated_home: Path, registered: Any, tmp_path: Path) -> Run:
    registered(World())

    def run(*words: object) -> Result:
        common = ["level", "--generator", "blocks", "--out", str(tmp_path / "out"), "--name", "d"]
        return CliRunner().invoke(train_direction_command, [*common, *map(str, words)])

    return run


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """120 samples, sorted by what they show."""
    few, much = tmp_path / "few", tmp_path / "much"
    much.mkdir()
    for number, path in enumerate(write_samples(GENERATOR, 120, 0, few, silent)):
        if float(draw_z(GENERATOR, 0, [number])[0, :2].sum()) > 0:
            path.rename(much / f"renamed {number}.png")
    return few, much


def direction_in(tmp_path: Path) -> Any:
    return read_direction(tmp_path / "out" / "d.safetensors")


def along_the_planted(tmp_path: Path) -> float:
    vector = torch.from_numpy(direction_in(tmp_path).vector)
    return float(torch.cosine_similarity(vector, PLANTED, dim=0))


@pytest.mark.parametrize("method", list(SOLVERS))
def test_two_sorted_folders_give_the_direction(
    training: Run, folders: tuple[Path, Path], tmp_path: Path, method: str
) -> None:
    told = training("--folder", folders[0], "--folder", folders[1], "--method", method, "--json")
    assert told.exit_code == 0, told.exception
    report = json.loads(told.stdout)
    assert report["validation"]["accuracy"] > 0.85
    assert sum(report["validation"][k] for k in report["validation"] if k != "accuracy") >= 35
    assert along_the_planted(tmp_path) > 0.85
    assert direction_in(tmp_path).effect == pytest.approx(1.0, abs=0.1)


def test_what_a_scorer_counts_in_units_is_moved_by_them(
    isolated_home: Path, registered: Any, tmp_path: Path
) -> None:
    registered(CountedWorld())
    words = ["points", "--generator", "blocks", "--out", str(tmp_path / "out"), "--name", "d"]
    told = CliRunner().invoke(train_direction_command, [*words, "--samples", "800"])
    assert told.exit_code == 0, told.exception
    direction = direction_in(tmp_path)
    assert direction.unit == "points"
    effect, latent = DirectionEffect(direction), random_latents(GENERATOR, 40, 3)
    read = [
        read_points(GENERATOR.render(one))[:, 0]
        for one in (latent, effect.apply(latent, 7.0, GENERATOR))
    ]
    assert float((read[1] - read[0]).mean()) == pytest.approx(7.0, rel=0.1)
    reached = read_points(GENERATOR.render(effect.reach(latent, 55.0, GENERATOR)))[:, 0]
    assert float(reached.mean()) == pytest.approx(55.0, abs=3.0)
    spread = float(read[0].std())
    assert 2 * spread < direction.maximum < 4.5 * spread
    assert direction.minimum == -direction.maximum
    assert direction.effect == pytest.approx(1 / spread, rel=0.3)


def test_a_classifier_carries_the_sorting_over_to_new_samples(
    training: Run, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    words = ("--folder", folders[0], "--folder", folders[1], "--samples", 600, "--ends", 0.2)
    told = training(*words)
    assert told.exit_code == 0, told.exception
    assert "pictures it did not see" in told.stdout and "guessing" not in told.stdout
    assert along_the_planted(tmp_path) > 0.9


def test_a_classifier_that_sees_nothing_in_the_sorting_says_so(
    training: Run, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    """Sorted without looking, twice as many on one side: always that side is right more often."""
    pictures = sorted(path for folder in folders for path in folder.iterdir())
    order = np.random.default_rng(4).permutation(len(pictures))
    sides = tmp_path / "heads", tmp_path / "tails"
    for side in sides:
        side.mkdir()
    for place, number in enumerate(order):
        path = pictures[number]
        path.rename(sides[place % 3 == 0] / path.name)
    words = ("--folder", sides[0], "--folder", sides[1], "--classifier", "--ends", 0.3)
    told = training(*words)
    assert told.exit_code == 1 and "or say nothing about it" in str(told.exception)
    assert "That is no better than guessing (66.7%): the direction will mean" in told.stderr
    assert "differ in level alone" in told.stderr


def test_layers_are_trained_one_by_one(
    training: Run, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    told = training("--folder", folders[0], "--folder", folders[1], "--per-layer", "--json")
    assert told.exit_code == 0, told.exception
    assert len(json.loads(told.stdout)["layer_accuracy"]) == 2
    assert direction_in(tmp_path).vector.shape == (2, 6)


def test_a_scorer_labels_samples_and_another_direction_is_left_alone(
    training: Run, tmp_path: Path
) -> None:
    assert training("--method", "svm", "--samples", 500, "--ends", 0.2).exit_code == 0
    assert along_the_planted(tmp_path) > 0.95
    first = tmp_path / "out" / "first.safetensors"
    (tmp_path / "out" / "d.safetensors").rename(first)
    told = training("--method", "svm", "--samples", 500, "--ends", 0.2, "--without", first)
    assert told.exit_code == 1, "what is left of it moves nothing that the scorer reads"


def test_without_more_words_a_maker_trains_it(training: Run, tmp_path: Path) -> None:
    told = training("--samples", 500, "--plus", "brighter", "--json")
    assert told.exit_code == 0, told.exception
    report = json.loads(told.stdout)
    assert report["accuracy"] > 0.9 and report["effect"] == pytest.approx(1.0, abs=0.05)
    assert report["plus"] == "brighter" and "500 samples read by level" in report["method"]
    assert along_the_planted(tmp_path) > 0.95
    told = training("--maker", "ridge", "--samples", 500)
    assert (
        told.exit_code == 0
        and "of held-out samples; what else it moves was not measured" in told.stdout
    )
    told = training("--maker", "magic")
    assert told.exit_code == 1 and "installed: svm, ridge" in str(told.exception)


def test_a_makers_options_reach_it(training: Run, tmp_path: Path) -> None:
    assert training("--maker", "corners").exit_code == 0
    assert np.argmax(direction_in(tmp_path).vector) == 3
    told = training("--maker", "corners", "--option", "corner=5", "--option", "soft=true")
    assert told.exit_code == 0, told.exception
    assert np.argmax(direction_in(tmp_path).vector) == 5
    assert direction_in(tmp_path).method == "soft True"
    told = training("--maker", "corners", "--option", "edge=1")
    assert "has no option 'edge'; it has: corner, soft" in str(told.exception)


def test_a_natural_step_follows_the_codes_and_keeps_the_boundary(
    training: Run, folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Codes that move together with what was sorted move with it."""
    mixing = torch.eye(6)
    mixing[4, 0] = 2.0
    monkeypatch.setattr(GENERATOR, "mixing", mixing)
    words = ("--folder", folders[0], "--folder", folders[1])
    assert training(*words).exit_code == 0
    plain = direction_in(tmp_path)
    assert training(*words, "--natural").exit_code == 0
    natural = direction_in(tmp_path)
    assert np.array_equal(natural.normal, plain.normal) and natural.bias == plain.bias
    share = [float(abs(d.vector[4]) / np.linalg.norm(d.vector)) for d in (plain, natural)]
    assert share[1] > 0.5 and share[1] > share[0] + 0.2
    assert natural.effect == pytest.approx(1.0, abs=0.1)


def test_a_broken_off_stream_goes_on(tmp_path: Path) -> None:
    plan = SamplePlan(GENERATOR, 2000, 3, "w", "level", 1)
    calls = []

    def stop(fraction: float, message: str = "") -> None:
        if fraction > 0.7:
            raise CancelledError

    def score(images: torch.Tensor) -> torch.Tensor:
        calls.append(len(images))
        return level(images)

    with pytest.raises(CancelledError):
        draw_cached_samples(plan, score, stop, tmp_path / "a")
    before = sum(calls)
    broken = draw_cached_samples(plan, score, silent, tmp_path / "a")
    whole = draw_cached_samples(plan, score, silent, tmp_path / "b")
    assert sum(calls) - before < 2000 + 2000 - 1000
    assert np.array_equal(broken.scores, whole.scores)
    assert np.array_equal(broken.codes, whole.codes)


def test_fewer_samples_do_not_spoil_those_that_are_there(tmp_path: Path) -> None:
    """A shorter run between two long ones once left zeros in place of codes."""
    plan = SamplePlan(GENERATOR, 500, 3, "w", "level", 1)
    calls = []

    def score(images: torch.Tensor) -> torch.Tensor:
        calls.append(len(images))
        return level(images)

    first = np.array(draw_cached_samples(plan, score, silent, tmp_path).codes)
    few = draw_cached_samples(replace(plan, count=100), score, silent, tmp_path)
    assert len(few.codes) == len(few.scores) == 100
    again = draw_cached_samples(plan, score, silent, tmp_path)
    assert np.array_equal(again.codes, first) and (again.codes != 0).any(axis=1).all()
    assert sum(calls) == 512  # batches are full ones, whatever is asked for
    assert len(draw_cached_samples(replace(plan, count=600), score, silent, tmp_path).codes) == 600
    assert sum(calls) == 608


def test_samples_that_a_classifier_learned_from_are_scored_by_others(
    folders: tuple[Path, Path],
) -> None:
    """Samples and sorted pictures of the same seed are the same pictures."""
    listed = list_sorted_folders(folders)
    random = np.random.default_rng(0).integers(0, 2, len(listed)).astype(float)  # cannot be seen
    mixed = [(path, label) for (path, _), label in zip(listed, random, strict=True)]
    found = read_picture_codes(mixed, GENERATOR, InversionChoice(), silent)
    trained = train_on_pictures(found, found.labels, GENERATOR, None, 0)
    numbers = [number.number for number in found.numbers if number]
    assert sorted(numbers) == list(range(120))
    scores = np.full(200, 99.0)
    put_held_out_scores(scores, found, found.labels, trained, 0)
    assert np.array_equal(scores[numbers], trained.held_out_scores) and (scores[120:] == 99).all()
    other = np.full(200, 99.0)
    put_held_out_scores(other, found, found.labels, trained, 1)
    assert (other == 99).all()


def test_a_scored_folder_of_pictures(
    training: Run, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    lines = [f"{p.name},{float(draw_z(GENERATOR, 0, [int(p.stem[-6:])])[0, 1])}"
             for p in sorted(folders[0].iterdir())]  # fmt: skip
    (tmp_path / "s.csv").write_text("name,score\n" + "\n".join(lines))
    told = training("--pictures", folders[0], "--scores", tmp_path / "s.csv", "--ends", 0.4)
    assert told.exit_code == 0, told.exception
    told = training("--pictures", folders[1], "--scores", tmp_path / "s.csv")
    assert "which is not in" in str(told.exception)


def test_samples_of_another_generator_are_refused(
    training: Run, folders: tuple[Path, Path]
) -> None:
    save_numbered_picture(folders[0] / "x.png", torch.zeros(3, 6, 6), SampleNumber("f" * 64, 0, 1))
    told = training("--folder", folders[0], "--folder", folders[1])
    assert told.exit_code == 1 and "another generator" in str(told.exception)


def test_bad_folders_are_one_sentence(
    training: Run, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    for words, sentence in (
        ((folders[0],), "one kind only"),
        ((folders[0], tmp_path / "empty"), "no pictures"),
        ((folders[0], tmp_path / "nowhere"), "no folder"),
    ):
        told = training(*(part for folder in words for part in ("--folder", folder)))
        assert told.exit_code == 1 and sentence in str(told.exception)
        assert not (tmp_path / "out").exists()


def test_three_samples_and_one_class_and_nan_are_refused() -> None:
    codes = np.random.default_rng(0).standard_normal((40, 4))
    with pytest.raises(BadInputError, match="at least 2"):
        train_boundary(codes[:3], np.arange(3.0), 0.5)
    with pytest.raises(BadInputError, match="one kind"):
        train_on_labels(codes, np.ones(40, dtype=np.int64))
    codes[7, 2] = np.nan
    with pytest.raises(BadInputError, match="not finite"):
        train_on_labels(codes, np.arange(40) % 2)


def test_a_file_of_codes_larger_than_memory_is_read_in_parts_or_refused(
    training: Run, tmp_path: Path
) -> None:
    """7 GB of codes on a sparse file: the ends are read; too many of them are refused."""
    path = tmp_path / "codes.npy"
    codes = np.lib.format.open_memmap(path, mode="w+", dtype=np.float64, shape=(100_000, 9216))
    del codes
    np.save(tmp_path / "scores.npy", np.arange(2000.0))
    words = [str(path), str(tmp_path / "scores.npy"), "--generator", "blocks", "--name", "d"]
    told = CliRunner().invoke(fit_command, words)
    assert told.exit_code == 1 and "fit no space of blocks" in str(told.exception)
    mapped = np.load(path, mmap_mode="r")
    huge = np.lib.stride_tricks.as_strided(mapped[:1], (100_000, 9216), (0, 8))
    with pytest.raises(BadInputError, match="more than fit into memory"):
        train_boundary(huge, np.arange(100_000.0), 0.4)


def test_the_classifier_never_scores_what_it_learned_from() -> None:
    """Random labels can be learned by heart; left-out scores show that nothing was found."""
    draw = np.random.default_rng(0)
    images = torch.from_numpy(draw.standard_normal((80, 3, 16, 16)).astype(np.float32))
    trained = train_classifier(lambda i: images[i], np.arange(80) % 2, None, 0)
    assert trained.accuracy < 0.75
    learned = (trained.score(images)[:, 0] > 0).numpy() == (np.arange(80) % 2 == 1)
    assert learned.mean() > 0.95


def test_samples_are_the_same_whichever_are_asked_for(tmp_path: Path) -> None:
    many = draw_z(GENERATOR, 5, range(600))
    assert torch.equal(draw_z(GENERATOR, 5, [599, 3]), many[[599, 3]])
    (path,) = write_samples(GENERATOR, 1, 5, tmp_path, silent)
    assert read_number(path, GENERATOR) == SampleNumber(ID, 5, 0)


def test_sample_writes_pictures_to_sort(training: Run, tmp_path: Path) -> None:
    words = ["--generator", "blocks", "--count", "3", "--out", str(tmp_path / "s")]
    assert CliRunner().invoke(sample_command, words).exit_code == 0
    assert len(list((tmp_path / "s").glob("*.png"))) == 3
