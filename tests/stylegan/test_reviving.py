"""What is small: giving it a unit of w, weighing it, and drawing more pairs that show it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from latentfu_builtin.networks.stylegan.stylegan2 import StyleGAN2, StyleGAN2Config
from latentfu_builtin.stylegan.training import losses
from latentfu_builtin.stylegan.training.checkpoint import (
    load_checkpoint,
    save_checkpoint,
    save_state,
)
from latentfu_builtin.stylegan.training.cli import train_command
from latentfu_builtin.stylegan.training.options import TrainingOptions
from latentfu_builtin.stylegan.training.pairs import PairCache, render_pairs
from latentfu_builtin.stylegan.training.revive_factor import revive_factor
from latentfu_builtin.stylegan.training.source import RendererSource
from latentfu_builtin.stylegan.training.trainer import Trainer
from torch import Tensor

CONFIG = StyleGAN2Config(
    resolution=16,
    z_dim=6,
    w_dim=32,
    mapping_layers=2,
    mapping_lr_multiplier=1.0,
    channels=(16, 16, 8),
)
OPTIONS = TrainingOptions(
    batch=16, regression_images=10_000, bf16=False, small_strength=100.0, landmark_strength=0.0
)
SMALL = 3


class Dots:
    """A teacher for tests: a plain color, and a bright dot in one place when a number is high."""

    factor_count = 4
    landmark_count = 6

    def render(
        self, normal: Tensor, resolution: int, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        images = 0.3 * torch.tanh(normal[:, :3, None, None]).repeat(1, 1, resolution, resolution)
        there = normal[:, SMALL] > 0.6
        images[there, :, 4, 11] = 1.0
        face = torch.full((len(normal), 5, 2), 0.5)
        place = torch.tensor([11.5, 4.5]) / resolution
        small = torch.where(there[:, None], place, torch.tensor([-9.0, -9.0]))
        return images, torch.cat([face, small[:, None]], dim=1)


@pytest.fixture
def source() -> RendererSource:
    return RendererSource(Dots(), 16, 6)


def test_reviving_gives_a_number_a_unit_that_nobody_reads_yet() -> None:
    torch.manual_seed(0)
    network = StyleGAN2(CONFIG).requires_grad_(False)
    z = torch.randn(64, 6)
    before = network.mapping(z)
    revive_factor([network], SMALL, above=0.6)
    after = network.mapping(z)
    (unit,) = ((before - after).abs().amax(dim=0) > 5).nonzero()[:, 0].tolist()
    high, low = z.clone(), z.clone()
    high[:, SMALL], low[:, SMALL] = 2.0, -2.0
    assert network.mapping(high)[:, unit].min() > 2.0
    assert network.mapping(low)[:, unit].abs().max() < 1.5
    for conv in [*network.synthesis.convs, *network.synthesis.rgbs]:
        assert not conv.affine.weight[:, unit].any()  # type: ignore[operator, union-attr]


def test_a_revived_checkpoint_learns_what_it_overlooked(
    source: RendererSource, tmp_path: Path
) -> None:
    """The dot after equally many steps, with the command and without."""
    state, revived = tmp_path / "state.safetensors", tmp_path / "revived.safetensors"
    trainer = Trainer(CONFIG, OPTIONS, source)
    trainer.generator.mapping.layers[0].weight.data[:, SMALL] = 0.0  # overlooked
    save_checkpoint(tmp_path / "whole.safetensors", trainer)
    save_state(tmp_path / "whole.safetensors", state)
    options = f"--number {SMALL} --above 0.6 -o".split()
    words = ["revive-factor", str(state), *options, str(revived)]
    done = CliRunner().invoke(train_command, words)
    assert done.exit_code == 0, done.output
    assert response_after(60, state, source) < 0.5 * response_after(60, revived, source)


def test_the_old_name_still_works_and_says_the_new_one(tmp_path: Path) -> None:
    asked = CliRunner().invoke(train_command, ["heed", "--help"])
    assert asked.exit_code == 0 and "revive-factor" in asked.output
    assert "heed" not in CliRunner().invoke(train_command, ["--help"]).output


def response_after(steps: int, checkpoint: Path, source: RendererSource) -> float:
    """How much brighter the dot's pixel gets with its number, from -1 to 2."""
    trainer = load_checkpoint(checkpoint, source)
    for _ in range(steps):
        trainer.step()
    low = torch.randn(32, 6, generator=torch.Generator().manual_seed(5))
    high = low.clone()
    low[:, SMALL], high[:, SMALL] = -1.0, 2.0
    with torch.no_grad():
        network = trainer.generator
        a, b = (network.synthesis(network.map(z), noise="none") for z in (low, high))
    return float((b - a)[:, :, 4, 11].mean())


def test_small_things_are_weighed_by_squares_near_them(source: RendererSource) -> None:
    batch = source.draw(64, torch.Generator().manual_seed(0))
    assert batch.landmarks is not None
    there = batch.landmarks[:, 5, 0] > 0
    near = losses.small_things(batch.landmarks, 64)
    assert near[there, 0, 18, 46].min() > 0.9 and near[there, 0, 50, 10].max() < 1e-3
    assert not near[~there].any()
    assert losses.small_loss(batch.images, batch.images, batch.landmarks).max() == 0
    plain = Trainer(CONFIG, replace(OPTIONS, small_strength=0.0), source).step()["paired"]
    assert Trainer(CONFIG, OPTIONS, source).step()["paired"] > plain


def test_pairs_that_show_small_things_can_be_drawn_more_often(tmp_path: Path) -> None:
    render_pairs(Dots(), tmp_path, count=400, resolution=16, z_dim=6, seed=3)

    def share(small_share: float) -> float:
        cache = PairCache(tmp_path, small_share=small_share)
        batch = cache.draw(200, torch.Generator().manual_seed(0))
        assert batch.images.shape == (200, 3, 16, 16) and batch.landmarks is not None
        return float((batch.landmarks[:, 5, 0] > 0).float().mean())

    assert share(0.0) < 0.45
    assert share(1.0) == 1.0
    assert 0.55 < share(0.5) < 0.85


def test_revived_refuses_in_one_sentence(source: RendererSource, tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    save_checkpoint(path, Trainer(CONFIG, OPTIONS, source))
    words = ["revive-factor", str(path), "--number", "6", "-o", str(tmp_path / "out")]
    refused = CliRunner().invoke(train_command, words)
    assert refused.exit_code == 1 and "z has the numbers 0 to 5, not 6" in refused.output
    assert not (tmp_path / "out").exists()
