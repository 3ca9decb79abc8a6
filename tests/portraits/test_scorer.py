"""The scorer: shapes, distance, files, and that it learns."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from latentfu_builtin.networks.stylegan.stylegan2 import normalize_2nd_moment
from latentfu_builtin.portraits.augment import change_mildly
from latentfu_builtin.portraits.renderer import FACTOR_NAMES, FACTORS, from_normal
from latentfu_builtin.portraits.scorer import ScorerNetwork, load_scorer, save_scorer
from latentfu_builtin.portraits.scorer.network import _CIRCULAR, _WEIGHTS, PRESENCE_FACTORS
from latentfu_builtin.portraits.scorer.train import (
    ScorerOptions,
    summarize_figures,
    train_scorer,
    write_scorer,
)
from latentfu_builtin.portraits.teacher import make_teacher
from latentfu_builtin.stylegan.training.pairs import PairCache, render_pairs


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> PairCache:
    folder = tmp_path_factory.mktemp("pairs")
    teacher = make_teacher()
    teacher.supersample = 1
    return render_pairs(teacher, folder, count=64, resolution=64, z_dim=40, seed=5, batch=32)


def test_the_teacher_draws_what_z_says(cache: PairCache) -> None:
    batch = cache.rows(slice(0, 4))
    assert batch.z is not None and batch.landmarks is not None
    normals = normalize_2nd_moment(batch.z)[:, : len(FACTORS)]
    assert torch.equal(cache.normals(slice(0, 4)), normals)
    teacher = make_teacher()
    teacher.supersample = 1
    images, landmarks = teacher.render(normals, 64, torch.Generator())
    assert (images - batch.images).abs().max() < 0.02
    assert torch.equal(landmarks, batch.landmarks)
    face, earrings = landmarks[:, :5], landmarks[:, 5:]
    assert float(face.min()) > 0.1 and float(face.max()) < 0.9
    worn = from_normal(normals)[:, FACTOR_NAMES.index("earrings")] > 0
    assert torch.equal(((earrings > 0) & (earrings < 1)).all(dim=(1, 2)), worn)


def test_shapes_of_factors_features_and_distance() -> None:
    torch.manual_seed(0)
    scorer = ScorerNetwork().eval()
    a, b = torch.rand(3, 3, 80, 80) * 2 - 1, torch.rand(3, 3, 80, 80) * 2 - 1
    factors = scorer(a)
    assert factors.shape == (3, len(FACTORS)) and bool(factors.isfinite().all())
    assert [f.shape[-1] for f in scorer.features(a)] == [128, 64, 32, 16, 8, 4]
    assert torch.equal(scorer.distance(a, a), torch.zeros(3))
    assert bool((scorer.distance(a, b) > 0).all())


def test_the_distance_has_gradients() -> None:
    scorer = ScorerNetwork().eval().requires_grad_(False)
    x = torch.rand(1, 3, 64, 64, requires_grad=True)
    scorer.distance(x, torch.rand(1, 3, 64, 64)).sum().backward()
    assert x.grad is not None and x.grad.abs().sum() > 0


def test_hues_are_compared_round_the_circle() -> None:
    truth = torch.rand(50, len(FACTORS)) * 2 - 1
    found = truth.clone()
    found[:, _CIRCULAR[0]] = torch.remainder(found[:, _CIRCULAR[0]] + 2.001 + 1, 2) - 1
    numbers = summarize_figures(found, truth)
    assert numbers[FACTORS[_CIRCULAR[0]].name] > 0.99
    assert all(numbers[FACTORS[i].name] == 1.0 for i in PRESENCE_FACTORS)


def test_what_counts_more_and_what_is_no_factor() -> None:
    from latentfu import BadInputError
    from latentfu_builtin.portraits.scorer.train import scorer_loss, weigh_factors

    numbers, factors = torch.zeros(4, len(FACTORS) + len(_CIRCULAR)), torch.zeros(4, len(FACTORS))
    factors[:, FACTOR_NAMES.index("age")] = 0.5
    plain = scorer_loss(numbers, factors, weigh_factors(()))
    heavy = scorer_loss(numbers, factors, weigh_factors((("age", 3.0),)))
    without = scorer_loss(numbers, torch.zeros_like(factors), weigh_factors(()))
    assert torch.allclose(heavy - without, 3 * (plain - without), rtol=1e-4)
    with pytest.raises(BadInputError, match="no factor nose"):
        weigh_factors((("nose", 2.0),))


def test_changes_are_mild() -> None:
    x = torch.rand(8, 3, 64, 64) * 0.5
    changed = change_mildly(x, torch.Generator().manual_seed(0))
    assert changed.shape == x.shape and 0 < (changed - x).abs().mean() < 0.4


def test_a_few_steps_run_and_the_file_comes_back(cache: PairCache, tmp_path: Path) -> None:
    options = ScorerOptions(images=48, batch=16, holdout=8)
    scorer, numbers = train_scorer(cache, options, lambda line: None)
    assert set(numbers) == {f.name for f in FACTORS}
    path = tmp_path / "scorer.safetensors"
    write_scorer(path, scorer, numbers, options, cache.count)
    loaded = load_scorer(path)
    x = cache.rows(slice(0, 2)).images
    torch.testing.assert_close(loaded(x), scorer(x), atol=0.05, rtol=0.05)
    notes = json.loads(path.with_suffix(".json").read_text())
    assert set(notes["figures"]["glasses"]) == {"accuracy"}
    save_scorer(path, scorer, {"factors": '["other"]'})
    with pytest.raises(ValueError, match="other factors"):
        load_scorer(path)


@pytest.mark.skipif(not _WEIGHTS.exists(), reason="the scorer's weights are not in this checkout")
def test_the_shipped_scorer_reads_renders(cache: PairCache) -> None:
    scorer = load_scorer()
    truth = from_normal(cache.normals(slice(0, 64)))
    numbers = summarize_figures(scorer(cache.rows(slice(0, 64)).images.contiguous()), truth)
    assert numbers["yaw"] > 0.7 and numbers["skin_tone"] > 0.6
    assert numbers["glasses"] > 0.75 and numbers["hat"] > 0.8
    assert _WEIGHTS.stat().st_size < 3_000_000
