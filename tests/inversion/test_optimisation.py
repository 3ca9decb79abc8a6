"""The optimization in every space, with every optimizer, masks, noise maps, starts and presets."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import latentfu_builtin.inversion.plugin
import numpy as np
import pytest
import torch
from latentfu import (
    BadInputError,
    Crop,
    InversionRequest,
    NotInstalledError,
    Quad,
    WrongGeneratorError,
    random_latents,
)
from latentfu.core.progress import silent
from latentfu.storage.inversion_cache import serialize_inversion
from latentfu.testing import check_inverter
from latentfu_builtin.inversion import losses as pixel
from latentfu_builtin.inversion import vgg as vgg16
from latentfu_builtin.inversion.losses import Objective, Term, parse_losses
from latentfu_builtin.inversion.optimize import optimize_latent, optimize_latents
from latentfu_builtin.inversion.settings import PRESETS

from tests.support.small_world import small_generator

PLAIN: dict[str, float | int | str | bool] = {"losses": "pixels", "steps": 25}
PIXEL_LOSSES = ["l1", "l2", "log_cosh", "blurred_l2", "blurred_log_cosh", "pyramid"]


def own_picture(seed: int) -> np.ndarray[Any, Any]:
    generator = small_generator()
    with torch.no_grad():
        return generator.render(random_latents(generator, 1, seed))[0].clamp(-1, 1).numpy()


def request(seed: int = 3, **options: float | int | str | bool) -> InversionRequest:
    crop = Crop(own_picture(seed), Quad.square(0, 0, 16), "test")
    return InversionRequest(crop, small_generator(), silent, {**PLAIN, **options})


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_keeps_the_contract_of_inverters(name: str) -> None:
    inverters = {item.name: item for item in latentfu_builtin.inversion.plugin.latentfu_inverters()}
    losses = str(inverters[name].options["losses"]).replace("vgg16", "l2")
    check_inverter(inverters[name], small_generator(), {"steps": 12, "losses": losses})


@pytest.mark.parametrize("space", ["z", "w", "w+"])
@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_every_space_comes_nearer_with_time(space: str, optimizer: str) -> None:
    asked = {"space": space, "optimizer": optimizer, "candidates": 64, "losses": "l2"}
    early = optimize_latent(
        request(**asked, steps=1)
    )  # near where it begins: the mean is not a code in z
    found = optimize_latent(request(**asked, steps=25))
    assert found.quality.psnr > early.quality.psnr
    rows = found.latent.codes[0]
    assert (space == "w+") == bool((rows - rows[0]).abs().max() > 1e-4)


@pytest.mark.parametrize("changes", [
    {"optimizer": "sgd", "rate": 100.0, "units": "plain"}, {"rate": 100.0}, {"explore": 10.0},
    {"optimizer": "lbfgs"}, {"cascade": 1.0, "rate": 50.0},
])  # fmt: skip
def test_a_search_never_ends_worse_than_it_began(changes: dict[str, Any], tmp_path: Path) -> None:
    first = optimize_latent(request(steps=60))
    path = tmp_path / "first.safetensors"
    path.write_bytes(serialize_inversion("0" * 64, first))
    found = optimize_latent(request(start=str(path), steps=3, prior=0.0, **changes))
    assert found.quality.perceptual <= first.quality.perceptual * 1.001 + 1e-3  # seen clipped


@pytest.mark.parametrize("changes", [
    {}, {"optimizer": "sgd", "units": "plain"}, {"optimizer": "lbfgs", "steps": 6},
    {"explore": 0.1}, {"candidates": 8}, {"space": "z"},
])  # fmt: skip
def test_several_at_once_are_the_same_as_one_by_one(changes: dict[str, Any]) -> None:
    asked = [request(seed, **changes) for seed in (3, 4, 5)]
    together = optimize_latents(asked)
    for one, many in zip([optimize_latent(each) for each in asked], together, strict=True):
        assert torch.allclose(one.latent.codes, many.latent.codes, atol=2e-3)
        assert one.quality.psnr == pytest.approx(many.quality.psnr, abs=0.05)


def test_only_what_is_inside_the_mask_counts() -> None:
    asked = request(steps=60)
    image = asked.crop.image.copy()
    image[:, :, 8:] = -image[:, :, 8:]
    mask = np.zeros((16, 16), np.float32)
    mask[:, :8] = 1
    spoilt = replace(asked, crop=Crop(image, asked.crop.quad, "test"))

    def left(asked: InversionRequest) -> float:
        with torch.no_grad():
            shown = small_generator().render(optimize_latent(asked).latent)[0].clamp(-1, 1).numpy()
        return float(((shown - image)[:, :, :8] ** 2).mean())

    assert left(replace(spoilt, mask=mask)) < 0.5 * left(spoilt)
    with pytest.raises(BadInputError, match="mask is empty"):
        optimize_latent(replace(spoilt, mask=np.zeros((16, 16), np.float32)))


def test_a_cascade_moves_the_fine_layers_together() -> None:
    rows = optimize_latent(request(cascade=1.0, coarse=2)).latent.codes[0]
    assert float((rows[0] - rows[1]).abs().max()) > 1e-4
    assert float((rows[2:] - rows[2]).abs().max()) < 1e-6


def test_a_start_from_a_file_is_never_worse_than_the_file(tmp_path: Path) -> None:
    first = optimize_latent(request(steps=30))
    path = tmp_path / "first.safetensors"
    path.write_bytes(serialize_inversion("0" * 64, first))
    again = optimize_latent(request(start=str(path), steps=2, losses="l2", prior=0.0))
    assert again.quality.psnr >= first.quality.psnr - 0.5  # the search sees unclipped pictures
    foreign = serialize_inversion("0" * 64, first).replace(b"a" * 64, b"b" * 64)
    path.write_bytes(foreign)
    with pytest.raises(WrongGeneratorError, match="made for"):
        optimize_latent(request(start=str(path)))


def test_a_prior_from_the_start_holds_a_code_there(tmp_path: Path) -> None:
    first = optimize_latent(request(seed=1, steps=30))
    path = tmp_path / "first.safetensors"
    path.write_bytes(serialize_inversion("0" * 64, first))

    def move(anchor: str, prior: float = 1e3) -> float:
        asked = request(seed=2, start=str(path), steps=20, prior=prior, anchor=anchor)
        return float((optimize_latent(asked).latent.codes - first.latent.codes).square().mean())

    assert move("start") < 0.05 * move("start", 0.0)
    with pytest.raises(BadInputError, match="give mean or start"):
        optimize_latent(request(anchor="end"))


def test_noise_maps_are_found_as_bends_and_make_the_picture_better() -> None:
    generator = small_generator()
    if not any(layer.noise for layer in generator.layers):
        pytest.skip("this network shows no noise maps")
    noisy = [conv.noise_strength for conv in generator.network.synthesis.convs]
    before = [float(value) for value in noisy]
    for value in noisy:
        value.data.fill_(0.3)
    try:
        plain = optimize_latent(request(steps=40))
        found = optimize_latent(request(steps=40, noise="yes", noise_prior=10.0))
    finally:
        for value, old in zip(noisy, before, strict=True):
            value.data.fill_(old)
    assert found.latent.bends and not plain.latent.bends
    assert found.quality.psnr > plain.quality.psnr


@pytest.mark.parametrize(("options", "word"), [
    ({"losses": "l1:x"}, "names and weights"), ({"losses": "nobody:1"}, "no loss"),
    ({"losses": "l1:0"}, "nothing to minimize"), ({"losses": "identity"}, "identities"),
    ({"space": "w++"}, "no space"), ({"optimizer": "luck"}, "adam or sgd"),
    ({"start": "nowhere"}, "neither mean"), ({"steps": "many"}, "whole number"),
])  # fmt: skip
def test_senseless_options_are_one_sentence(options: dict[str, Any], word: str) -> None:
    with pytest.raises(BadInputError, match=word):
        optimize_latent(request(**options))


@pytest.mark.parametrize("name", PIXEL_LOSSES)
def test_pixel_losses_are_zero_for_equal_pictures_and_have_gradients(name: str) -> None:
    distance = getattr(pixel, name)
    a, b = (torch.from_numpy(own_picture(seed))[None] for seed in (1, 2))
    a.requires_grad_(True)
    assert float(distance(a, a).detach()) == pytest.approx(0.0, abs=1e-6)
    far = distance(a, b)
    assert far.shape == (1,) and float(far.detach()) > 0
    (slope,) = torch.autograd.grad(far.sum(), a)
    assert bool(slope.isfinite().all()) and float(slope.abs().max()) > 0


def test_weights_scale_their_terms() -> None:
    a, b = torch.zeros(1, 3, 16, 16), torch.ones(1, 3, 16, 16)
    terms = tuple(Term("l2", weight, pixel.l2) for weight in (1.0, 0.5))
    assert float(Objective(terms)(a, b)) == pytest.approx(1.5)
    assert parse_losses("l1, lpips:0.8") == [("l1", 1.0), ("lpips", 0.8)]


def test_vgg16_is_never_fetched_silently_and_never_taken_unchecked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LATENTFU_HOME", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(NotInstalledError, match="latentfu backbones download vgg16"):
        optimize_latent(request(losses="vgg16"))
    wrong = tmp_path / "wrong.pth"
    wrong.write_bytes(b"not a network")
    with pytest.raises(BadInputError, match="not the published"):
        optimize_latent(request(losses="lpips", backbone=str(wrong)))
    with pytest.raises(BadInputError, match="no file"):
        optimize_latent(request(losses="vgg16", backbone=str(tmp_path / "none.pth")))
    with pytest.raises(BadInputError, match="is not vgg16"):
        vgg16.download_vgg16(wrong.as_uri())
    assert not vgg16._downloaded_vgg16_path().exists()
    assert len(vgg16._SHA256) == 64 and vgg16._SHA256[:8] in vgg16._FILE


@pytest.fixture
def random_vgg16(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    from torchvision.models import vgg

    torch.manual_seed(0)
    state = vgg.make_layers(vgg.cfgs["D"]).state_dict()
    path = tmp_path / "vgg16.pth"
    torch.save({f"features.{name}": value for name, value in state.items()}, path)
    monkeypatch.setattr(vgg16, "_SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    return path


@pytest.mark.slow
def test_lpips_with_weights_that_are_there(random_vgg16: Path) -> None:
    seen = optimize_latent(request(losses="lpips", backbone=str(random_vgg16), steps=2))
    assert seen.quality.perceptual_name == "lpips" and seen.quality.perceptual > 0


def test_vgg16_with_weights_that_are_there(random_vgg16: Path) -> None:
    path = random_vgg16
    found = optimize_latent(
        request(losses="pixels:1,vgg16:1", backbone=str(path), steps=3, vgg_layer=5)
    )
    assert found.quality.perceptual_name == "vgg16" and found.quality.perceptual > 0
