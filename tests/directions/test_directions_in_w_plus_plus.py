"""Directions of a generator whose styles have codes of their own: w++ as a whole is searched."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from latentfu import (
    BadInputError,
    ControlRequest,
    Direction,
    DirectionEffect,
    Generator,
    Latent,
    Scorer,
    random_latents,
    read_direction,
)
from latentfu.core.progress import silent
from latentfu_builtin.directions.commands.fit import space_of_codes
from latentfu_builtin.directions.control_makers import make_ridge, make_svm
from latentfu_builtin.directions.effects import EffectMeasurement
from latentfu_builtin.directions.find_directions import find_directions
from latentfu_builtin.directions.published.fit_to_generator import ReferenceCodes, measure_along
from latentfu_builtin.directions.train_direction import TrainingSettings, train_direction
from latentfu_builtin.directions.training_data import TrainingSource, collect_training_data

TOKENS, WIDE = 3, 4


class Tokens(Generator):
    """A z for each of three styles of four numbers; the picture shows each number as a block."""

    name, id, domain, resolution = "tokens", "d" * 64, "tokens", 12
    spaces = ("w++",)
    z_dim, w_dim, num_ws = TOKENS * WIDE, WIDE, TOKENS
    sizes = torch.tensor([1.0, 3.0, 0.5])[:, None] * torch.tensor([1.0, 2.0, 1.0, 0.5])

    @property
    def device(self) -> torch.device:
        return torch.device("cpu")

    def map(
        self, z: torch.Tensor, psi: float = 1.0, cutoff: Any = None, labels: Any = None
    ) -> Latent:
        return Latent(psi * z.unflatten(1, (TOKENS, WIDE)) * self.sizes, "w++", self.id)

    def render(  # type: ignore[override]
        self, latent: Latent, noise: str = "const", features: Sequence[int] | None = None
    ) -> torch.Tensor:
        assert latent.space == "w++"
        return (latent.codes.flatten(1)[:, None, :, None] / 60).expand(-1, 3, 12, 12).float()

    def mean_latent(self) -> Latent:
        return self.map(torch.zeros(1, self.z_dim))


def score(images: torch.Tensor) -> torch.Tensor:
    """Number 2 of style 0 with number 0 of style 2; and number 1 of style 1."""
    shown = images[:, 0, :, 0] * 60
    return torch.stack([shown[:, 2] + 2 * shown[:, 8], shown[:, 5]], dim=1)


SCORER = Scorer("tokens", "Tokens", "tokens", ("both", "one"), lambda device: score)
BOTH = np.zeros((TOKENS, WIDE))
BOTH[0, 2], BOTH[2, 0] = 1.0, 2.0


def gain(direction: Direction) -> float:
    """What strength 0.5 does to the attribute, in its standard deviations, for 0.5."""
    generator = Tokens()
    fresh = random_latents(generator, 2000, 77)
    moved = DirectionEffect(direction).move(fresh, 0.5, generator)
    before, after = (score(generator.render(latent))[:, 0] for latent in (fresh, moved))
    return float((after - before).mean() / before.std() / 0.5)


def alike(a: np.ndarray, b: np.ndarray) -> float:
    return float((a * b).sum() / np.linalg.norm(a) / np.linalg.norm(b))


@pytest.mark.parametrize("make", [make_svm, make_ridge])
def test_makers_find_what_lies_in_several_styles(make: Any, tmp_path: Path) -> None:
    (path,) = make(ControlRequest(Tokens(), "both", 1500, 1, silent, SCORER, {}), tmp_path)
    found = read_direction(path)
    assert found.space == "w++" and found.vector.shape == (TOKENS, WIDE)
    with_the_codes = BOTH * Tokens.sizes.square().numpy()
    assert alike(found.vector, with_the_codes) > 0.98
    assert gain(found) == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("settings", [{}, {"natural": True}, {"per_layer": True}])
def test_the_chain_from_samples_keeps_every_style(
    settings: dict[str, bool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LATENTFU_HOME", str(tmp_path))
    generator = Tokens()
    source = TrainingSource("both", samples=1200, space="w++", work=tmp_path / "work")
    labelled, _ = collect_training_data(source, generator, SCORER, silent)
    assert labelled.codes.shape == (1200, TOKENS, WIDE)
    again, _ = collect_training_data(source, generator, SCORER, silent)
    assert np.array_equal(again.codes, labelled.codes)
    words = {"name": "both", "attribute": "both"}
    measurement = EffectMeasurement.on_fresh_samples(generator, SCORER, 0)
    asked = TrainingSettings(ends=0.2, words=words, **settings)
    made = train_direction(labelled, asked, generator, measurement).direction
    assert made.space == "w++" and made.vector.shape == (TOKENS, WIDE)
    assert alike(made.vector, BOTH) > 0.7 and gain(made) == pytest.approx(1.0, abs=0.1)


def test_principal_components_are_of_all_styles_or_of_those_asked_for() -> None:
    first, second = find_directions(Tokens(), "pca", 2, progress=silent)
    assert first.space == "w++" and first.vector.shape == (TOKENS, WIDE)
    assert abs(first.vector[1, 1]) == pytest.approx(6.0, rel=0.1)  # the widest of all numbers
    assert abs(alike(first.vector, second.vector)) < 0.05
    late = find_directions(Tokens(), "pca", 1, layers=(2, 2), progress=silent)[0]
    assert not late.vector[:2].any() and abs(late.vector[2, 1]) == pytest.approx(1.0, rel=0.1)


def test_lengths_of_given_arrays_are_measured_over_all_styles() -> None:
    codes = ReferenceCodes.of(Tokens())
    spread, middle = measure_along(BOTH / np.linalg.norm(BOTH), codes)
    assert spread == pytest.approx(np.sqrt((1 + 4 * 0.25) / 5), rel=0.1) and abs(middle) < 0.1
    assert space_of_codes(np.zeros((5, TOKENS, WIDE)), Tokens()) == "w++"
    with pytest.raises(BadInputError, match="fit no space"):
        space_of_codes(np.zeros((5, 7)), Tokens())
