"""From layer to layer: what may change and what never may."""

from __future__ import annotations

import math
from typing import Any, TypeVar

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from latentfu.core.errors import (
    BadInputError,
    CancelledError,
    LatentFuError,
    NotInstalledError,
)
from latentfu.core.layer import Layer
from latentfu.core.progress import check_cancelled
from latentfu.pipeline.editor import Editor
from latentfu.pipeline.paste_back import Outcome
from latentfu.protocol.pictures import PictureStore
from latentfu.protocol.requests import (
    ControlsRequest,
    EditRequest,
    InvertRequest,
    LayerRequest,
    MixRequest,
    PreviewRequest,
    TransferRequest,
    build_request,
)

from tests.support import small_world
from tests.support.small_world import WORLD, picture

WORLD_ARGS: dict[str, Any] = WORLD


R = TypeVar("R", bound=LayerRequest)
Asked = tuple[R, PictureStore]


def ask(model: type[R], layer: Layer, mask: Any = None, **fields: Any) -> Asked[R]:
    """A request of the small world and its pictures."""
    pictures = PictureStore()
    if "source" in fields:
        fields["source"] = pictures.add(fields["source"])
    if issubclass(model, ControlsRequest):
        fields = {"edits": {"red": 1.5}, **fields}
    names = {"layer": pictures.add(layer), "mask": pictures.add_mask(mask), **WORLD_ARGS}
    return build_request(model, **{**names, **fields}), pictures


def edit(editor: Editor, layer: Layer, edits: Any = None, **fields: Any) -> Outcome:
    fields = fields if edits is None else {"edits": edits, **fields}
    return editor.edit(*ask(EditRequest, layer, **fields))


def mix(editor: Editor, layer: Layer, source: Layer, layers: Any, **fields: Any) -> Outcome:
    return editor.mix(*ask(MixRequest, layer, source=source, layers=layers, **fields))


def patch_mask(layer: Layer, top: float, left: float, size: float) -> np.ndarray:
    mask = np.zeros((layer.height, layer.width), np.uint8)
    y, x = int(top * layer.height), int(left * layer.width)
    mask[y : y + max(1, int(size * layer.height)), x : x + max(1, int(size * layer.width))] = 255
    return mask


part = st.floats(0.0, 0.95)


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.integers(16, 120), st.integers(16, 120), st.sampled_from([1, 3, 4]), st.integers(0, 9),
    part, part, st.floats(0.05, 1.0), st.floats(0.0, 40.0), st.sampled_from(["edit", "mix"]),
)  # fmt: skip
def test_outside_the_mask_every_byte_is_the_same(
    editor: Editor, height: int, width: int, channels: int, seed: int,
    top: float, left: float, size: float, feather: float, how: str,
) -> None:  # fmt: skip
    layer = picture(height, width, channels, seed)
    before = layer.pixels.copy()
    mask = patch_mask(layer, top, left, size)
    if how == "edit":
        out = edit(editor, layer, mask=mask, feather=feather)
    else:
        source = picture(40, 50, 3, seed + 1)
        out = mix(editor, layer, source, (0, 5), mask=mask, feather=feather)
    changed = out.layer.pixels != layer.pixels
    assert not changed[mask == 0].any()
    assert out.report.changed_outside_mask == 0
    assert np.array_equal(layer.pixels, before)
    if channels == 4:
        assert not changed[:, :, 3].any()


@pytest.mark.parametrize("how", ["edit", "mix", "transfer"])
def test_what_limits_an_edit_comes_apart(editor: Editor, how: str) -> None:
    """The free change blended by the mask over the layer is the limited one."""
    layer, source = picture(60, 70, 3), picture(40, 50, 3, seed=4)
    mask = patch_mask(layer, 0.2, 0.2, 0.5)

    def run(part: str) -> Outcome:
        fields: dict[str, Any] = {"mask": mask, "feather": 6.0, "part": part}
        if how == "mix":
            return mix(editor, layer, source, (0, 5), **fields)
        if how == "transfer":
            asked = ask(TransferRequest, layer, source=source, along=["red"], scale=3.0, **fields)
            return editor.transfer(*asked)
        return edit(editor, layer, **fields)

    limited, free, limits = (run(name).layer.pixels for name in ("layer", "free", "mask"))
    assert limits.shape == (60, 70, 1) and not limits[mask == 0].any()
    assert (limits == 255).any() and ((limits > 0) & (limits < 255)).any(), "soft at its edge"
    assert (free != layer.pixels)[mask == 0].any(), "outside the mask there is the whole edit"
    weight = limits.astype(np.float32) / 255.0
    blended = layer.pixels + weight * (free.astype(np.float32) - layer.pixels)
    # The free picture ends at 0 and 255, and everything is rounded to levels.
    assert np.abs(blended - limited)[(free > 0) & (free < 255)].max() <= 1.5


def test_the_report_counts_what_changed_and_says_why_nothing_did(editor: Editor) -> None:
    layer = picture(60, 150)
    out = edit(editor, layer)
    assert out.report.changed == int((out.layer.pixels != layer.pixels).any(axis=2).sum()) > 0
    assert out.report.unchanged == ""
    assert "every strength is 0" in edit(editor, layer, edits={"red": 0.0}).report.unchanged
    aside = edit(editor, layer, mask=patch_mask(layer, 0.0, 0.0, 0.2)).report
    assert (aside.changed, "outside the square" in aside.unchanged) == (0, True)
    assert "smaller than one level" in edit(editor, layer, edits={"red": 1e-6}).report.unchanged


def test_layers_that_the_generator_lacks_are_named_before_the_inversion(editor: Editor) -> None:
    with pytest.raises(BadInputError, match=r"red cannot .* 0 to 12: small has the layers 0 to 5"):
        edit(editor, picture(40, 40, seed=77), only={"red": (0, 12)})
    assert edit(editor, picture(40, 40), only={"red": (0, 5)}).report.changed_outside_mask == 0


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_outside_the_crop_every_byte_is_the_same(editor: Editor, channels: int) -> None:
    layer = picture(60, 150, channels)
    out = edit(editor, layer)
    changed = (out.layer.pixels != layer.pixels).any(axis=2)
    assert changed[:, 50:100].any()
    assert not changed[:, :45].any() and not changed[:, 105:].any()
    assert out.report.changed_outside_mask == 0


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("edits", [{}, {"red": 0.0}, {"red": 0.0, "tall": -0.0}])
def test_an_edit_of_strength_0_changes_nothing(
    editor: Editor, channels: int, edits: dict[str, float]
) -> None:
    layer = picture(70, 50, channels)
    assert np.array_equal(edit(editor, layer, edits).layer.pixels, layer.pixels)


def test_a_tiny_strength_changes_nothing_that_can_be_seen(editor: Editor) -> None:
    layer = picture(70, 50)
    out = edit(editor, layer, {"red": 1e-4}).layer.pixels.astype(int)
    assert np.abs(out - layer.pixels).max() <= 1


def test_fully_transparent_pixels_keep_their_bytes_and_do_not_matter(editor: Editor) -> None:
    layer = picture(64, 64, 4)
    hidden = layer.pixels.copy()
    hidden[:20, :, 3] = 0
    hidden[20:, :, 3] = 255
    other = hidden.copy()
    other[:20, :, :3] = np.random.default_rng(3).integers(0, 256, (20, 64, 3))
    first, second = (edit(editor, Layer(p)).layer.pixels for p in (hidden, other))
    assert np.array_equal(second[:20], other[:20])
    assert np.array_equal(first[20:], second[20:])


def test_the_order_of_edits_does_not_matter(editor: Editor) -> None:
    layer = picture(50, 50)
    one = edit(editor, layer, {"red": 1.0, "tall": -2.0}).layer
    two = edit(editor, layer, {"tall": -2.0, "red": 1.0}).layer
    assert np.array_equal(one.pixels, two.pixels)


def test_the_same_request_gives_the_same_pixels_in_a_new_editor(
    editor: Editor, fresh: object
) -> None:
    wanted = ask(EditRequest, picture(80, 60, seed=11))
    first, second = editor.edit(*wanted).layer, Editor().edit(*wanted).layer
    assert np.array_equal(first.pixels, second.pixels)


def test_a_soft_edge_lies_inside_the_selection_and_a_hard_one_does_not_fade(
    editor: Editor,
) -> None:
    layer = Layer(np.full((64, 64, 3), 100, np.uint8))
    layer.pixels[::2, ::3] = 140
    mask = np.zeros((64, 64), np.uint8)
    mask[16:48, 16:48] = 255

    def change(feather: float) -> np.ndarray:
        out = editor.invert(*ask(InvertRequest, layer, mask=mask, feather=feather)).layer
        return np.abs(out.pixels.astype(int) - layer.pixels).sum(axis=2)

    hard, soft = change(0.0), change(10.0)
    assert soft[16, 16:48].sum() < 0.2 * hard[16, 16:48].sum()
    assert np.array_equal(soft[30:34, 30:34], hard[30:34, 30:34])


def test_a_narrow_selection_still_shows_the_edit(editor: Editor) -> None:
    layer = picture(96, 96)
    mask = np.zeros((96, 96), np.uint8)
    mask[45:51] = 255
    wide = edit(editor, layer, {"red": 3.0}, mask=mask, feather=30.0).layer
    hard = edit(editor, layer, {"red": 3.0}, mask=mask, feather=0.0).layer
    middle = (slice(47, 49), slice(40, 56))
    assert np.array_equal(wide.pixels[middle], hard.pixels[middle])
    assert (wide.pixels[middle] != layer.pixels[middle]).any()


def test_mixing_leaves_no_seam_at_the_selections_border(editor: Editor) -> None:
    """Steps across the border are no larger than those of the unmixed or the fully mixed."""
    layer = Layer(np.full((128, 128, 3), 120, np.uint8))
    layer.pixels[:, :, 0] = np.linspace(90, 150, 128).astype(np.uint8)
    source = picture(90, 90, 3, 8)
    mask = np.zeros((128, 128), np.uint8)
    mask[:, 64:] = 255
    mixed = mix(editor, layer, source, (2, 5), mask=mask, feather=16.0).layer.pixels.astype(int)
    whole = mix(editor, layer, source, (2, 5), feather=16.0).layer.pixels.astype(int)
    assert np.abs(mixed - layer.pixels)[20:108, 84:108].max() > 8
    across = np.abs(np.diff(mixed, axis=1))[:, 61:67].max()
    usual = np.abs(np.diff(whole, axis=1))[:, 20:108].max()
    assert across <= max(usual, 4)


def test_mixing_a_layer_with_itself_changes_nothing(editor: Editor) -> None:
    layer = picture(64, 64)
    out = mix(editor, layer, layer, (0, 5))
    assert np.array_equal(out.layer.pixels, layer.pixels)


def test_an_inverted_layer_is_known_and_reported_as_cached(editor: Editor) -> None:
    asked = ask(EditRequest, picture(66, 44, seed=77))
    assert not editor.is_inverted(*asked)
    assert editor.invert(*asked).report.inversion_cached is False
    assert editor.is_inverted(*asked)
    again = editor.edit(*asked).report
    assert again.inversion_cached is True
    assert set(again.seconds) >= {"crop", "invert", "render", "paste"}


def test_a_preview_is_the_edit_scaled_down(editor: Editor) -> None:
    layer = picture(400, 300, 4)
    mask = patch_mask(layer, 0.2, 0.2, 0.5)

    def preview(side: int) -> Layer:
        return editor.preview(*ask(PreviewRequest, layer, mask, side=side))

    small = preview(100)
    assert (small.width, small.height, small.has_alpha) == (75, 100, True)
    large = edit(editor, layer, mask=mask).layer.pixels.reshape(100, 4, 75, 4, 4).mean(axis=(1, 3))
    assert np.abs(small.pixels - large).mean() < 2.0
    assert preview(1024).pixels.shape == layer.pixels.shape


def test_progress_rises_to_1_and_can_stop_the_work(editor: Editor) -> None:
    told: list[float] = []
    asked = ask(EditRequest, picture(50, 50, seed=5))
    editor.edit(*asked, lambda done, message="": told.append(done))
    assert told == sorted(told) and told[-1] == 1.0

    def stop(fraction: float, message: str = "") -> None:
        raise CancelledError

    with pytest.raises(CancelledError):
        editor.edit(*ask(EditRequest, picture(50, 50, seed=6)), stop)


def test_a_preview_nobody_wants_stops_between_the_layers_of_the_network(
    editor: Editor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network asks :func:`check_cancelled` between its layers, and only while it renders."""
    asked = ask(PreviewRequest, picture(50, 50, seed=21), edits={"red": 0.7})
    generator = small_world.small_generator()
    render, seen = generator.render, []

    def render_in_layers(*arguments: Any, **more: Any) -> Any:
        check_cancelled()
        return render(*arguments, **more)

    def check() -> None:
        seen.append(1)
        raise CancelledError

    monkeypatch.setattr(generator, "render", render_in_layers)
    with pytest.raises(CancelledError):
        editor.preview(*asked, check=check)
    assert editor.is_inverted(*asked) and seen == [1]
    check_cancelled()
    assert editor.preview(*asked).pixels.shape == (50, 50, 3)


BAD: list[tuple[dict[str, Any], type[LatentFuError], str]] = [
    ({"edits": {"redd": 1.0}}, NotInstalledError, "redd"),
    ({"edits": {"red": math.nan}}, BadInputError, "red"),
    ({"edits": {"red": math.inf}}, BadInputError, "red"),
    ({"edits": {"red": 101.0}}, BadInputError, "-100 and 100"),
    ({"generator": "nobody"}, NotInstalledError, "nobody"),
    ({"inverter": "nobody"}, NotInstalledError, "nobody"),
    ({"aligner": "nobody"}, NotInstalledError, "nobody"),
    ({"feather": math.nan}, BadInputError, "feather"),
    ({"feather": -1.0}, BadInputError, "feather"),
    ({"psi": math.inf}, BadInputError, "psi"),
    ({"mask": np.zeros((50, 50), np.uint8)}, BadInputError, "selection is empty"),
    ({"mask": np.full((50, 51), 255, np.uint8)}, BadInputError, "mask"),
    ({"layer": Layer(np.zeros((1, 1, 3), np.uint8))}, BadInputError, "scale the layer up"),
    ({"layer": Layer(np.zeros((64, 64, 3), np.uint8))}, BadInputError, "one flat color"),
]


@pytest.mark.parametrize(("change", "kind", "word"), BAD, ids=lambda v: str(v)[:40])
def test_bad_input_is_one_sentence(
    editor: Editor, change: dict[str, Any], kind: type[LatentFuError], word: str
) -> None:
    with pytest.raises(kind, match=word) as caught:
        editor.edit(*ask(EditRequest, **{"layer": picture(50, 50), **change}))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("layers", "words"), [((-1, 2), "0 and 63"), ((3, 2), "first <= last"), ((0, 6), "0 to 5")]
)
def test_layers_that_are_not_there_are_refused(
    editor: Editor, layers: tuple[int, int], words: str
) -> None:
    layer = picture(50, 50)
    with pytest.raises(BadInputError, match=words):
        mix(editor, layer, layer, layers)
