"""Cutting a square out and putting a picture back into it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from latentfu.core.crop import Quad
from latentfu.core.errors import BadInputError
from latentfu.core.layer import Layer
from latentfu.pipeline.crop import cut_crop, cut_mask
from latentfu.pipeline.paste import place_change

from tests.support.small_world import picture


def rotated(x: float, y: float, side: float, degrees: float) -> Quad:
    angle = math.radians(degrees)
    half = side / math.sqrt(2)
    turns = [angle + math.radians(225 + 90 * k) for k in range(4)]
    a, b, c, d = ((x + half * math.cos(t), y + half * math.sin(t)) for t in turns)
    return Quad((a, b, c, d))


def test_an_upright_crop_at_the_networks_size_is_the_layers_own_pixels() -> None:
    layer = picture(40, 50)
    crop = cut_crop(layer, Quad.square(7, 3, 32), 32, "test")
    own = layer.pixels[3:35, 7:39].transpose(2, 0, 1) / 127.5 - 1
    assert np.abs(crop.image - own).max() < 1e-5


@pytest.mark.parametrize("factor", [2, 5, 16, 40])
def test_shrinking_is_the_mean_of_the_pixels_that_fall_together(factor: int) -> None:
    side = 8 * factor
    layer = Layer(np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8))
    crop = cut_crop(layer, Quad.square(0, 0, side), 8, "test")
    means = layer.pixels.reshape(8, factor, 8, factor, 3).mean(axis=(1, 3))
    assert np.abs((crop.image.transpose(1, 2, 0) + 1) * 127.5 - means).max() < 0.6


def test_thin_stripes_do_not_alias() -> None:
    pixels = np.zeros((500, 500, 3), np.uint8)
    pixels[:, ::2] = 255
    crop = cut_crop(Layer(pixels), rotated(250, 250, 300, 13), 16, "test")
    assert crop.image.std() < 0.03


def test_outside_the_layer_is_a_mirror_and_never_black() -> None:
    layer = Layer(np.full((30, 30, 3), 200, np.uint8))
    crop = cut_crop(layer, Quad.square(-40, -25, 100), 16, "test")
    assert np.allclose(crop.image, 200 / 127.5 - 1, atol=1e-3)


def test_what_lies_under_transparency_does_not_leak() -> None:
    pixels = np.zeros((32, 32, 4), np.uint8)
    pixels[:, :16] = (255, 0, 255, 0)
    pixels[:, 16:] = (10, 200, 30, 255)
    image = cut_crop(Layer(pixels), Quad.square(0, 0, 32), 16, "test").image
    assert np.abs(image[:, :, :8]).max() < 0.01
    assert np.allclose(image[:, 8, 10], np.array([10, 200, 30]) / 127.5 - 1, atol=1e-3)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(
    st.floats(20, 80), st.floats(20, 80), st.floats(24, 150), st.floats(-180, 180),
    st.sampled_from([1, 3, 4]),
)  # fmt: skip
def test_a_constant_change_arrives_whole_in_the_middle(
    x: float, y: float, side: float, degrees: float, channels: int
) -> None:
    layer = Layer(np.full((100, 100, channels), 90, np.uint8))
    layer.pixels[:, :, 3:] = 255
    quad = rotated(x, y, side, degrees)
    base = np.zeros((3, 16, 16), np.float32)
    out = place_change(layer, quad, base + 20 / 127.5, base).add_to(layer)
    colors = min(channels, 3)
    assert (out.pixels[int(y), int(x), :colors] == 110).all()
    assert out.pixels.min() >= 90 and out.pixels[:, :, :colors].max() <= 110


def test_cut_and_paste_put_a_mark_back_where_it_was() -> None:
    """A white square, seen in a turned crop, is pasted back onto black at its old place."""
    layer = Layer(np.zeros((200, 200, 3), np.uint8))
    layer.pixels[80:110, 90:130] = 255
    quad = rotated(105, 100, 120, 30)
    image = cut_crop(layer, quad, 64, "test").image
    blank = Layer(np.zeros_like(layer.pixels))
    out = place_change(blank, quad, image, None).add_to(blank).pixels
    assert out[84:106, 94:126].min() > 230
    outside = np.ones((200, 200), bool)
    outside[76:114, 86:134] = False
    assert out[outside].max() < 25


def test_detail_stays_where_only_the_color_changes() -> None:
    layer = Layer(picture(128, 128).pixels // 2 + 40)
    base = cut_crop(layer, Quad.square(0, 0, 128), 16, "test").image
    out = (
        place_change(layer, Quad.square(0, 0, 128), base + 16 / 127.5, base, feather=0)
        .add_to(layer)
        .pixels
    )
    middle = (slice(32, 96), slice(32, 96))
    gain = out[middle].astype(int) - layer.pixels[middle]
    assert np.abs(gain - 16).max() <= 1


def test_detail_goes_where_a_shape_moves_away() -> None:
    """A thin bright line of the layer must not stay as a ghost when the network removes it."""
    layer = Layer(np.full((128, 128, 3), 60, np.uint8))
    layer.pixels[:, 62:66] = 250
    quad = Quad.square(0, 0, 128)
    with_line = cut_crop(layer, quad, 32, "test").image
    without = np.full_like(with_line, 60 / 127.5 - 1)
    out = place_change(layer, quad, without, with_line, feather=0).add_to(layer).pixels
    assert np.abs(out[32:96, 32:96].astype(int) - 60).max() < 25


@pytest.mark.parametrize(
    "quad",
    [
        Quad.square(5, 5, 1),
        Quad(((0, 0), (0, 0), (0, 0), (0, 0))),
        Quad(((0, 0), (math.nan, 0), (50, 50), (0, 50))),
        Quad(((0, 0), (0, 50), (50, 50), (50, 0))),
        Quad.square(0, 0, 1e9),
    ],
)
def test_senseless_squares_are_refused(quad: Quad) -> None:
    with pytest.raises(BadInputError):
        cut_crop(picture(40, 40), quad, 16, "test")


def test_a_square_beside_the_layer_changes_nothing() -> None:
    layer = picture(40, 40)
    quad = Quad.square(100, 100, 30)
    image = np.ones((3, 16, 16), np.float32)
    assert np.array_equal(place_change(layer, quad, image, None).add_to(layer).pixels, layer.pixels)


def test_a_mask_in_the_crop_lies_where_it_lies_in_the_layer() -> None:
    mask = np.zeros((64, 64), np.uint8)
    mask[:32] = 255
    seen = cut_mask(mask, Quad.square(0, 0, 64), 16)
    assert seen[:7].min() == 1.0 and seen[9:].max() == 0.0
