"""What edits of found latents do, measured with a scorer that reads brightness."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from latentfu import FeatureOffset, random_latents
from latentfu_builtin.benchmarks.inversion_edits import EditMetrics, measure_score_spread

from tests.support import small_world


def score(images: torch.Tensor) -> torch.Tensor:
    """The red and the blue of a picture."""
    return torch.stack([images[:, 0].mean(dim=(1, 2)), images[:, 2].mean(dim=(1, 2))], dim=1)


def judge() -> EditMetrics:
    generator = small_world.small_generator()
    control = small_world.control(small_world.DIRECTIONS[0])
    return EditMetrics(generator, score, (control,), (0,), measure_score_spread(generator, score))


def test_a_change_is_read_in_spreads_of_the_generators_own_pictures() -> None:
    judged = judge()
    latent = random_latents(judged.generator, 1, 3)
    moved = judged.controls[0].load().move(latent, 1.0, judged.generator)
    with torch.no_grad():
        before, after = (
            score(judged.generator.render(each).clamp(-1, 1))[0] for each in (latent, moved)
        )
    change = (after - before) / judged.spread
    found = judged.followed([latent])
    assert found.strength == pytest.approx(float(change[0]), abs=1e-4)
    assert found.off == pytest.approx(abs(float(change[0]) - 1), abs=1e-4)
    assert found.leak == pytest.approx(abs(float(change[1])), abs=1e-4)


def test_the_error_is_that_of_the_mean_over_pictures() -> None:
    judged = judge()
    latents = [random_latents(judged.generator, 1, seed) for seed in (3, 4, 5)]
    alone = [judged.followed([latent]) for latent in latents]
    ratios = torch.tensor([one.leak / one.strength for one in alone])
    assert all(one.error == 0 for one in alone)
    expected = float(ratios.std() / 3**0.5)
    assert judged.followed(latents).error == pytest.approx(expected, rel=1e-3)


def test_details_go_along() -> None:
    judged = judge()
    latent = random_latents(judged.generator, 1, 3)
    last = len(judged.generator.layers) - 1
    with torch.no_grad():
        plain = judged.generator.render(latent, "const", features=[last])[1][last]
    detail = FeatureOffset(last, 0.5 * plain.abs())
    found = judged.followed([replace(latent, details=(detail,))])
    assert found.strength != judged.followed([latent]).strength


def test_without_a_scorer_there_is_no_judge(isolated_home: object) -> None:
    assert EditMetrics.of(small_world.small_generator(), 4) is None
