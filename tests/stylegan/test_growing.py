"""A larger network that begins from a smaller one draws the same pictures, enlarged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from latentfu_builtin.networks.stylegan.stylegan2 import StyleGAN2, StyleGAN2Config
from latentfu_builtin.stylegan.training.options import TrainingOptions
from latentfu_builtin.stylegan.training.pairs import PairCache, render_pairs
from latentfu_builtin.stylegan.training.trainer import Trainer, start_from

SMALL = StyleGAN2Config(resolution=8, z_dim=8, w_dim=16, mapping_layers=2, channels=(16, 8))
LARGE = StyleGAN2Config(resolution=16, z_dim=8, w_dim=16, mapping_layers=2, channels=(16, 8, 8))


class Stripes:
    factor_count = 4
    landmark_count = 5

    def render(
        self, normal: torch.Tensor, resolution: int, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        images = normal[:, :3, None, None].tanh().expand(-1, -1, resolution, resolution)
        return images.contiguous(), torch.full((len(normal), 5, 2), 0.5)


@pytest.fixture
def cache(tmp_path: Path) -> PairCache:
    return render_pairs(Stripes(), tmp_path / "pairs", count=64, resolution=16, z_dim=8)


def test_growing_keeps_the_pictures(cache: PairCache) -> None:
    trained = StyleGAN2(SMALL)
    trainer = Trainer(LARGE, TrainingOptions(regression_images=64, bf16=False), cache)
    start_from(trainer, trained)
    z = torch.randn(4, 8)
    with torch.no_grad():
        small, large = trained(z, noise="none"), trainer.ema(z, noise="none")
    error = torch.nn.functional.avg_pool2d(large, 2)[..., 1:-1, 1:-1] - small[..., 1:-1, 1:-1]
    assert error.abs().mean() < 0.35 * small.std()
    trainer.step()
    assert all(bool(torch.isfinite(p).all()) for p in trainer.generator.parameters())


def test_a_network_of_another_shape_is_refused(cache: PairCache) -> None:
    trained = StyleGAN2(StyleGAN2Config(resolution=8, z_dim=8, w_dim=8, channels=(16, 8)))
    trainer = Trainer(LARGE, TrainingOptions(regression_images=64), cache)
    with pytest.raises(ValueError, match="cannot begin"):
        start_from(trainer, trained)


def test_a_cache_serves_a_smaller_network(cache: PairCache) -> None:
    half = PairCache(cache.folder, 8)
    chosen = np.arange(8)
    whole = cache.rows(chosen).images
    assert torch.allclose(
        half.rows(chosen).images, torch.nn.functional.avg_pool2d(whole, 2), atol=1e-6
    )
    with pytest.raises(ValueError, match="16 px"):
        PairCache(cache.folder, 7)
