"""The layer's own detail moves with an edit; what does not change stays bit for bit."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from latentfu.core.crop import Quad
from latentfu.core.layer import Layer
from latentfu.pipeline.codes_edit import CodesEdit
from latentfu.pipeline.motion import find_motion
from latentfu.pipeline.paste import place_change
from PIL import Image, ImageOps

SIDE = 64
ZOOM = 4


def draw_blobs(shift_x: float = 0.0, seed: int = 3) -> np.ndarray:
    """A smooth picture of soft spots, moved by ``shift_x`` pixels: [3, R, R] in -1..1."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    image = np.zeros((3, SIDE, SIDE), np.float32)
    for _ in range(40):
        cx, cy = random.uniform(0, SIDE, 2)
        color = random.uniform(-0.8, 0.8, 3).astype(np.float32)
        size = random.uniform(2.5, 6.0)
        spot = np.exp(-((x - cx - shift_x) ** 2 + (y - cy) ** 2) / (2 * size * size))
        image += color[:, None, None] * spot
    return np.clip(image, -1, 1).astype(np.float32)


def photograph_of(image: np.ndarray, grain: np.ndarray) -> Layer:
    """The picture ``ZOOM`` times as large, with detail that no network has drawn."""
    large = cv2.resize((image.transpose(1, 2, 0) + 1) * 127.5, None, fx=ZOOM, fy=ZOOM)
    return Layer(np.clip(large + grain[:, :, None], 0, 255).astype(np.uint8))


def make_grain(seed: int = 0) -> np.ndarray:
    """Fine texture of about 12 levels: [R * ZOOM, R * ZOOM]."""
    noise = np.random.default_rng(seed).standard_normal((SIDE * ZOOM,) * 2).astype(np.float32)
    fine = cv2.GaussianBlur(noise, (0, 0), 2.0)
    return np.asarray(12.0 * fine / fine.std(), np.float32)


def detail_of(layer: Layer) -> np.ndarray:
    gray = layer.pixels.astype(np.float32).mean(axis=2)
    return np.asarray(gray - cv2.GaussianBlur(gray, (0, 0), 5.0))


QUAD = Quad.square(0, 0, SIDE * ZOOM)


@pytest.mark.parametrize("shift", [4.0, 8.0])
def test_the_detail_goes_where_the_picture_goes(shift: float) -> None:
    grain = make_grain()
    before, after = draw_blobs(), draw_blobs(shift)
    codes = CodesEdit(before, after, lambda part: draw_blobs(part * shift))
    layer = photograph_of(before, grain)
    out = place_change(layer, QUAD, after, before, feather=0.0, codes=codes).add_to(layer)
    moved = np.roll(grain, round(shift * ZOOM), axis=1)
    inner = (slice(48, -48), slice(80, -48))
    found, stayed = detail_of(out)[inner], detail_of(photograph_of(before, grain))[inner]
    wanted = (moved - cv2.GaussianBlur(moved, (0, 0), 5.0))[inner]
    assert np.corrcoef(found.ravel(), wanted.ravel())[0, 1] > 0.5
    assert abs(np.corrcoef(found.ravel(), stayed.ravel())[0, 1]) < 0.3


def test_a_networks_own_picture_gets_the_whole_change() -> None:
    """A change of fine structure, such as a hardly trained network makes, is not smoothed."""
    random = np.random.default_rng(5)
    before = random.normal(0.0, 0.2, (3, SIDE, SIDE)).astype(np.float32).clip(-1, 1)
    after = (before + random.normal(0.0, 0.04, before.shape).astype(np.float32)).clip(-1, 1)
    layer = Layer(np.rint((before.transpose(1, 2, 0) + 1) * 127.5).astype(np.uint8))
    out = place_change(layer, Quad.square(0, 0, SIDE), after, before, feather=0.0).values
    inner = (slice(8, -8), slice(8, -8))
    wanted = 127.5 * (after - before).transpose(1, 2, 0)[inner]
    assert np.abs(wanted).mean() > 3.0
    assert np.abs(out[inner] - wanted).mean() < 0.1 * np.abs(wanted).mean()


def test_what_appears_is_the_networks_and_as_sharp_as_its_surroundings() -> None:
    grain = make_grain()
    before = draw_blobs()
    after = before.copy()
    after[:, 24:40, 20:44] = np.array([0.9, -0.9, -0.9], np.float32)[:, None, None]
    layer = photograph_of(before, grain)
    out = place_change(layer, QUAD, after, before, feather=0.0).add_to(layer)
    inside = (slice(28 * ZOOM, 36 * ZOOM), slice(26 * ZOOM, 38 * ZOOM))
    assert np.abs(out.pixels[inside].mean(axis=(0, 1)) - (242, 13, 13)).max() < 30
    assert detail_of(out)[inside].std() > 0.3 * detail_of(layer)[inside].std()


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), x=st.integers(4, 40), size=st.integers(4, 16))
def test_where_nothing_changes_and_nothing_moves_every_byte_stays(
    seed: int, x: int, size: int
) -> None:
    before = draw_blobs(seed=seed)
    after = before.copy()
    after[:, 20 : 20 + size, x : x + size] += 0.25
    after = np.clip(after, -1, 1)
    layer = photograph_of(before, make_grain(seed))
    out = place_change(layer, QUAD, after, before, feather=0.0).add_to(layer)
    motion = find_motion(CodesEdit(before, after))
    flow = cv2.resize(np.abs(motion.flow).max(axis=2), (SIDE * ZOOM,) * 2)
    delta = cv2.resize(np.abs(after - before).max(axis=0), (SIDE * ZOOM,) * 2)
    reach = np.ones((9 * ZOOM, 9 * ZOOM), np.uint8)  # what enlarging may spread
    same = cv2.dilate(np.float32(flow + delta), reach) == 0
    assert same.any()
    assert np.array_equal(out.pixels[same], layer.pixels[same])


def test_the_same_picture_changes_nothing() -> None:
    before = draw_blobs()
    layer = photograph_of(before, make_grain())
    assert np.array_equal(
        place_change(layer, QUAD, before, before).add_to(layer).pixels, layer.pixels
    )


def test_a_turned_crop_moves_the_detail_along_its_own_axes() -> None:
    """The crop lies a quarter turned: its x axis runs down the layer."""
    grain = make_grain()
    before, after = draw_blobs(), draw_blobs(3.0)
    straight = photograph_of(before, grain)
    upright = place_change(straight, QUAD, after, before, feather=0.0).add_to(straight)
    side = float(SIDE * ZOOM)
    turned = Quad(((side, 0.0), (side, side), (0.0, side), (0.0, 0.0)))
    layer = Layer(np.ascontiguousarray(np.rot90(straight.pixels, -1)))
    out = place_change(layer, turned, after, before, feather=0.0).add_to(layer)
    back = np.rot90(out.pixels, 1).astype(int)
    assert np.abs(back - upright.pixels).mean() < 1.5


def gray_picture() -> Image.Image:
    return Image.fromarray(photograph_of(draw_blobs(), make_grain()).pixels).convert("L")


def as_file(image: Image.Image, kind: str) -> Image.Image:
    """Through the bytes of a file, as a photograph comes."""
    file = io.BytesIO()
    image.save(file, kind, quality=85)
    return Image.open(io.BytesIO(file.getvalue()))


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("tone", ["gray", "sepia"])
def test_a_picture_of_one_tone_stays_of_one_tone(tone: str, kind: str) -> None:
    gray = gray_picture()
    image = gray.convert("RGB")
    if tone == "sepia":
        image = ImageOps.colorize(gray, "#201008", "#fff0d0", mid="#a08060")
    layer = Layer(np.asarray(as_file(image, kind).convert("RGB")))
    before, after = draw_blobs(), draw_blobs(seed=4)  # changes of every color
    out = place_change(layer, QUAD, after, before, feather=0.0).add_to(layer)
    assert (out.pixels != layer.pixels).mean() > 0.3
    if tone == "gray":
        assert int(np.ptp(out.pixels.astype(int), axis=2).max()) <= 2
    else:
        where = np.argsort(layer.pixels.mean(axis=2).ravel())
        known = layer.pixels.reshape(-1, 3)[where].astype(float)
        level = np.searchsorted(known.mean(axis=1), out.pixels.reshape(-1, 3).mean(axis=1))
        expected = known[np.clip(level, 0, len(known) - 1)]
        assert np.percentile(np.abs(out.pixels.reshape(-1, 3) - expected).max(axis=1), 95) < 12


def test_gray_with_alpha_stays_gray() -> None:
    gray = np.asarray(gray_picture())
    alpha = np.full_like(gray, 255)
    alpha[:40] = 0
    layer = Layer(np.stack([gray, gray, gray, alpha], axis=2))
    out = place_change(layer, QUAD, draw_blobs(seed=4), draw_blobs(), feather=0.0).add_to(layer)
    assert int(np.ptp(out.pixels[:, :, :3].astype(int), axis=2).max()) <= 2
    assert np.array_equal(out.pixels[:40], layer.pixels[:40])


def test_a_picture_with_colors_may_change_them() -> None:
    layer = photograph_of(draw_blobs(), make_grain())
    out = place_change(layer, QUAD, draw_blobs(seed=4), draw_blobs(), feather=0.0).add_to(layer)
    change = out.pixels.astype(int) - layer.pixels
    assert np.abs(change - change.mean(axis=2, keepdims=True)).max() > 20


def test_a_still_edit_moves_nothing() -> None:
    before, after = draw_blobs(), draw_blobs(8.0)
    motion = find_motion(CodesEdit(before, after, still=True))
    assert motion.reach == 0.0 and motion.kept.min() == 1.0
    assert find_motion(CodesEdit(before, after)).reach > 0.02
