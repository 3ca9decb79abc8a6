"""A generator with the attention mapping of W++: laws, training, inversion, quick renders."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import latentfu_builtin.inversion.plugin
import numpy as np
import pytest
import torch
from click.testing import CliRunner
from hypothesis import example, given, settings
from hypothesis import strategies as st
from latentfu import BadInputError, Crop, InversionRequest, Quad, open_generator, random_latents
from latentfu.core.progress import silent
from latentfu.testing import check_generator, spec_of
from latentfu_builtin.networks.stylegan.stylegan2 import StyleGAN2, StyleGAN2Config
from latentfu_builtin.networks.stylegan.stylegan2.generator import StyleGAN2Generator
from latentfu_builtin.networks.stylegan.wplusplus import AttentionMapping
from latentfu_builtin.stylegan.training.checkpoint import gather, load_checkpoint, save_checkpoint
from latentfu_builtin.stylegan.training.cli import train_command
from latentfu_builtin.stylegan.training.options import TrainingOptions
from latentfu_builtin.stylegan.training.source import FolderSource
from latentfu_builtin.stylegan.training.trainer import Trainer
from PIL import Image

CONFIG = StyleGAN2Config(
    resolution=16, z_dim=6, w_dim=16, mapping_layers=2, channels=(12, 12, 8), mapping="attention"
)


@cache
def small() -> StyleGAN2Generator:
    torch.manual_seed(2)
    network = StyleGAN2(CONFIG).eval().requires_grad_(False)
    for layer in [*network.synthesis.convs, *network.synthesis.rgbs]:
        layer.affine.weight.mul_(0.3)
    for rgb in network.synthesis.rgbs:
        rgb.get_parameter("weight").mul_(0.5)
    network.mapping.set_w_avg(500)
    return StyleGAN2Generator(network, "attentive", "9" * 64, "test")


def mapping() -> AttentionMapping:
    found = small().network.mapping
    assert isinstance(found, AttentionMapping)
    return found


def test_it_keeps_the_contract_of_generators() -> None:
    generator = check_generator(spec_of(small()))
    assert generator.spaces == ("w++",) and generator.z_dim == 6 * 6
    assert generator.mean_latent().codes.shape == (1, 6, 16)
    assert StyleGAN2Config.from_json(CONFIG.to_json()) == CONFIG


@settings(max_examples=8, deadline=None)
@given(token=st.integers(0, 5), seed=st.integers(0, 1000))
@example(token=2, seed=98)  # another style moves most
def test_each_style_hears_of_every_z_and_pictures_do_not_hear_of_each_other(
    token: int, seed: int
) -> None:
    z = torch.randn(3, 6, 6, generator=torch.Generator().manual_seed(seed))
    other = z.clone()
    other[1, token] += 1.0
    before, after = (mapping()(part.flatten(1)) for part in (z, other))
    assert torch.allclose(before[[0, 2]], after[[0, 2]], atol=1e-5)
    assert bool(((before[1] - after[1]).norm(dim=1) > 0).all())
    slopes = torch.autograd.functional.jacobian(mapping(), z[1:2].flatten(1))
    slopes = slopes.reshape(6, 16, 6, 6)  # [styles, w_dim, tokens, z of each]
    assert bool((slopes.square().sum(dim=(1, 3)) > 0).all())
    for seen in mapping().attention(z.flatten(1)):
        assert torch.allclose(seen.sum(dim=3), torch.ones(3, 4, 6), atol=1e-5)


@settings(max_examples=8, deadline=None)
@given(order=st.permutations(range(6)), seed=st.integers(0, 1000))
def test_a_style_knows_its_place_by_its_name_alone(order: list[int], seed: int) -> None:
    """Tokens that carry their names with them may stand in any order."""
    z = torch.randn(2, 36, generator=torch.Generator().manual_seed(seed))
    begun = mapping().start(z)
    straight, moved = begun, begun[:, order]
    for layer in mapping().layers:
        straight, moved = layer(straight), layer(moved)
    assert torch.allclose(straight[:, order], moved, atol=1e-5)


def test_a_late_style_renders_only_what_comes_after_it() -> None:
    generator, latent = small(), random_latents(small(), 1, 5)
    codes = latent.codes.clone()
    codes[:, 5] += 1.0
    with torch.no_grad():
        generator.render(latent)
        before = generator.incremental.computed
        moved = generator.render(latent.with_codes(codes))
        assert generator.incremental.computed == before + 1
        whole = generator.network.synthesis(codes)
    assert torch.allclose(moved, whole, atol=1e-5)


@pytest.mark.parametrize("name", ["optimise", "pivotal"])
def test_a_picture_of_its_own_is_found_again_in_w_plus_plus(name: str) -> None:
    known = {item.name: item for item in latentfu_builtin.inversion.plugin.latentfu_inverters()}
    with torch.no_grad():
        image = small().render(random_latents(small(), 1, 8))[0].clamp(-1, 1)
    crop = Crop(image.numpy(), Quad.square(0, 0, 16), "test")

    def found(steps: int) -> float:
        method = known[name]
        options = {**method.options, "steps": steps}
        options["losses"] = "pixels"
        inversion = method.invert(InversionRequest(crop, small(), silent, options))
        assert inversion.latent.space == "w++" and inversion.latent.codes.shape == (1, 6, 16)
        return inversion.quality.psnr

    assert found(40) > found(1) + 1.0


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(6):
        pixels = np.random.default_rng(number).integers(0, 255, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return folder


def test_training_goes_on_to_the_bit(pictures: Path, tmp_path: Path) -> None:
    options = TrainingOptions(
        batch=4, bf16=False, adversarial_images=100, r1_every=2, path_every=2, mixing=0.5
    )
    source = FolderSource(pictures, 16)
    trainer = Trainer(CONFIG, options, source)
    before = trainer.generator.mapping.layers[0].get_parameter("attention.query.weight").clone()
    for _ in range(3):
        trainer.step()
    save_checkpoint(tmp_path / "c.safetensors", trainer)
    trainer.step()
    resumed = load_checkpoint(tmp_path / "c.safetensors", source)
    resumed.step()
    one, two = gather(trainer), gather(resumed)
    assert one.keys() == two.keys() and all(torch.equal(one[k], two[k]) for k in one)
    after = trainer.generator.mapping.layers[0].get_parameter("attention.query.weight")
    assert not torch.equal(before, after)
    assert trainer.generator.mapping.w_avg.abs().sum(dim=1).gt(0).all()


def test_the_command_trains_one_that_opens(pictures: Path, tmp_path: Path) -> None:
    out, file = tmp_path / "run", tmp_path / "own.safetensors"
    sizes = ["--resolution", "16", "--z-dim", "6", "--w-dim", "16", "--channels", "12,12,8"]
    words = ["generator", "--out", str(out), "--data", str(pictures), *sizes]
    words += ["--mapping", "attention", "--set", "batch=4"]
    words += ["--set", "bf16=false", "--set", "adversarial_images=8"]
    done = CliRunner().invoke(train_command, words)
    assert done.exit_code == 0, done.output
    exported = ["export", str(out / "checkpoint.safetensors"), "-o", str(file)]
    assert CliRunner().invoke(train_command, exported).exit_code == 0
    generator = open_generator(file)
    assert generator.spaces == ("w++",)
    assert generator.render(random_latents(generator, 2, 1)).isfinite().all()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--w-dim", "20"], "divisible by 16"),
        (["--mapping", "magic"], "is not one of"),
    ],
)
def test_what_it_can_not_do_is_one_sentence(
    words: list[str], said: str, pictures: Path, tmp_path: Path
) -> None:
    start = ["generator", "--out", str(tmp_path / "run"), "--mapping", "attention"]
    done = CliRunner().invoke(train_command, [*start, "--data", str(pictures), *words])
    assert done.exit_code in (1, 2) and said in done.output and "Traceback" not in done.output
    assert not (tmp_path / "run").exists()


def test_labels_and_wrong_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="no labels"):
        replace(CONFIG, c_dim=3)
    with pytest.raises(BadInputError, match="36"):
        small().map(torch.zeros(2, 6))
    with pytest.raises(BadInputError, match="has no labels"):
        small().map(torch.zeros(2, 36), labels=torch.zeros(2, 3))
