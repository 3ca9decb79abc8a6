"""Directions learned from scored samples: a planted one is found again, and measured right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from latentfu import BadInputError, ControlRequest, Generator, Latent, Scorer, read_direction
from latentfu.core.progress import silent
from latentfu_builtin.directions.boundaries import Whitening, project_boundary, train_boundary
from latentfu_builtin.directions.control_makers import make_ridge, make_svm
from latentfu_builtin.directions.plane_solvers import solve_svm

ID = "e" * 64


class Blocks(Generator):
    """w = mixed z; each of its 6 numbers is the brightness of a block of the picture."""

    name, domain, resolution = "blocks", "blocks", 6
    spaces = ("w", "w+")
    z_dim, w_dim, num_ws = 6, 6, 2

    def __init__(self, id: str = ID) -> None:
        """Another ``mixing`` is another network, and so has another ``id``."""
        self.id = id
        draw = torch.Generator().manual_seed(3)
        self.mixing = torch.randn(6, 6, generator=draw) + 2 * torch.eye(6)

    @property
    def device(self) -> torch.device:
        return torch.device("cpu")

    def map(
        self, z: torch.Tensor, psi: float = 1.0, cutoff: Any = None, labels: Any = None
    ) -> Latent:
        return Latent((psi * z @ self.mixing.T)[:, None].repeat(1, 2, 1), "w+", self.id)

    def render(  # type: ignore[override]
        self, latent: Latent, noise: str = "const", features: Sequence[int] | None = None
    ) -> torch.Tensor:
        w = latent.codes if latent.space == "w" else latent.codes.mean(dim=1)
        return (w[:, None, :, None] / 20).expand(-1, 3, 6, 6).float()

    def mean_latent(self) -> Latent:
        return self.map(torch.zeros(1, 6))


PLANTED = torch.tensor([[1.0, 1, 0, 0, 0, 0], [1.0, 0, 1, 0, 0, 0], [0.0, 0, 0, 1, -1, 0]])


def score(images: torch.Tensor) -> torch.Tensor:
    values = images[:, 0, :, 0] * 20 @ PLANTED.T
    return torch.cat([values[:, :2], torch.tanh(values[:, 2:])], dim=1)


SCORER = Scorer("blocks", "Blocks", "blocks", ("bright", "alike", "there"), lambda device: score)


def request(attribute: str, **options: float | int | str | bool) -> ControlRequest:
    return ControlRequest(Blocks(), attribute, 1500, 1, silent, SCORER, options)


@pytest.mark.parametrize("attribute", ["bright", "alike", "there"])
@pytest.mark.parametrize("make", [make_svm, make_ridge])
def test_strength_1_moves_the_attribute_by_one_standard_deviation(
    tmp_path: Path, make: Any, attribute: str
) -> None:
    (path,) = make(request(attribute), tmp_path)
    found = read_direction(path)
    assert found.generator_id == ID and found.attribute == attribute
    assert found.effect == pytest.approx(1.0, abs=0.1)
    assert found.accuracy is not None and found.accuracy > 0.95
    assert set(found.leakage) == {"bright", "alike", "there"} - {attribute}
    generator = Blocks()
    fresh = generator.map(torch.randn(4000, 6, generator=torch.Generator().manual_seed(77)))
    column = SCORER.attributes.index(attribute)
    scores = score(generator.render(fresh))[:, column]
    moved = fresh.with_codes(fresh.codes + 0.3 * torch.from_numpy(found.vector))
    gain = (score(generator.render(moved))[:, column] - scores).mean() / scores.std() / 0.3
    assert float(gain) == pytest.approx(1.0, abs=0.15)


def test_cleaning_takes_the_leak_away(tmp_path: Path) -> None:
    (plain,) = make_svm(request("bright", name="plain"), tmp_path)
    (clean,) = make_svm(request("bright", name="clean", clean=1), tmp_path)
    before, after = read_direction(plain).leakage, read_direction(clean).leakage
    worst = max(before, key=lambda name: abs(before[name]))
    assert abs(before[worst]) > 0.2
    assert abs(after[worst]) < 0.1


def test_ridge_leaves_all_others_alone(tmp_path: Path) -> None:
    (path,) = make_ridge(request("bright"), tmp_path)
    assert max(abs(v) for v in read_direction(path).leakage.values()) < 0.1


def test_the_same_seed_gives_the_same_direction(tmp_path: Path) -> None:
    one, two = (read_direction(make_svm(request("there"), tmp_path / k)[0]) for k in "12")
    assert np.allclose(one.vector, two.vector, rtol=1e-3, atol=1e-4)
    assert one.accuracy == two.accuracy


def test_a_planted_boundary_is_recovered_from_noisy_labels() -> None:
    draw = np.random.default_rng(0)
    p = torch.from_numpy(draw.normal(size=(3000, 20)))
    normal = torch.zeros(20, dtype=torch.float64)
    normal[3], normal[7] = 0.6, -0.8
    scores = p @ normal + 0.5 * torch.from_numpy(draw.normal(size=3000))
    found = train_boundary(p.numpy(), scores.numpy(), 0.25)
    assert float(found.normal @ normal.numpy()) > 0.97
    assert (found.validation.accuracy or 0) > 0.9 and abs(found.bias) < 0.2


def test_so_many_samples_that_their_products_would_not_fit_give_nearly_the_same_plane() -> None:
    draw = np.random.default_rng(0)
    points = draw.normal(size=(21_000, 5))
    normal = np.array([0.0, 0.6, 0.0, -0.8, 0.0])
    labels = (points @ normal + 0.3 * draw.normal(size=len(points)) > 0.5).astype(np.int64)
    weight, offset = solve_svm(points, labels)
    few, few_offset = solve_svm(points[:3000], labels[:3000])
    assert float(weight @ normal / np.linalg.norm(weight)) > 0.999
    assert offset / np.linalg.norm(weight) == pytest.approx(-0.5, abs=0.02)
    assert few_offset / np.linalg.norm(few) == pytest.approx(-0.5, abs=0.05)


def test_whitening_follows_the_spread_of_the_codes() -> None:
    codes = torch.randn(5000, 3, generator=torch.Generator().manual_seed(0))
    codes = codes * torch.tensor([5.0, 1.0, 0.001]) + 7
    white = Whitening.of(codes)
    p = white.coordinates(codes)
    assert p.shape == (5000, 2) and torch.allclose(p.std(dim=0), torch.ones(2).double(), atol=0.01)
    step = torch.tensor([0.3, -2.0]).double()
    again = white.coordinates(codes + white.move(step)) - p
    assert torch.allclose(again.mean(dim=0), step, atol=1e-3)


def test_a_normal_without_others_is_orthogonal_to_them() -> None:
    others = torch.randn(4, 10, generator=torch.Generator().manual_seed(1)).double().numpy()
    left = project_boundary(np.ones(10), *others)
    assert np.abs(others @ left).max() < 1e-6
    assert float(np.linalg.norm(left)) == pytest.approx(1.0)
    with pytest.raises(BadInputError):
        project_boundary(others[0] + others[1], *others)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"attribute": "nothing"}, "does not know 'nothing'"),
        ({"samples": 3}, "give 100 to"),
        ({"scorer": None}, "no scorer"),
        ({"options": {"ends": 0.7}}, "ends"),
    ],
)
def test_bad_requests_are_one_sentence_and_leave_nothing(
    tmp_path: Path, changes: dict[str, Any], word: str
) -> None:
    with pytest.raises(BadInputError, match=word):
        make_svm(replace(request("bright"), **changes), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_known_labels_give_a_direction_where_the_scorer_is_half_blind() -> None:
    """Strength 1 is then one standard deviation of the truth, whatever the scorer sees of it."""
    from latentfu_builtin.directions.control_makers import Subject, build_directions

    blind = torch.Generator().manual_seed(5)

    def noisy(images: torch.Tensor) -> torch.Tensor:
        values = score(images)
        noise = torch.randn(values.shape, generator=blind) * values.std(dim=0)
        return torch.cat([values[:, :1] + 2 * noise[:, :1], noise[:, 1:]], dim=1)

    def meaning(z: torch.Tensor) -> torch.Tensor:
        w = z @ Blocks().mixing.T
        return w @ PLANTED.T

    scorer = Scorer("noisy", "Noisy", "blocks", SCORER.attributes, lambda device: noisy)
    asked = ControlRequest(Blocks(), "", 1500, 1, silent, scorer, {"trials": 400})
    subjects = [Subject(name, f"more {name}; 7", "group") for name in SCORER.attributes]
    rows = build_directions(asked, subjects, meaning=meaning)
    assert [row.direction is not None for row in rows] == [True, False, False]
    assert rows[1].reason and rows[2].reason
    made = rows[0].direction
    assert made is not None and (made.plus, made.group) == ("more bright", "group")
    spread = meaning(torch.randn(4000, 6, generator=torch.Generator().manual_seed(9)))[:, 0].std()
    assert float(PLANTED[0] @ torch.from_numpy(made.vector) / spread) == pytest.approx(1, abs=0.1)


def test_shipped_files_are_replaced_and_those_without_a_direction_go(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from latentfu_builtin.directions.control_makers import (
        SHIPPED_WORDS,
        Subject,
        build_directions,
        replace_shipped,
    )

    (tmp_path / "old.safetensors").write_bytes(b"of another training")
    asked = replace(request("", **SHIPPED_WORDS), samples=600)
    subjects = [Subject("bright", "more bright, 30 degrees at 1", "light", "Light")]
    built = build_directions(asked, [*subjects, Subject("unseen", "", "")])
    replace_shipped(built, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["bright.safetensors"]
    found = read_direction(tmp_path / "bright.safetensors")
    assert (found.title, found.plus, found.licence) == ("Light", "more bright", "Apache-2.0")
    told = capsys.readouterr().out
    assert "accuracy" in told and "unseen             left out: The scorer does not know" in told


def test_a_plane_among_whitened_codes_is_the_same_plane_among_codes() -> None:
    draw = torch.Generator().manual_seed(0)
    codes = 3 + torch.randn(500, 4, generator=draw) @ torch.diag(torch.tensor([1.0, 2, 3, 4]))
    white = Whitening.of(codes)
    normal = torch.nn.functional.normalize(torch.randn(4, generator=draw).double(), dim=0)
    plane, bias = white.plane(normal, 0.3)
    there = white.coordinates(codes) @ normal + 0.3
    here = codes @ plane + bias
    assert torch.equal(there > 0, here > 0)


@pytest.mark.parametrize("make", [make_svm, make_ridge])
def test_the_progress_goes_forward_only(tmp_path: Path, make: Any) -> None:
    seen: list[float] = []
    asked = replace(request("bright"), progress=lambda fraction, message="": seen.append(fraction))
    make(asked, tmp_path)
    assert seen == sorted(seen) and seen[0] < 0.1 and 0.8 < seen[-1] <= 1.0
