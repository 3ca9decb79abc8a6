"""A tuned network as PTI saves it, and StyleGAN3's weights without their network."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import latentfu
import numpy as np
import pytest
import torch
from latentfu import BadInputError, ConvertedWeights, ForeignFile, Latent, read_foreign
from latentfu.cli.main import run
from latentfu.plugin_manager import Registry, use_registry
from latentfu.plugin_manager.sources import all_sources
from latentfu_builtin.checkpoints.converters import nvlabs_stylegan3, stylegan3_editing
from latentfu_builtin.checkpoints.find_tensors import list_tensors
from latentfu_builtin.checkpoints.import_checkpoint import path_of
from latentfu_builtin.checkpoints.state_dict import find_torch_generator

from tests.support.foreign_files import save_module

REFERENCE = Path(__file__).parent.parent / "reference"
ADA = REFERENCE / "checkpoints" / "nvlabs-ada-pkl"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("LATENTFU_HOME", str(tmp_path / "home"))
    with use_registry(Registry(all_sources())):
        yield tmp_path / "home"


def sg3(kind: str) -> ForeignFile:
    return read_foreign(REFERENCE / "stylegan3" / f"stylegan3-{kind}" / "network.pkl")


def weights_of(foreign: ForeignFile) -> dict[str, Any]:
    network = find_torch_generator(foreign)
    assert network is not None
    return dict(list_tensors(network))


def same(a: ConvertedWeights | None, b: ConvertedWeights | None) -> bool:
    assert a is not None and b is not None
    assert a.metadata == b.metadata and a.tensors.keys() == b.tensors.keys()
    return all(np.array_equal(a.tensors[name], b.tensors[name]) for name in a.tensors)


@pytest.mark.parametrize("which", ["cond-c3", "uncond-f-map8", "stylegan3-r"])
def test_a_tuned_module_in_a_zip_gives_the_pictures_of_its_weights(
    which: str, tmp_path: Path
) -> None:
    place = REFERENCE / "stylegan3" / which if which.startswith("style") else ADA / which
    network = find_torch_generator(read_foreign(place / "network.pkl"))
    assert network is not None
    save_module(network, tmp_path / "model_ABCD_photo.pt")
    assert zipfile.is_zipfile(tmp_path / "model_ABCD_photo.pt")
    assert run(["generators", "import", str(tmp_path / "model_ABCD_photo.pt"), "--name", "me"]) == 0
    generator = latentfu.open_generator(path_of("me"))
    with np.load(place / "expected.npz", allow_pickle=False) as arrays:
        codes, picture = (torch.from_numpy(arrays[name]) for name in ("wplus", "image_wplus"))
    with torch.no_grad():
        drawn = generator.render(Latent(codes, "w+", generator.id))
    assert float((drawn - picture).abs().max()) < 2e-4


@pytest.mark.parametrize("kind", ["t", "r"])
@pytest.mark.parametrize("prefix", ["", "decoder."])
def test_bare_weights_give_the_same_network_as_the_whole_pickle(
    kind: str, prefix: str, tmp_path: Path
) -> None:
    whole = sg3(kind)
    state = {f"{prefix}{k}": torch.from_numpy(v) for k, v in weights_of(whole).items()}
    if prefix:
        state["encoder.body.0.weight"] = torch.zeros(3)
    torch.save({"state_dict": state} if prefix else state, tmp_path / "bare.pt")
    bare = stylegan3_editing.convert(read_foreign(tmp_path / "bare.pt"))
    assert same(bare, nvlabs_stylegan3.convert(whole))


def test_weights_without_the_turn_of_the_input_stand_straight() -> None:
    whole = sg3("t")
    state = weights_of(whole)
    del state["synthesis.input.transform"]
    bare = stylegan3_editing.convert(replace(whole, content=state))
    assert same(bare, nvlabs_stylegan3.convert(whole))  # the pickle's turn is none either


def test_layers_have_the_published_sizes() -> None:
    """Of stylegan3-t-ffhq-1024x1024 and -ffhqu-256x256, by the names of their layers."""
    large = [36, 36, 52, 52, 84, 148, 148, 276, 276, 532, 1044, 1044, 1044, 1024, 1024]
    small = [36, 36, 36, 52, 52, 84, 84, 148, 148, 148, 276, 276, 276, 256, 256]
    assert [band.size for band in stylegan3_editing.bands_of(1024, 14)] == large
    assert [band.size for band in stylegan3_editing.bands_of(256, 14)] == small


@pytest.mark.parametrize(
    ("name", "new", "said"),
    [
        ("synthesis.L3_36_16.weight", None, "some are missing"),
        ("synthesis.L3_36_16.bias", None, "lacks synthesis.L3_36_16.bias"),
        ("synthesis.L4_52_16", "synthesis.L4_60_16", "L4_60_16 where one of 52"),
        ("synthesis.L4_52_16.up_filter", np.zeros(5, "f4"), r"up_filter of shape \[5\], expected"),
        ("synthesis.extra", np.zeros(5, "f4"), "synthesis.extra"),
    ],
)
def test_other_sizes_and_missing_parts_are_named(name: str, new: Any, said: str) -> None:
    whole = sg3("t")
    state = weights_of(whole)
    if isinstance(new, str):
        state = {key.replace(name, new): array for key, array in state.items()}
    elif new is None:
        del state[name]
    else:
        state[name] = new
    with pytest.raises(BadInputError, match=said):
        stylegan3_editing.convert(replace(whole, content=state))
