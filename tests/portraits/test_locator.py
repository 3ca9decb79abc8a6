"""The locator: geometry of the crop, letterboxing, training scenes, files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from latentfu_builtin.portraits.locator import (
    Locator,
    fit_scale_and_shift,
    load_locator,
    locate_portrait,
)
from latentfu_builtin.portraits.locator.locator import (
    _WEIGHTS,
    learn_crop_fit,
    letterbox,
    save_locator,
    soft_argmax,
)
from latentfu_builtin.portraits.locator.train import (
    LocatorOptions,
    Scenes,
    draw_clutter,
    draw_scene,
    draw_training_batch,
    move_pictures,
    place_crops,
    render_scenes,
    train_locator,
)
from latentfu_builtin.portraits.renderer import (
    PortraitPlacement,
    crop_quad,
    landmarks,
    render,
    sample,
)
from latentfu_builtin.portraits.teacher import make_teacher
from latentfu_builtin.stylegan.training.pairs import render_pairs
from latentfu_builtin.stylegan.training.source import Batch


def test_a_scaled_and_shifted_mean_is_found_exactly() -> None:
    mean = torch.rand(5, 2)
    points = mean[None] * torch.tensor([300.0, 40.0])[:, None, None] + torch.tensor([7.0, -3.0])
    scale, shift = fit_scale_and_shift(points, mean)
    torch.testing.assert_close(scale, torch.tensor([300.0, 40.0]))
    torch.testing.assert_close(shift, torch.tensor([[7.0, -3.0]]).expand(2, 2), atol=1e-3, rtol=0)


def test_the_correction_brings_the_crop_nearer_to_the_truth() -> None:
    points = landmarks(sample(1500, seed=1), 1)
    fit = learn_crop_fit(points[:1200])
    unseen = points[1200:]
    scale, shift = fit_scale_and_shift(unseen, fit.mean)
    plain = (shift - 0).abs().mean() + (scale - 1).abs().mean()
    crop = fit.crop(unseen)
    better = crop[:, :2].abs().mean() + (crop[:, 2] - 1).abs().mean()
    assert better < 0.6 * plain


def test_the_crop_follows_zoom_and_shift() -> None:
    points = landmarks(sample(300, seed=2), 1)
    fit = learn_crop_fit(points)
    one = fit.crop(points[:3])
    far = fit.crop(points[:3] * 200 + torch.tensor([50.0, 10.0]))
    expected = one * 200 + torch.tensor([50.0, 10.0, 0.0])
    torch.testing.assert_close(far, expected, atol=0.02, rtol=1e-3)


def test_letterboxing_keeps_places() -> None:
    picture = torch.zeros(3, 60, 240)
    picture[:, 30:34, 200:204] = 1.0
    box, zoom, left, top = letterbox(picture)
    y, x = divmod(int(box[0, 0].argmax()), 128)
    assert abs((x + 0.5 - left) / zoom - 202) < 3 and abs((y + 0.5 - top) / zoom - 32) < 3


def test_soft_argmax_finds_a_peak() -> None:
    heat = torch.zeros(1, 5, 32, 32)
    heat[0, :, 8, 20] = 30.0
    torch.testing.assert_close(soft_argmax(heat)[0, 0], torch.tensor([20.5, 8.5]) / 32)


def test_moving_a_scene_moves_its_landmarks_along() -> None:
    images = torch.zeros(4, 3, 128, 128)
    images[:, :, 60:64, 40:44] = 1.0
    places = torch.tensor([42.0, 62.0]).div(128).expand(4, 5, 2)
    moved, where = move_pictures(images, places, torch.Generator().manual_seed(3))
    for picture, place in zip(moved, where, strict=True):
        if bool(((place > 0.1) & (place < 0.9)).all()):
            y, x = divmod(int(picture[0].argmax()), 128)
            assert abs(x + 0.5 - float(place[0, 0]) * 128) < 4
            assert abs(y + 0.5 - float(place[0, 1]) * 128) < 4


def test_scenes_hold_their_landmarks(tmp_path: Path) -> None:
    box, places = draw_scene(torch.Generator().manual_seed(1), 3)
    assert box.shape == (4, 3, 128, 128) and places.shape == (4, 5, 2)
    path = tmp_path / "scenes.safetensors"
    first = render_scenes(path, 4, 0, lambda done, total: None)
    again = render_scenes(path, 4, 0, lambda done, total: None)
    assert torch.equal(first.images, again.images) and len(first) == 4
    random = torch.Generator().manual_seed(0)
    crops = Batch(torch.rand(3, 3, 64, 64), None, torch.rand(3, 5, 2))
    images, _, there = draw_training_batch(first, crops, random, own=4, empty=0.0)
    assert images.shape == (7, 3, 128, 128) and bool((there == 1).all())
    assert draw_clutter(2, random).abs().max() <= 1


def test_placed_crops_take_their_landmarks_along() -> None:
    crops = torch.zeros(6, 3, 64, 64)
    crops[:, :, 30:34, 20:24] = 1.0
    places = torch.tensor([22.0, 32.0]).div(64).expand(6, 5, 2)
    pictures, where = place_crops(crops, places, torch.Generator().manual_seed(3))
    for picture, place in zip(pictures, where, strict=True):
        if bool(((place > 0.25) & (place < 0.75)).all()):
            y, x = divmod(int(picture[0].argmax()), 128)
            assert abs(x + 0.5 - float(place[0, 0]) * 128) < 5
            assert abs(y + 0.5 - float(place[0, 1]) * 128) < 5


def test_a_few_steps_run_and_the_file_comes_back(tmp_path: Path) -> None:
    scenes = Scenes(torch.randint(0, 255, (8, 3, 128, 128), dtype=torch.uint8), torch.rand(8, 5, 2))
    teacher = make_teacher()
    teacher.supersample = 1
    cache = render_pairs(teacher, tmp_path, count=48, resolution=16, z_dim=40, batch=48)
    options = LocatorOptions(images=16, batch=8, own=4)
    locator = train_locator(scenes, cache, options, lambda line: None)
    path = tmp_path / "locator.safetensors"
    save_locator(path, locator, {})
    loaded = load_locator(path)
    assert torch.equal(loaded.crop_correction, locator.crop_correction)
    found = locate_portrait(loaded, np.zeros((50, 70, 3), np.uint8))
    assert found.landmarks.shape == (5, 2) and 0 <= found.presence <= 1
    with pytest.raises(ValueError, match="uint8"):
        locate_portrait(loaded, np.zeros((50, 70), np.uint8))
    save_locator(path, Locator(), {"architecture": "other"})
    with pytest.raises(ValueError, match="holds no"):
        load_locator(path)


@pytest.mark.skipif(not _WEIGHTS.exists(), reason="the locator's weights are not in this checkout")
def test_the_shipped_locator_finds_a_portrait_and_nothing_in_clutter() -> None:
    locator = load_locator()
    place = PortraitPlacement(0.42, 0.45, 0.6)
    factors = sample(1, seed=77)
    picture = render(factors, (480, 384), placement=place, supersample=1)[0]
    pixels = picture.add(1).mul(127.5).clamp(0, 255).to(torch.uint8).permute(1, 2, 0).numpy()
    found = locate_portrait(locator, pixels)
    wanted = crop_quad((480, 384), place)
    side = wanted[2] - wanted[0]
    assert found.presence > 0.5
    assert max(abs(a - b) for a, b in zip(found.crop, wanted, strict=True)) < 0.15 * side
    assert locate_portrait(locator, np.full((300, 200, 3), 90, np.uint8)).presence < 0.5
    assert _WEIGHTS.stat().st_size < 2_000_000
