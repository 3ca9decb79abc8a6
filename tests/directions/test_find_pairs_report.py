"""Directions without labels, from pairs, and what a report says of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import latentfu
import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from latentfu import (
    BadInputError,
    Direction,
    DirectionEffect,
    Generator,
    Latent,
    SynthesisLayer,
    hookimpl,
    own_directions_dir,
    read_direction,
    write_direction,
)
from latentfu.core.progress import silent
from latentfu.testing.tiny import TinyGenerator, spec_of
from latentfu_builtin.directions.commands.find import find_command
from latentfu_builtin.directions.commands.fit import direction_pairs_command
from latentfu_builtin.directions.commands.report import clean_command, report_command
from latentfu_builtin.directions.find_directions import find_directions
from latentfu_builtin.directions.pairs import measure_mean_difference
from latentfu_builtin.directions.report import fit_line
from latentfu_builtin.directions.seeded_samples import draw_z, write_samples

from tests.directions.test_makers import Blocks


class Stretched(Blocks):
    """w spreads most along its last number; styles change most along the sum of two."""

    layers = (SynthesisLayer("a", 6, 3, 0, "synthesis.convs.0.weight"),)

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self.mixing = torch.diag(torch.tensor([1.0, 1.2, 1.4, 2, 3, 6]))

    def parameter(self, name: str) -> torch.Tensor:
        if name == "synthesis.convs.0.affine.weight":
            return torch.cat([torch.eye(6), torch.tensor([[0.0, 1, 1, 0, 0, 0]] * 4)])
        return super().parameter(name)


ID = "f" * 64
GENERATOR = Stretched(ID)
ON = ("--generator", "blocks")


def rows(images: torch.Tensor) -> torch.Tensor:
    """The brightness of rows 0 and 4."""
    return images[:, 0, [0, 4], 0] * 20


class World:
    @staticmethod
    @hookimpl
    def latentfu_generators() -> list[Any]:
        return [spec_of(GENERATOR)]

    @staticmethod
    @hookimpl
    def latentfu_scorers() -> list[latentfu.Scorer]:
        return [latentfu.Scorer("rows", "Rows", "blocks", ("top", "low"), lambda device: rows)]


Run = Callable[..., Result]


@pytest.fixture
def run(isolated_home: Path, registered: Any) -> Run:
    registered(World())

    def call(command: click.Command, *words: object) -> Result:
        return CliRunner().invoke(command, [*map(str, words)])

    return call


def keep(name: str, vector: list[float], **facts: Any) -> Direction:
    words = {"attribute": "", **facts}
    direction = Direction(
        vector=np.array(vector, dtype=np.float32), space="w", name=name, generator_id=ID, **words
    )
    write_direction(own_directions_dir() / f"{name}.safetensors", direction)
    return direction


def test_components_come_by_their_spread_and_one_spread_long() -> None:
    found = find_directions(GENERATOR, "pca", 2, progress=silent)
    assert abs(found[0].vector[5]) == pytest.approx(6.0, rel=0.03)
    assert abs(found[1].vector[4]) == pytest.approx(3.0, rel=0.03)


def test_the_factorisation_gives_what_changes_styles_most() -> None:
    (found,) = find_directions(GENERATOR, "sefa", 1, progress=silent)
    unit = found.vector / np.linalg.norm(found.vector)
    assert np.allclose(np.abs(unit), [0, 0.7071, 0.7071, 0, 0, 0], atol=1e-4)


def test_a_network_that_shows_no_weights_says_so() -> None:
    with pytest.raises(BadInputError, match="try --method pca"):
        find_directions(TinyGenerator(), "sefa", 2, progress=silent)
    with pytest.raises(BadInputError, match="spread alike"):
        find_directions(TinyGenerator(), "pca", 2, progress=silent)


def test_a_sheet_is_looked_at_and_one_is_kept(run: Run, tmp_path: Path) -> None:
    told = run(
        find_command, *ON, "--count", 3, "--out", tmp_path / "f", "--name", "1=glow", "--flip"
    )
    assert told.exit_code == 0, told.exception
    assert (tmp_path / "f" / "sheet.png").stat().st_size > 1000
    kept = read_direction(own_directions_dir() / "glow.safetensors")
    shown = read_direction(tmp_path / "f" / "pca-1.safetensors")
    assert np.array_equal(kept.vector, -shown.vector) and kept.attribute == "glow"
    assert "glow" in latentfu.controls("blocks")
    assert "0 to 2" in str(run(find_command, *ON, "--count", 3, "--name", "3=x").exception)


def test_pairs_give_their_mean_difference(run: Run, tmp_path: Path) -> None:
    before = write_samples(GENERATOR, 4, 1, tmp_path / "before", silent)
    after = write_samples(GENERATOR, 4, 2, tmp_path / "after", silent)
    for old, new in zip(before, after, strict=True):
        new.rename(new.with_name(old.name))
    told = run(
        direction_pairs_command,
        *ON,
        tmp_path / "before",
        tmp_path / "after",
        "--name",
        "p",
        "--json",
    )
    assert told.exit_code == 0, told.exception
    steps = (draw_z(GENERATOR, 2, range(4)) - draw_z(GENERATOR, 1, range(4))) @ GENERATOR.mixing.T
    found = read_direction(own_directions_dir() / "p.safetensors")
    assert np.allclose(found.vector, steps.mean(dim=0), atol=1e-5)
    report = json.loads(told.stdout)
    along = steps @ steps.mean(dim=0) / steps.mean(dim=0).square().sum()
    assert report["agreement"] < 0.9
    assert report["spread"] == pytest.approx(float(along.std()), rel=1e-4)


def test_pairs_that_agree_and_one_pair() -> None:
    step = torch.tensor([1.0, 2.0])
    codes = torch.stack([torch.zeros(2), step, torch.ones(2), torch.ones(2) + step])
    mean, spread = measure_mean_difference(codes)
    assert torch.equal(mean, step) and spread.agreement == pytest.approx(1.0)
    assert spread.length == pytest.approx(0.0, abs=1e-6)
    assert measure_mean_difference(codes[:2])[1].agreement == 1.0
    codes[3] += step
    assert measure_mean_difference(codes)[1].length == pytest.approx(2**0.5 / 3)
    with pytest.raises(BadInputError, match="do not differ"):
        measure_mean_difference(torch.zeros(2, 3))


def test_folders_without_common_names_are_refused(run: Run, tmp_path: Path) -> None:
    write_samples(GENERATOR, 2, 1, tmp_path / "a", silent)
    write_samples(GENERATOR, 2, 2, tmp_path / "b", silent)
    told = run(direction_pairs_command, *ON, tmp_path / "a", tmp_path / "b", "--name", "p")
    assert "same name" in str(told.exception)


def test_a_report_measures_what_was_planted(run: Run, tmp_path: Path) -> None:
    keep("top", [1.0, 0, 0, 0, 1.5, 0], attribute="top")
    keep("low", [0, 0, 0, 0, 3.0, 0], attribute="low")
    told = run(report_command, "blocks", "--out", tmp_path / "r", "--json")
    assert told.exit_code == 0, told.exception
    report = json.loads((tmp_path / "r" / "report.json").read_text())
    low, top = report["directions"]
    assert (low["name"], top["name"]) == ("low", "top")
    assert low["effect"] == pytest.approx(1.0, rel=0.25) and low["effects"]["top"] == 0.0
    assert top["effects"]["low"] == pytest.approx(0.5, rel=0.25)
    assert low["linearity"] == pytest.approx(1.0, abs=1e-4)
    assert report["cosines"][0][1] == pytest.approx(1.5 / np.hypot(1, 1.5), abs=1e-3)
    assert (tmp_path / "r" / "matrix.png").is_file()
    assert "| top |" in (tmp_path / "r" / "report.md").read_text()


def test_a_direction_is_cleaned_of_what_it_leaks_on(run: Run) -> None:
    keep("top", [1.0, 0, 0, 0, 1.5, 0], attribute="top", leakage={"low": 0.5})
    keep("low", [0, 0, 0, 0, 3.0, 0], attribute="low")
    told = run(clean_command, "top", "--generator", "blocks")
    assert told.exit_code == 0, told.exception
    new = read_direction(own_directions_dir() / "top-clean.safetensors")
    assert new.vector[0] > 0.5 and np.allclose(new.vector[1:], 0, atol=1e-6)
    assert new.leakage["low"] == pytest.approx(0, abs=1e-6)
    assert new.effect == pytest.approx(1.0, abs=0.05)
    assert "Nothing of the direction" in str(
        run(
            clean_command, "top", "--generator", "blocks", "--without", "top", "--name", "x"
        ).exception
    )


def test_the_line_through_a_curve() -> None:
    assert fit_line(np.array([-2.0, -1, 0, 1, 2])) == pytest.approx(1.0)
    assert fit_line(np.array([4.0, 1, 0, 1, 4])) == pytest.approx(0.0)
    assert fit_line(np.zeros(5)) == 0.0


def blocks_latent(codes: list[list[float]]) -> tuple[Generator, Latent]:
    return GENERATOR, Latent(torch.tensor(codes)[:, None].repeat(1, 2, 1), "w+", ID)


def test_an_amount_is_reached_from_wherever_a_code_is() -> None:
    vector = np.array([2.0, 0, 0, 0, 0, 0], dtype=np.float32)
    direction = Direction(vector=vector, space="w", name="d", generator_id=ID, bias=-1.0)
    generator, latent = blocks_latent([[5.0, 1, 1, 1, 1, 1], [-3.0, 2, 2, 2, 2, 2]])
    mover = DirectionEffect(direction)
    assert mover.amount(latent, generator).tolist() == [2.0, -2.0]
    reached = mover.reach(latent, 1.5, generator)
    assert mover.amount(reached, generator).tolist() == pytest.approx([1.5, 1.5])
    assert torch.equal(reached.codes[:, :, 1:], latent.codes[:, :, 1:])
    part = mover.within((1, 1)).reach(latent, 0.0, generator)
    assert torch.equal(part.codes[:, 0], latent.codes[:, 0])
    assert part.codes[:, 1, 0].tolist() == pytest.approx([1.0, 1.0])
