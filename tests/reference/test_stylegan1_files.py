"""StyleGAN1 checkpoints, genforce's and NVIDIA's, give the pictures of the code they came from."""

from __future__ import annotations

from pathlib import Path

import latentfu
import numpy as np
import pytest
import torch
from latentfu import Latent, read_foreign
from latentfu_builtin.networks.stylegan.stylegan1.generator import (
    StyleGAN1Generator,
)
from safetensors.numpy import save_file
from torch import Tensor

FOLDER = Path(__file__).parent / "stylegan1"
PLACES = sorted(path.parent for path in FOLDER.glob("*/*/expected.npz"))
TOLERANCE = 4e-4
"""On pictures of 15 to 19 in magnitude; the originals differ by 4e-5 to 9e-5 among themselves."""
Case = tuple[StyleGAN1Generator, dict[str, Tensor]]


@pytest.fixture(scope="module", params=PLACES, ids=lambda p: f"{p.parent.name}-{p.name}")
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    place: Path = request.param
    (network,) = place.glob("network.*")
    foreign = read_foreign(network)
    (result,) = [
        found
        for known in latentfu.checkpoint_formats().values()
        if known.convert and (found := known.convert(foreign)) is not None
    ]
    path = tmp_path_factory.mktemp("sg1") / "network.safetensors"
    save_file(result.tensors, path, result.metadata)
    assert isinstance(latentfu.open_generator(path), StyleGAN1Generator)
    with np.load(place / "expected.npz", allow_pickle=False) as arrays:
        return StyleGAN1Generator.open(path), {
            name: torch.from_numpy(arrays[name]) for name in arrays.files
        }


def far(a: Tensor, b: Tensor) -> float:
    return float((a - b).abs().max())


def test_pictures_are_those_of_the_original(case: Case) -> None:
    generator, want = case
    assert far(generator.network.mapping(want["z"]), want["w"]) < 1e-4
    pulled = generator.map(want["z"], 0.7, 8)
    assert far(pulled.codes, want["wplus_psi07_layers8"]) < 1e-4
    assert far(generator.render(pulled), want["image_psi07_layers8"]) < TOLERANCE
    for codes, picture in (("wplus_psi1", "image_psi1"), ("wplus", "image_wplus")):
        if picture in want:
            latent = Latent(want[codes], "w+", generator.id)
            assert far(generator.render(latent), want[picture]) < TOLERANCE


def test_styles_are_those_of_the_original(case: Case) -> None:
    generator, want = case
    for place, layer in enumerate(generator.network.synthesis.convs):
        if f"style{place:02}" in want:
            style = layer.style(want["wplus_psi07_layers8"][:, place])
            assert far(style, want[f"style{place:02}"]) < 1e-4


def test_mixing_with_itself_changes_nothing_and_a_mask_holds(case: Case) -> None:
    generator, want = case
    a = Latent(want["wplus_psi07_layers8"][:1], "w+", generator.id)
    b = latentfu.random_latents(generator, 1, seed=3)
    plain = generator.render(a)
    assert far(generator.mix(a, a, range(2, 6)), plain) < TOLERANCE
    assert far(generator.mix(a, b, range(generator.num_ws)), generator.render(b)) < TOLERANCE
    assert torch.equal(generator.mix(a, b, range(2, 6), torch.zeros(1, 1, 8, 8)), plain)


def test_a_batch_is_its_pictures_one_by_one(case: Case) -> None:
    generator, _ = case
    latent = latentfu.random_latents(generator, 3, seed=5)
    alone = torch.cat([generator.render(latent.with_codes(row[None])) for row in latent.codes])
    assert far(generator.render(latent), alone) < 10 * TOLERANCE
    _, kept = generator.render(latent, "none", [4])
    layer = generator.layers[4]
    assert kept[4].shape == (3, layer.channels, layer.resolution, layer.resolution)
