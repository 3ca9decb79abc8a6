"""Regions that deserve a closer look: marked in batches, drawn more often, counted squared."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from latentfu_builtin.networks.stylegan.stylegan2 import StyleGAN2Config
from latentfu_builtin.people.region_names import REGIONS
from latentfu_builtin.stylegan.training.losses import small_loss
from latentfu_builtin.stylegan.training.options import TrainingOptions
from latentfu_builtin.stylegan.training.pairs import PairCache, PairCaches, render_pairs
from latentfu_builtin.stylegan.training.trainer import Trainer

CONFIG = StyleGAN2Config(resolution=16, z_dim=8, w_dim=16, mapping_layers=2, channels=(16, 8, 8))
OPTIONS = TrainingOptions(batch=8, regression_images=64, bf16=False, small_strength=50.0)


class Wearers:
    """A teacher for tests: some wear a thin frame, which is a region of its own."""

    factor_count = 4
    landmark_count = 5

    def render_regions(
        self, normal: torch.Tensor, resolution: int, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        images = normal[:, :3, None, None].tanh().expand(-1, -1, resolution, resolution).clone()
        regions = torch.zeros(len(normal), resolution, resolution, dtype=torch.uint8)
        for row in torch.nonzero(normal[:, 3] > 1.0)[:, 0].tolist():
            images[row, :, 4, 4:12] = -1.0
            regions[row, 4, 4:12] = REGIONS.index("glasses")
        return images, torch.full((len(normal), 5, 2), 0.5), regions

    def render(
        self, normal: torch.Tensor, resolution: int, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        return self.render_regions(normal, resolution, generator)[:2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pairs") / "large"
    sizes = {"count": 192, "z_dim": 8, "batch": 32}
    render_pairs(Wearers(), folder, resolution=16, regions=True, **sizes)
    render_pairs(Wearers(), folder.parent / "small", resolution=8, **sizes)
    return folder


def test_a_region_is_marked_with_a_pixel_around(folder: Path) -> None:
    cache = PairCache(folder, marked=["glasses"])
    batch = cache.rows(slice(0, 64))
    assert batch.marked is not None and batch.marked.shape == (64, 16, 16)
    worn = cache.normals(slice(0, 64))[:, 3] > 1.0
    assert torch.equal(batch.marked.any(dim=(1, 2)), worn)
    first = batch.marked[worn][0]
    assert first[3:6, 3:13].min() == 1.0 and first.sum() == 3 * 10
    half = PairCache(folder, 8, marked=["glasses"]).rows(slice(0, 64))
    assert half.marked is not None and torch.equal(half.marked.any(dim=(1, 2)), worn)
    assert PairCache(folder).rows(slice(0, 4)).marked is None


def test_those_that_show_it_are_drawn_more_often(folder: Path) -> None:
    shares = []
    for share in (0.0, 0.75):
        cache = PairCache(folder, small_share=share, marked=["glasses"])
        batch = cache.draw(200, torch.Generator().manual_seed(0))
        assert batch.marked is not None
        shares.append(float(batch.marked.any(dim=(1, 2)).float().mean()))
    assert shares[0] < 0.35 and shares[1] > 0.7


def test_smaller_pairs_beside_them_mark_nothing(folder: Path) -> None:
    small = PairCache(folder.parent / "small", 16, enlarge=True, marked=["glasses"])
    caches = PairCaches((PairCache(folder, marked=["glasses"]), small))
    batch = caches.draw(64, torch.Generator().manual_seed(1))
    assert batch.marked is not None and batch.enlarged is not None
    assert batch.marked[batch.enlarged > 1].max() == 0.0 < batch.marked.max()


def test_only_what_is_marked_counts_more(folder: Path) -> None:
    target, made = torch.zeros(1, 3, 16, 16), torch.full((1, 3, 16, 16), 0.5)
    far, marked = torch.full((1, 7, 2), -9.0), torch.zeros(1, 16, 16)
    marked[:, :4] = 1.0
    assert float(small_loss(made, target, far)) == 0.0
    assert float(small_loss(made, target, far, marked)) == pytest.approx(0.25 * 0.25)
    numbers = {
        names: Trainer(CONFIG, OPTIONS, PairCache(folder, small_share=1.0, marked=names)).step()
        for names in ((), ("glasses",))
    }
    assert numbers["glasses",]["paired"] > numbers[()]["paired"]


def test_a_region_that_is_none_is_refused(folder: Path) -> None:
    with pytest.raises(ValueError, match="no region monocle; there are background"):
        PairCache(folder, marked=["monocle"])
    options = replace(OPTIONS, small_strength=0.0)
    assert Trainer(CONFIG, options, PairCache(folder, marked=["hat"])).step()["paired"] > 0
    assert np.load(folder / "regions.npy", mmap_mode="r").shape == (192, 16, 16)
