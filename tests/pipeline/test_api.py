"""The Python side: the kinds of pictures that go in and come out, and names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import latentfu
import numpy as np
import pytest
from latentfu import api
from latentfu.pipeline.editor import Editor
from latentfu.plugin_manager import get_registry
from latentfu.protocol.pictures import PictureStore
from latentfu.protocol.requests import EditRequest, MixRequest
from PIL import Image

from tests.support.small_world import ID, WORLD, picture, small_generator

NAMES: dict[str, Any] = WORLD
TOOLS = {"inverter": "instant", "aligner": "center"}


@pytest.fixture(autouse=True)
def own_editors(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "_editors", {})


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_the_same_kind_of_picture_comes_back(mode: str) -> None:
    array = picture(60, 40, len(mode) if mode != "L" else 1).pixels
    array = array[:, :, 0] if mode == "L" else array
    out = latentfu.edit(array, {"red": 1.0}, **NAMES)
    assert out.shape == array.shape and out.dtype == np.uint8 and (out != array).any()
    image = latentfu.edit(Image.fromarray(array), {"red": 1.0}, **NAMES)
    assert image.mode == mode and np.array_equal(np.asarray(image), out)


def test_an_indexed_picture_is_converted() -> None:
    image = Image.fromarray(picture(60, 40).pixels).convert("P")
    assert latentfu.edit(image, {"red": 1.0}, **NAMES).mode == "RGB"


def test_the_api_gives_the_pixels_that_the_editor_gives() -> None:
    """The worker behind the server uses the same editor."""
    layer, source = picture(60, 40, 4), picture(50, 70, 3, 4)
    mask = np.zeros((60, 40), bool)
    mask[10:50, 5:30] = True
    bytes_mask = mask.astype(np.uint8) * 255
    pictures = PictureStore()
    here = {"layer": pictures.add(layer), "mask": pictures.add_mask(bytes_mask), **NAMES}
    wanted = Editor().edit(EditRequest(**here, edits={"red": 1.0}), pictures).layer
    assert np.array_equal(
        latentfu.edit(layer.pixels, {"red": 1.0}, mask=mask, **NAMES), wanted.pixels
    )
    mixing = MixRequest(**here, source=pictures.add(source), layers=(1, 3))
    wanted = Editor().mix(mixing, pictures).layer
    mixed = latentfu.mix(
        layer.pixels, source.pixels, (1, 3), mask=Image.fromarray(bytes_mask), **NAMES
    )
    assert np.array_equal(mixed, wanted.pixels)


def test_a_transfer_is_an_edit_by_what_the_other_holds_more() -> None:
    layer, other = picture(60, 40), picture(50, 70, 3, 4)
    moved = latentfu.transfer(layer.pixels, other.pixels, ["red"], regions="whole", **NAMES)
    assert moved.shape == layer.pixels.shape and (moved != layer.pixels).any()
    still = latentfu.transfer(layer.pixels, layer.pixels, ["red"], regions="whole", **NAMES)
    assert np.array_equal(still, layer.pixels), "a picture stands where it stands"


def test_an_opened_generator_can_be_given_instead_of_a_name() -> None:
    generator = latentfu.open_generator("small", device="cpu")
    array = picture(60, 40).pixels
    by_name = latentfu.edit(array, {"red": 1.0}, **NAMES)
    assert np.array_equal(latentfu.edit(array, {"red": 1.0}, generator=generator, **TOOLS), by_name)
    found = latentfu.invert(array, generator=generator, **TOOLS)  # type: ignore[arg-type]
    assert found.latent.generator_id == ID and found.latent.space == "w+"


def test_a_generator_from_a_file_can_be_edited_with_and_has_no_foreign_controls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from latentfu_builtin.networks.stylegan.stylegan2 import save_network

    save_network(tmp_path / "mine.safetensors", small_generator().network, {"domain": "test"})
    registry = get_registry()
    installed, formats = registry.installed, {"stylegan2": stylegan2_format()}
    monkeypatch.setattr(
        registry,
        "installed",
        lambda kind: formats if kind is latentfu.CheckpointFormat else installed(kind),
    )
    mine = latentfu.open_generator(tmp_path / "mine.safetensors", device="cpu")
    assert mine.name == "mine" and mine.id != ID and mine.domain == "test"
    assert latentfu.controls(mine) == {}
    array = picture(60, 40).pixels
    assert np.array_equal(latentfu.edit(array, {}, generator=mine, **TOOLS), array)
    assert (latentfu.edit(array, {}, generator=mine, psi=0.2, **TOOLS) != array).any()
    latent = latentfu.invert(array, generator="small", **TOOLS).latent  # type: ignore[arg-type]
    with pytest.raises(latentfu.WrongGeneratorError):
        mine.render(latent)


def stylegan2_format() -> latentfu.CheckpointFormat:
    from latentfu_builtin.stylegan.plugin import latentfu_checkpoint_formats

    return next(f for f in latentfu_checkpoint_formats() if f.name == "stylegan2")


def test_unknown_generators_and_files_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(latentfu.NotInstalledError, match="'nobody' and no such file"):
        latentfu.open_generator("nobody")
    (tmp_path / "x.bin").write_bytes(b"abc")
    with pytest.raises(latentfu.BadInputError, match="no format"):
        latentfu.open_generator(tmp_path / "x.bin")
    with pytest.raises(latentfu.BadInputError, match="numpy array or a PIL image"):
        latentfu.edit([[1, 2]], {}, **NAMES)  # type: ignore[type-var]


def test_what_is_installed_is_listed_as_typed_objects() -> None:
    assert isinstance(latentfu.generators()["small"], latentfu.GeneratorSpec)
    assert list(latentfu.inverters())[:2] == ["instant", "w-plus"]
    assert list(latentfu.controls("small")) == ["red", "tall"]
    assert "center" in latentfu.aligners() and "pixels" in latentfu.losses()
    assert latentfu.control_makers() == {} and latentfu.scorers() == {}
