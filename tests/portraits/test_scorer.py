"""The scorer: shapes, distance, files, and that it learns."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from latentfu import BadInputError
from latentfu_builtin.networks.stylegan.stylegan2 import normalize_2nd_moment
from latentfu_builtin.portraits.renderer import FACTOR_NAMES, FACTORS, from_normal
from latentfu_builtin.portraits.shipped import SCORER
from latentfu_builtin.portraits.teacher import make_teacher
from latentfu_builtin.scorer.augment import change_mildly
from latentfu_builtin.scorer.factor_table import find_factor_table, open_factor_table
from latentfu_builtin.scorer.network import ScorerNetwork, load_scorer, save_scorer
from latentfu_builtin.scorer.train_scorer import (
    ScorerLoss,
    ScorerOptions,
    summarize_figures,
    train_scorer,
    weigh_factors,
    write_scorer,
)
from latentfu_builtin.stylegan.training.pairs import PairCache, render_pairs

TABLE = open_factor_table("portraits")
PEOPLE = open_factor_table("people")


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
    hue = TABLE.circular[0]
    found[:, hue] = torch.remainder(found[:, hue] + 2.001 + 1, 2) - 1
    numbers = summarize_figures(found, truth, TABLE)
    assert numbers[TABLE.names[hue]] > 0.99
    assert all(numbers[TABLE.names[i]] == 1.0 for i in TABLE.presence)


def test_what_counts_more_and_what_is_no_factor() -> None:
    from latentfu import BadInputError

    loss = ScorerLoss(TABLE, weigh_factors(TABLE, ()))
    strict = ScorerLoss(TABLE, weigh_factors(TABLE, (("age", 3.0),)))
    numbers, factors = (
        torch.zeros(4, len(FACTORS) + len(TABLE.circular)),
        torch.zeros(4, len(FACTORS)),
    )
    factors[:, FACTOR_NAMES.index("age")] = 0.5
    plain, heavy = loss(numbers, factors), strict(numbers, factors)
    without = loss(numbers, torch.zeros_like(factors))
    assert torch.allclose(heavy - without, 3 * (plain - without), rtol=1e-4)
    with pytest.raises(BadInputError, match="no factor nose"):
        weigh_factors(TABLE, (("nose", 2.0),))


def test_people_have_a_table_of_their_own() -> None:
    normal = torch.randn(300, len(PEOPLE.names), generator=torch.Generator().manual_seed(1))
    factors = PEOPLE.from_normal(normal)
    assert factors.shape == normal.shape and float(factors.abs().max()) <= 1.0
    assert float(PEOPLE.measure_variances().min()) > 0.001
    hats = (factors[:, PEOPLE.names.index("hat")] > 0).float().mean()
    assert 0 < hats < 0.3 and PEOPLE.names.index("hat") in PEOPLE.presence
    scorer = ScorerNetwork(PEOPLE).eval()
    assert scorer(torch.rand(2, 3, 64, 64) * 2 - 1).shape == (2, len(PEOPLE.names))
    assert find_factor_table(PEOPLE.names) == PEOPLE and find_factor_table(("age",)) is None
    with pytest.raises(BadInputError, match="no renderer clay"):
        open_factor_table("clay")


def test_pairs_of_another_renderer_are_refused(cache: PairCache) -> None:
    with pytest.raises(BadInputError, match="name the renderer that drew them"):
        train_scorer([cache], ScorerOptions(images=16), lambda line: None, ScorerNetwork(PEOPLE))


def test_a_file_for_people_knows_its_factors(tmp_path: Path) -> None:
    path = tmp_path / "scorer.safetensors"
    save_scorer(path, ScorerNetwork(PEOPLE), {})
    assert load_scorer(path).table.renderer == "people"


def test_changes_are_mild() -> None:
    x = torch.rand(8, 3, 64, 64) * 0.5
    changed = change_mildly(x, torch.Generator().manual_seed(0))
    assert changed.shape == x.shape and 0 < (changed - x).abs().mean() < 0.4


def test_a_few_steps_run_and_the_file_comes_back(cache: PairCache, tmp_path: Path) -> None:
    options = ScorerOptions(images=48, batch=16, holdout=8)
    scorer, numbers = train_scorer([cache], options, lambda line: None, ScorerNetwork())
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


@pytest.mark.skipif(not SCORER.exists(), reason="the scorer's weights are not in this checkout")
def test_the_shipped_scorer_reads_renders(cache: PairCache) -> None:
    scorer = load_scorer(SCORER)
    truth = from_normal(cache.normals(slice(0, 64)))
    numbers = summarize_figures(scorer(cache.rows(slice(0, 64)).images.contiguous()), truth, TABLE)
    assert numbers["yaw"] > 0.7 and numbers["skin_tone"] > 0.6
    assert numbers["glasses"] > 0.75 and numbers["hat"] > 0.8
    assert SCORER.stat().st_size < 3_000_000
