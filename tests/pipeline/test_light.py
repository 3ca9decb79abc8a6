"""A picture in poor light is evened out before it is inverted, and gets its own light back."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from latentfu.core.crop import EVEN_LIGHT, Crop, Quad
from latentfu.core.layer import Layer
from latentfu.pipeline.editor import Editor
from latentfu.pipeline.light import even_light, put_back_light
from latentfu.protocol.pictures import PictureStore
from latentfu.protocol.requests import EditRequest, InvertRequest, PreviewRequest, build_request

from tests.support.small_world import WORLD, picture

Pixels = npt.NDArray[np.float32]


def make_crop(image: Pixels) -> Crop:
    return Crop(image.astype(np.float32), Quad.square(0, 0, image.shape[1]), "test")


def shade(image: Pixels, stops: tuple[float, float, float]) -> Pixels:
    """The picture with its colors so many stops darker or lighter."""
    gains = np.exp2(np.array(stops, np.float32) / 2.2)[:, None, None]
    return ((image + 1) * gains - 1).clip(-1, 1).astype(np.float32)


def smooth(seed: int = 0) -> Pixels:
    pixels = picture(64, 64, seed=seed).pixels
    return (pixels.transpose(2, 0, 1) / 127.5 - 1).astype(np.float32)


def test_a_picture_in_good_light_stays_as_it_is() -> None:
    crop = make_crop(smooth())
    assert even_light(crop) is crop
    picture_drawn = smooth(1)
    assert put_back_light(crop, picture_drawn, None, None)[0] is picture_drawn


@pytest.mark.parametrize("stops", [(-3, -3, -3), (-3, -4, -6), (-1.5, -3.5, -2.5)])
def test_poor_light_is_met(stops: tuple[float, float, float]) -> None:
    bright, dark = smooth(), shade(smooth(), stops)
    met = even_light(make_crop(dark))
    assert met.gains != EVEN_LIGHT
    assert np.abs(met.image - bright).mean() < 0.5 * np.abs(dark - bright).mean()


@settings(max_examples=60, deadline=None)
@given(st.tuples(*[st.floats(-7.0, 1.0)] * 3), st.integers(0, 20))
def test_what_is_put_back_is_what_there_was(stops: tuple[float, float, float], seed: int) -> None:
    dark = make_crop(shade(smooth(seed), stops))
    met = even_light(dark)
    assert max(abs(np.log2(gain)) * 2.2 for gain in met.gains) <= 4.001
    back, shown, _ = put_back_light(met, met.image, met.image, None)
    whole = met.image < 0.999  # what a gain pushed over white is cut there
    assert np.abs(back - dark.image)[whole].max() < 1e-4
    assert shown is not None
    assert np.array_equal(shown, back)


def darken(layer: Layer, factor: float) -> Layer:
    return Layer((layer.pixels * factor).round().astype(np.uint8))


def test_an_edit_of_a_dark_layer_is_dark(editor: Editor) -> None:
    """The change is as much smaller as the layer is darker: nothing glows in the night."""
    bright, dark = picture(80, 80), darken(picture(80, 80), 0.2)
    changes = []
    for layer in (bright, dark):
        pictures = PictureStore()
        request = build_request(EditRequest, layer=pictures.add(layer), edits={"red": 1.5}, **WORLD)
        out = editor.edit(request, pictures).layer
        changes.append(np.abs(out.pixels.astype(float) - layer.pixels).mean())
    assert changes[0] > 1.0
    assert 0.1 * changes[0] < changes[1] < 0.6 * changes[0]


def test_an_inversion_of_a_dark_layer_is_shown_dark(editor: Editor) -> None:
    pictures = PictureStore()
    dark = darken(picture(80, 80), 0.2)
    request = build_request(InvertRequest, layer=pictures.add(dark), **WORLD)
    shown = editor.invert(request, pictures).layer
    assert shown.pixels.mean() < 1.8 * dark.pixels.mean()


def test_the_preview_has_the_light_of_the_edit(editor: Editor) -> None:
    pictures = PictureStore()
    dark = darken(picture(80, 80), 0.2)
    asked = {"layer": pictures.add(dark), "edits": {"red": 1.5}, **WORLD}
    whole = editor.edit(build_request(EditRequest, **asked), pictures).layer
    quick = editor.preview(build_request(PreviewRequest, side=80, **asked), pictures)
    assert np.abs(whole.pixels.astype(int) - quick.pixels).max() <= 2
