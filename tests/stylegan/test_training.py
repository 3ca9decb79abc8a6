"""The trainer: pairs, losses, both phases, resume to the bit, export, commands."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from latentfu import LocalEngine
from latentfu_builtin.networks.stylegan.stylegan2 import (
    StyleGAN2Config,
    load_network,
    normalize_2nd_moment,
)
from latentfu_builtin.stylegan.training import losses
from latentfu_builtin.stylegan.training.augment import crop, diff_augment, emphasize_detail
from latentfu_builtin.stylegan.training.checkpoint import (
    gather,
    load_checkpoint,
    save_checkpoint,
    save_state,
)
from latentfu_builtin.stylegan.training.cli import train_command
from latentfu_builtin.stylegan.training.options import TrainingOptions
from latentfu_builtin.stylegan.training.pairs import PairCache, render_pairs
from latentfu_builtin.stylegan.training.run import (
    Pace,
    draw_sample_grid,
    export_network,
    run_training,
)
from latentfu_builtin.stylegan.training.source import FolderSource, RendererSource, read_square
from latentfu_builtin.stylegan.training.trainer import Trainer
from PIL import Image
from torch import Tensor

CONFIG = StyleGAN2Config(
    resolution=16,
    z_dim=6,
    w_dim=16,
    mapping_layers=2,
    mapping_lr_multiplier=1.0,
    channels=(16, 16, 8),
)
OPTIONS = TrainingOptions(
    batch=8,
    regression_images=10_000,
    adversarial_images=10_000,
    bf16=False,
    r1_every=2,
    path_every=2,
    mixing=0.5,
    paired_weight=1.0,
    augment="color,translation,cutout",
)


class Blobs:
    """A teacher for tests: a soft disc whose place and color are the factors."""

    factor_count = 5
    landmark_count = 5

    def render(
        self, normal: Tensor, resolution: int, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        grid = torch.linspace(-1, 1, resolution)
        x, y = normal[:, 0, None] * 0.3, normal[:, 1, None] * 0.3
        square = (grid[None, None] - x[..., None]) ** 2 + (grid[None, :, None] - y[..., None]) ** 2
        disc = torch.exp(-4 * square)[:, None]
        color = torch.tanh(normal[:, 2:5, None, None])
        center = (torch.cat([x, y], dim=1) + 1) / 2
        return disc * color, center[:, None].expand(-1, 5, -1).clone()


@pytest.fixture
def source() -> RendererSource:
    return RendererSource(Blobs(), 16, 6)


def test_pairs_hold_z_and_what_the_teacher_draws_for_it(tmp_path: Path) -> None:
    cache = render_pairs(Blobs(), tmp_path, count=96, resolution=16, z_dim=6, seed=3, batch=40)
    assert cache.complete and cache.count == 96
    batch = cache.rows(slice(0, 96))
    assert batch.z is not None and batch.images.shape == (96, 3, 16, 16)
    normals = normalize_2nd_moment(batch.z)[:, :5]
    assert torch.equal(cache.normals(slice(0, 96)), normals)
    images, _ = Blobs().render(normals, 16, torch.Generator())
    assert (batch.images - images).abs().max() < 1 / 127
    held = cache.holdout()
    drawn = cache.draw(64, torch.Generator().manual_seed(0))
    assert held.z is not None and drawn.z is not None and len(held.z) == 12
    assert not (drawn.z[:, None] == held.z[None]).all(dim=2).any()


def test_rendering_pairs_continues_where_it_was_stopped(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done >= 32:
            raise KeyboardInterrupt

    sizes = {"count": 80, "resolution": 16, "z_dim": 6, "seed": 3, "batch": 16}
    whole = render_pairs(Blobs(), tmp_path / "whole", **sizes)
    with pytest.raises(KeyboardInterrupt):
        render_pairs(Blobs(), tmp_path / "parts", **sizes, progress=stop)
    assert not PairCache(tmp_path / "parts").complete
    parts = render_pairs(Blobs(), tmp_path / "parts", **sizes)
    assert torch.equal(whole.rows(slice(0, 80)).images, parts.rows(slice(0, 80)).images)
    with pytest.raises(ValueError, match="other settings"):
        render_pairs(Blobs(), tmp_path / "parts", **{**sizes, "seed": 4})


class RegionBlobs(Blobs):
    """The same, that also knows where its disc is."""

    def render_regions(
        self, normal: Tensor, resolution: int, generator: torch.Generator
    ) -> tuple[Tensor, Tensor, Tensor]:
        images, landmarks = self.render(normal, resolution, generator)
        return images, landmarks, (images.mean(1) > 0).to(torch.uint8)


def test_several_processes_render_the_same_pairs(tmp_path: Path) -> None:
    sizes = {"count": 80, "resolution": 16, "z_dim": 6, "seed": 3, "batch": 16}
    said: list[int] = []
    render_pairs(RegionBlobs(), tmp_path / "one", **sizes, regions=True)
    two = render_pairs(
        RegionBlobs(),
        tmp_path / "two",
        **sizes,
        regions=True,
        engine=LocalEngine(2),
        progress=lambda done, _: said.append(done),
    )
    assert said == [16, 32, 48, 64, 80]
    for name in ("z", "images", "normals", "landmarks", "regions"):
        found, wanted = (np.load(tmp_path / f / f"{name}.npy") for f in ("two", "one"))
        assert np.array_equal(found, wanted), name
    regions = np.load(tmp_path / "two" / "regions.npy")
    assert regions.shape == (80, 16, 16) and 0 < regions.mean() < 1
    brightness = two.arrays["images"].mean(3)
    assert brightness[regions == 1].mean() > 128 > brightness[regions == 0].mean()


def test_regions_need_a_teacher_that_knows_them(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="does not tell the regions"):
        render_pairs(Blobs(), tmp_path, count=80, resolution=16, z_dim=6, regions=True)


def test_training_begins_while_pairs_arrive_and_never_sees_the_held_out(tmp_path: Path) -> None:
    sizes = {"count": 160, "resolution": 16, "z_dim": 6, "seed": 3, "batch": 16}
    seen: list[int] = []

    def look(done: int, total: int) -> None:
        cache = PairCache(tmp_path)
        held = cache.holdout()
        assert held.z is not None
        if done <= 20:
            with pytest.raises(ValueError, match="needs more than 20"):
                cache.draw(8, torch.Generator())
            return
        drawn = cache.draw(64, torch.Generator().manual_seed(done))
        assert drawn.z is not None and len(held.z) == 20
        assert not (drawn.z[:, None] == held.z[None]).all(dim=2).any()
        seen.append(done)

    render_pairs(Blobs(), tmp_path, **sizes, progress=look)
    assert seen[0] == 32 and seen[-1] == 160


def test_a_folder_of_pictures_is_a_source(tmp_path: Path) -> None:
    for name in ("a", "b"):
        Image.new("RGB", (20, 30), (255, 0, 0)).save(tmp_path / f"{name}.png")
    batch = FolderSource(tmp_path, 16, mirror=True).draw(5, torch.Generator())
    assert batch.images.shape == (5, 3, 16, 16) and batch.z is None
    assert torch.equal(batch.images[:, 0], torch.ones(5, 16, 16))
    (tmp_path / "c.png").write_text("no picture")
    with pytest.raises(ValueError, match="cannot be read"):
        read_square(tmp_path / "c.png", 16)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="no picture"):
        FolderSource(tmp_path / "empty", 16)


def test_weights_peak_at_eyes_and_mouth() -> None:
    places = torch.tensor([[[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.4, 0.8], [0.6, 0.8]]])
    weights = losses.landmark_weights(places, 64, 9.0)
    assert weights.shape == (1, 1, 64, 64)
    assert weights[0, 0, 25, 19] > 9 and weights[0, 0, 51, 32] > 9
    assert weights[0, 0, 2, 2] < 1.01


def test_r1_is_the_gradients_square() -> None:
    images = torch.randn(3, 3, 4, 4, requires_grad=True)
    penalty = losses.r1_penalty((images * 2.0).sum(dim=(1, 2, 3)), images)
    torch.testing.assert_close(penalty, torch.tensor(4.0 * 48))


def test_augmentation_keeps_shape_and_gradients() -> None:
    x = torch.rand(4, 3, 16, 16, requires_grad=True)
    y = diff_augment(x, "color,translation,cutout")
    y.sum().backward()
    assert y.shape == x.shape and x.grad is not None and x.grad.abs().sum() > 0
    with pytest.raises(ValueError, match="unknown augmentation"):
        diff_augment(x, "sepia")


def test_a_crop_is_a_part_of_its_picture() -> None:
    x = torch.arange(2 * 3 * 16 * 16, dtype=torch.float32).reshape(2, 3, 16, 16)
    parts = crop(x, 8)
    assert parts.shape == (2, 3, 8, 8)
    for part, whole in zip(parts, x, strict=True):
        top, left = divmod(int(part[0, 0, 0] - whole[0, 0, 0]), 16)
        assert torch.equal(part, whole[:, top : top + 8, left : left + 8])
    assert crop(x, 0) is x and crop(x, 16) is x


@pytest.mark.parametrize("gain", [1.0, 16.0])
def test_detail_stands_out_by_its_gain(gain: float) -> None:
    flat = torch.full((1, 3, 16, 16), 0.5)
    fine = 0.1 * torch.ones(16, 16).cumsum(0).add(torch.ones(16, 16).cumsum(1)).remainder(2)
    seen = emphasize_detail(flat + fine - fine.mean(), gain)
    plain = emphasize_detail(flat, gain)
    ratio = (seen - plain).std() / plain.mean() / (fine.std() / 0.5)
    assert float(ratio) == pytest.approx(gain, rel=1e-2)


@pytest.mark.parametrize("side", [0, 8])
def test_a_discriminator_of_detail_trains_and_goes_on(tmp_path: Path, side: int) -> None:
    source = RendererSource(Blobs(), CONFIG.resolution, CONFIG.z_dim)
    options = replace(
        OPTIONS, regression_images=0, augment="", discriminator_crop=side, discriminator_detail=16.0
    )
    trainer = Trainer(CONFIG, options, source)
    assert set(trainer.step()) >= {"g", "d", "r1", "paired"}
    save_checkpoint(tmp_path / "c.safetensors", trainer)
    again = load_checkpoint(tmp_path / "c.safetensors", source, "cpu", options)
    assert again.judge.config.resolution == (side or CONFIG.resolution)
    assert set(again.step()) >= {"g", "d", "paired"} and again.images == 16


def test_a_crop_that_does_not_fit_is_refused() -> None:
    source = RendererSource(Blobs(), CONFIG.resolution, CONFIG.z_dim)
    for side in (12, 32, 4):
        with pytest.raises(ValueError, match=f"discriminator_crop is 8.*not {side}"):
            Trainer(CONFIG, replace(OPTIONS, discriminator_crop=side), source)


def test_a_short_regression_lowers_the_loss(source: RendererSource) -> None:
    options = replace(OPTIONS, batch=16, regression_images=16 * 60)
    trainer = Trainer(CONFIG, options, source)
    numbers = [trainer.step()["paired"] for _ in range(60)]
    assert sum(numbers[-5:]) < 0.75 * sum(numbers[:5])
    assert trainer.generator.mapping.w_avg.abs().sum() > 0


def test_an_installed_loss_can_be_added_to_the_pixels(source: RendererSource) -> None:
    options = replace(OPTIONS, feature_loss="pixels", feature_weight=0.0)
    plain = Trainer(CONFIG, OPTIONS, source).step()["paired"]
    assert Trainer(CONFIG, options, source).step()["paired"] == pytest.approx(plain)
    doubled = Trainer(CONFIG, replace(options, feature_weight=2.0), source).step()["paired"]
    assert doubled > plain
    with pytest.raises(ValueError, match="there is no loss sepia"):
        Trainer(CONFIG, replace(OPTIONS, feature_loss="sepia"), source)


def test_bfloat16_trains_too(source: RendererSource) -> None:
    trainer = Trainer(CONFIG, replace(OPTIONS, bf16=True, regression_images=8), source)
    assert trainer.step().keys() == {"paired"}
    assert trainer.step().keys() == {"g", "paired", "d", "right", "r1", "path"}


def test_adversarial_training_without_pairs(tmp_path: Path) -> None:
    Image.new("RGB", (16, 16), (9, 99, 199)).save(tmp_path / "a.png")
    options = replace(OPTIONS, regression_images=0, head_start_images=8)
    trainer = Trainer(CONFIG, options, FolderSource(tmp_path, 16))
    before = trainer.generator.synthesis.const.detach().clone()
    assert "g" not in trainer.step()
    assert torch.equal(before, trainer.generator.synthesis.const)
    assert {"g", "d"} <= trainer.step().keys()
    assert not torch.equal(before, trainer.generator.synthesis.const)
    with pytest.raises(ValueError, match="needs a renderer"):
        Trainer(CONFIG, OPTIONS, FolderSource(tmp_path, 16)).step()


@pytest.mark.parametrize("regression", [10_000, 16])
def test_resume_is_exact_to_the_bit(
    source: RendererSource, tmp_path: Path, regression: int
) -> None:
    options = replace(OPTIONS, regression_images=regression)
    trainer = Trainer(CONFIG, options, source)
    for _ in range(4):
        trainer.step()
    save_checkpoint(tmp_path / "c.safetensors", trainer)
    for _ in range(4):
        trainer.step()
    torch.manual_seed(77)
    resumed = load_checkpoint(tmp_path / "c.safetensors", source)
    for _ in range(4):
        resumed.step()
    one, two = gather(trainer), gather(resumed)
    assert one.keys() == two.keys()
    assert [k for k in one if not torch.equal(one[k], two[k])] == []
    assert resumed.images == trainer.images


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor:UserWarning")  # torch's own
def test_compiled_networks_train_alike_and_keep_their_names(
    source: RendererSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = torch.nn.Module.compile  # the eager backend needs no compiler and no minutes
    monkeypatch.setattr(torch.nn.Module, "compile", lambda net: plain(net, backend="eager"))
    options = replace(OPTIONS, regression_images=8, mixing=0.0, augment="")
    one, two = (Trainer(CONFIG, replace(options, compiled=c), source) for c in (False, True))
    for _ in range(2):
        a, b = one.step(), two.step()
    assert a.keys() == b.keys()
    assert b["paired"] == pytest.approx(a["paired"], rel=1e-3)
    assert b["r1"] == pytest.approx(a["r1"], rel=1e-2)
    assert gather(one).keys() == gather(two).keys()


def test_a_small_state_is_enough_to_train_on(source: RendererSource, tmp_path: Path) -> None:
    whole, small = tmp_path / "checkpoint.safetensors", tmp_path / "state.safetensors"
    trainer = Trainer(CONFIG, OPTIONS, source)
    for _ in range(3):
        trainer.step()
    save_checkpoint(whole, trainer)
    save_state(whole, small)
    assert small.stat().st_size < 0.4 * whole.stat().st_size
    again = load_checkpoint(small, source)
    assert again.images == trainer.images
    z = torch.randn(2, CONFIG.z_dim)
    with torch.no_grad():
        before, after = (t.ema.synthesis(t.ema.map(z)) for t in (trainer, again))
    assert torch.allclose(before, after, atol=0.01)
    assert again.step()["paired"] > 0


def test_the_average_alone_is_enough_to_train_on(source: RendererSource, tmp_path: Path) -> None:
    whole, all_three = tmp_path / "checkpoint.safetensors", tmp_path / "three.safetensors"
    alone = tmp_path / "one.safetensors"
    trainer = Trainer(CONFIG, OPTIONS, source)
    for _ in range(3):
        trainer.step()
    save_checkpoint(whole, trainer)
    save_state(whole, all_three)
    save_state(whole, alone, averaged=True)
    assert alone.stat().st_size < 0.5 * all_three.stat().st_size
    again = load_checkpoint(alone, source)
    assert again.images == trainer.images
    z = torch.randn(2, CONFIG.z_dim)
    with torch.no_grad():
        before = trainer.ema.synthesis(trainer.ema.map(z))
        for network in (again.generator, again.ema):
            assert torch.allclose(before, network.synthesis(network.map(z)), atol=0.01)
    assert again.step()["paired"] > 0


def test_run_writes_samples_checkpoint_and_export(source: RendererSource, tmp_path: Path) -> None:
    said: list[str] = []
    options = replace(OPTIONS, regression_images=16, adversarial_images=16)
    trainer = Trainer(CONFIG, options, source)
    run_training(trainer, tmp_path, Pace(), said.append)
    assert trainer.done and "PSNR" in said[-1]
    assert (tmp_path / "samples-0000032.png").exists()
    assert draw_sample_grid(trainer, None).size == (12 * 32, 4 * 32)
    net = export_network(
        tmp_path / "checkpoint.safetensors", tmp_path / "g.safetensors", {"domain": "t"}
    )
    loaded = load_network(tmp_path / "g.safetensors")
    z = torch.randn(2, 6)
    torch.testing.assert_close(loaded(z), net(z), atol=2e-2, rtol=2e-2)
    torch.testing.assert_close(loaded.mapping.w_avg, net.mapping.w_avg, atol=1e-3, rtol=1e-2)
    assert loaded.metadata["domain"] == "t"


def test_commands_refuse_nonsense_in_one_sentence(tmp_path: Path) -> None:
    def refused(*words: str) -> str:
        result = CliRunner().invoke(train_command, [*words])
        assert result.exit_code in (1, 2) and "Traceback" not in result.output
        return result.output

    out = ["generator", "--out", str(tmp_path)]
    assert "exactly one" in refused(*out)
    assert "no renderer named nothing" in refused(*out, "--renderer", "nothing")
    data = [*out, "--data", str(tmp_path)]
    assert "no picture" in refused(*data)
    Image.new("RGB", (16, 16)).save(tmp_path / "a.png")
    assert "unknown training option" in refused(*data, "--set", "speed=9")
    assert "cannot be" in refused(*data, "--set", "batch=many")
    (tmp_path / "x.safetensors").write_text("no")
    bad = str(tmp_path / "x.safetensors")
    assert "cannot be read" in refused("export", bad, "-o", str(tmp_path / "y"))
