"""A larger network that begins from a smaller one draws the same pictures, enlarged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from latentfu_builtin.networks.stylegan.stylegan2 import StyleGAN2, StyleGAN2Config
from latentfu_builtin.stylegan.training.cli import train_command
from latentfu_builtin.stylegan.training.losses import add_missing_detail, psnr
from latentfu_builtin.stylegan.training.options import TrainingOptions
from latentfu_builtin.stylegan.training.pairs import HOLDOUT, PairCache, PairCaches, render_pairs
from latentfu_builtin.stylegan.training.run import CHECKPOINT, export_network
from latentfu_builtin.stylegan.training.source import TokenSource, teacher_normals
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


def test_caches_of_two_sizes_train_together(cache: PairCache, tmp_path: Path) -> None:
    other = render_pairs(
        Stripes(), tmp_path / "more", count=192, resolution=32, z_dim=8, seed=1
    ).folder
    both = PairCaches((PairCache(cache.folder, 16), PairCache(other, 16)))
    batch = both.draw(2000, torch.Generator().manual_seed(0))
    assert batch.images.shape == (2000, 3, 16, 16)
    assert batch.z is not None
    assert batch.landmarks is not None
    assert torch.allclose(batch.images[:, :, 0, 0], _color(batch.z), atol=0.01)
    mine = {tuple(z) for z in cache.rows(slice(cache.first, None)).z.tolist()}  # type: ignore[union-attr]
    share = sum(tuple(z) in mine for z in batch.z.tolist()) / 2000
    assert 0.2 < share < 0.3  # 56 of 224
    kept = torch.cat([c.holdout(HOLDOUT).z for c in both.caches])  # type: ignore[misc]
    assert not {tuple(z) for z in kept.tolist()} & {tuple(z) for z in batch.z.tolist()}
    assert torch.equal(both.holdout().images, cache.holdout().images)
    words = ["generator", "--pairs", str(cache.folder), "--pairs", str(other), "--z-dim", "8"]
    words += ["--resolution", "16", "--w-dim", "16", "--channels", "16,8,8", "--threads", "1"]
    words += ["--out", str(tmp_path / "run"), "--set", "regression_images=32"]
    words += ["--set", "adversarial_images=0", "--set", "batch=16"]
    ran = CliRunner().invoke(train_command, words)
    assert ran.exit_code == 0, ran.output
    assert "on held-out pairs" in ran.output


def test_a_smaller_cache_teaches_what_it_shows(cache: PairCache, tmp_path: Path) -> None:
    small = render_pairs(Stripes(), tmp_path / "small", count=192, resolution=8, z_dim=8, seed=1)
    enlarged = PairCache(small.folder, 16, enlarge=True)
    batch = PairCaches((cache, enlarged)).draw(64, torch.Generator().manual_seed(0))
    assert batch.enlarged is not None
    assert batch.images.shape == (64, 3, 16, 16)
    assert set(batch.enlarged.tolist()) == {1, 2}
    made = torch.rand(64, 3, 16, 16) * 2 - 1
    target = add_missing_detail(batch.images, made, batch.enlarged)
    whole, few = batch.enlarged == 1, batch.enlarged == 2
    assert torch.equal(target[whole], batch.images[whole])
    shown = torch.nn.functional.avg_pool2d(batch.images[few], 2)
    assert torch.allclose(torch.nn.functional.avg_pool2d(target[few], 2), shown, atol=1e-5)
    within = target[few] - made[few]  # within a pixel of the small picture all move alike
    assert torch.allclose(within[..., ::2], within[..., 1::2], atol=1e-5)


def test_smaller_caches_alone_or_judged_are_refused(cache: PairCache, tmp_path: Path) -> None:
    small = render_pairs(Stripes(), tmp_path / "small", count=64, resolution=8, z_dim=8).folder
    words = ["generator", "--z-dim", "8", "--resolution", "16", "--channels", "16,8,8"]
    words += ["--w-dim", "16", "--out", str(tmp_path / "run"), "--threads", "1"]
    alone = CliRunner().invoke(train_command, [*words, "--pairs", str(small)])
    assert alone.exit_code == 2
    assert "smaller than the network's pictures" in alone.output
    both = [*words, "--pairs", str(cache.folder), "--pairs", str(small)]
    judged = CliRunner().invoke(train_command, both)
    assert judged.exit_code == 2
    assert "adversarial_images=0" in judged.output
    with pytest.raises(ValueError, match="too small"):
        PairCaches((PairCache(small, 16, enlarge=True), cache))
    taught = ["--set", "adversarial_images=0", "--set", "regression_images=32", "--set", "batch=16"]
    ran = CliRunner().invoke(train_command, [*both, *taught])
    assert ran.exit_code == 0, ran.output
    assert "on held-out pairs" in ran.output


def test_caches_of_other_numbers_are_refused(cache: PairCache, tmp_path: Path) -> None:
    other = render_pairs(Stripes(), tmp_path / "more", count=64, resolution=16, z_dim=6)
    with pytest.raises(ValueError, match="other z than"):
        PairCaches((cache, other))


def _color(z: torch.Tensor) -> torch.Tensor:
    """What `Stripes` paints for these z [N, 8]: [N, 3]."""
    return teacher_normals(z, Stripes())[:, :3].tanh()


def _train_attention(folder: Path, cache: PairCache, *settings: str) -> None:
    words = ["generator", "--pairs", str(cache.folder), "--out", str(folder), "--json"]
    words += ["--resolution", "16", "--z-dim", "8", "--w-dim", "16", "--channels", "16,8,8"]
    words += ["--mapping", "attention", "--mapping-layers", "2", "--threads", "1"]
    ran = CliRunner().invoke(train_command, [*words, "--set", "bf16=false", *settings])
    assert ran.exit_code == 0, ran.output


def test_the_attention_mapping_learns_from_renders_without_their_z(
    cache: PairCache, tmp_path: Path
) -> None:
    settings = ("--set", "adversarial_images=16", "--set", "batch=8", "--unpaired")
    _train_attention(tmp_path / "run", cache, *settings)
    assert (tmp_path / "run" / CHECKPOINT).is_file()


def test_the_attention_mapping_learns_what_its_tokens_stand_for(tmp_path: Path) -> None:
    many = render_pairs(Stripes(), tmp_path / "many", count=640, resolution=16, z_dim=8)
    settings = ("--set", "regression_images=16000", "--set", "adversarial_images=0")
    _train_attention(tmp_path / "run", many, *settings)
    net = export_network(tmp_path / "run" / CHECKPOINT, tmp_path / "net.safetensors", {})
    holdout = TokenSource(many, net.config.num_ws).holdout()
    assert holdout.z is not None
    with torch.no_grad():
        near, far = (
            float(psnr(net(z, noise="none"), holdout.images).mean())
            for z in (holdout.z, holdout.z.roll(1, 0))
        )
    print(near, far)
    assert near > far + 5


def test_tokens_of_a_source_are_normal_and_add_up_to_its_z(cache: PairCache) -> None:
    source, random = TokenSource(cache, 6), torch.Generator().manual_seed(1)
    drawn = source.draw(4000, random).z
    assert drawn is not None and drawn.shape == (4000, 48)
    assert float(drawn.mean().abs()) < 0.05 and float(drawn.std()) == pytest.approx(1, abs=0.05)
    one, other = source.holdout().z, cache.holdout().z
    assert one is not None and other is not None
    torch.testing.assert_close(one.reshape(-1, 6, 8).sum(dim=1), other * 6**0.5)
