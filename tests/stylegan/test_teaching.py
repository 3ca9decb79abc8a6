"""A mapping that was taught a renderer's numbers tells them, and the network draws on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from latentfu_builtin.networks.stylegan.mapped_network import save_network
from latentfu_builtin.networks.stylegan.stylegan2 import (
    StyleGAN2,
    StyleGAN2Config,
    load_network,
)
from latentfu_builtin.stylegan.training.cli import train_command
from latentfu_builtin.stylegan.training.options import TrainingOptions
from latentfu_builtin.stylegan.training.pairs import render_pairs
from latentfu_builtin.stylegan.training.source import normalize_2nd_moment
from latentfu_builtin.stylegan.training.teach_mapping import (
    MappingOptions,
    TaughtMapping,
    teach_mapping,
)
from latentfu_builtin.stylegan.training.trainer import Trainer, start_from

from tests.support.hats import Hats

CONFIG = StyleGAN2Config(resolution=8, z_dim=6, w_dim=32, mapping_layers=2, channels=(16, 8))
QUICK = MappingOptions(layers=3, samples=6000, steps=300, batch=256)


@pytest.fixture(scope="module")
def fresh() -> StyleGAN2:
    torch.manual_seed(0)
    return StyleGAN2(CONFIG)


@pytest.fixture(scope="module")
def taught(fresh: StyleGAN2) -> TaughtMapping:
    return teach_mapping(fresh, Hats(), QUICK)


def test_w_tells_what_was_hidden_behind_a_bound(taught: TaughtMapping) -> None:
    assert taught.known["gray"] > 0.9
    assert taught.known["hat"] > 0.8 > taught.known_before["hat"] + 0.1
    assert taught.known["hat side"] > 0.6 > taught.known_before["hat side"] + 0.1


def test_a_step_along_one_feature_leaves_the_others(taught: TaughtMapping) -> None:
    products = taught.directions @ taught.directions.T
    sizes = products.diagonal()
    assert torch.allclose(products, torch.diag(sizes), atol=1e-4)
    z = torch.randn(4000, 6, generator=torch.Generator().manual_seed(9))
    features, _ = Hats().describe(normalize_2nd_moment(z)[:, :4])
    with torch.no_grad():
        told = taught.network.mapping(z) @ taught.directions.T
    for place in range(3):
        rows = torch.stack([told[:, place], features[:, place]])
        assert torch.corrcoef(rows)[0, 1] > 0.8


def test_the_network_goes_on_drawing_what_it_drew(fresh: StyleGAN2, taught: TaughtMapping) -> None:
    """What it drew of what the renderer knows: here all, as its first teacher was the same."""
    z = torch.randn(64, 6)
    again = teach_mapping(taught.network, Hats(), replace(QUICK, seed=1)).network
    with torch.no_grad():
        drawn, later = taught.network(z, noise="none"), again(z, noise="none")
    strangers = (drawn - drawn.roll(1, 0)).square().mean()
    assert (drawn - later).square().mean() < 0.1 * strangers
    assert taught.network.metadata == fresh.metadata


def test_a_number_that_is_a_feature_itself_is_told_to_a_hundredth() -> None:
    """Not so if w's numbers were mixtures of many features: the last activation bends them."""
    torch.manual_seed(0)
    wide = StyleGAN2(replace(CONFIG, w_dim=64))
    taught = teach_mapping(wide, Hats(), replace(QUICK, steps=600))
    assert taught.known["gray"] > 0.99


def test_training_goes_on_from_it(taught: TaughtMapping, tmp_path: Path) -> None:
    path = tmp_path / "taught.safetensors"
    save_network(path, taught.network)
    stored = load_network(path)
    cache = render_pairs(Hats(), tmp_path / "pairs", count=64, resolution=8, z_dim=6)
    config = replace(CONFIG, mapping_layers=3, mapping_lr_multiplier=0.01)
    trainer = Trainer(config, TrainingOptions(regression_images=64, bf16=False), cache)
    start_from(trainer, stored)
    z = torch.randn(8, 6)
    with torch.no_grad():
        assert torch.equal(trainer.ema.mapping(z), stored.mapping(z))
    trainer.step()


def test_w_must_have_room_for_the_features() -> None:
    narrow = StyleGAN2(replace(CONFIG, w_dim=2))
    with pytest.raises(ValueError, match="says 3 things of a picture, but w has 2 numbers"):
        teach_mapping(narrow, Hats(), QUICK)


def test_the_command_teaches_people(tmp_path: Path) -> None:
    source, output = tmp_path / "small.safetensors", tmp_path / "taught.safetensors"
    save_network(source, StyleGAN2(replace(CONFIG, z_dim=96, w_dim=256)))
    command = ["mapping", str(source), "-o", str(output), "--samples", "1200", "--steps", "4"]
    result = CliRunner().invoke(train_command, command)
    assert result.exit_code == 0, result.output
    assert "of what pictures depend on" in result.output
    assert load_network(output).config.mapping_layers == 4


def test_a_renderer_that_keeps_silent_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "small.safetensors"
    save_network(source, StyleGAN2(CONFIG))
    command = ["mapping", str(source), "--renderer", "portraits", "-o", str(tmp_path / "x")]
    result = CliRunner().invoke(train_command, command)
    assert result.exit_code == 1
    assert "the renderer portraits does not say what its numbers mean" in result.output
    assert not (tmp_path / "x").exists()
