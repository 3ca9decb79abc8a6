"""Published deformation files give the reference's weights and pictures on our networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from latentfu import BadInputError, Latent, silent
from latentfu.storage.deformations import (
    Deformation,
    DeformationEffect,
    read_deformation,
    write_deformation,
)
from latentfu_builtin.deformations.import_deformations import (
    DeformationImportOptions,
    import_deformations,
)
from latentfu_builtin.deformations.read_published import (
    from_published_layout,
    make_deformations,
    read_published,
)
from latentfu_builtin.networks.stylegan.stylegan2 import StyleGAN2, StyleGAN2Config
from latentfu_builtin.networks.stylegan.stylegan2.generator import StyleGAN2Generator

FOLDER = Path(__file__).parent / "navigan"
IMAGES, WEIGHTS = 1e-4, 1e-5
"""The reference's own tolerance."""


def our_names(tree: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """A rosinality state dict under this project's names; kernels that double are turned."""
    found = {"synthesis.const": tree["input.input"][0]}
    for i in range(8):
        found[f"mapping.layers.{i}.weight"] = tree[f"style.{i + 1}.weight"]
        found[f"mapping.layers.{i}.bias"] = tree[f"style.{i + 1}.bias"]
    for i in range(9):
        here, there = f"synthesis.convs.{i}", "conv1" if i == 0 else f"convs.{i - 1}"
        found[f"{here}.affine.weight"] = tree[f"{there}.conv.modulation.weight"]
        found[f"{here}.affine.bias"] = tree[f"{there}.conv.modulation.bias"]
        found[f"{here}.weight"] = from_published_layout(tree[f"{there}.conv.weight"][0], i)
        found[f"{here}.bias"] = tree[f"{there}.activate.bias"]
        found[f"{here}.noise_strength"] = tree[f"{there}.noise.weight"].reshape(())
        found[f"{here}.noise_const"] = tree[f"noises.noise_{i}"][0, 0]
    for i in range(5):
        here, there = f"synthesis.rgbs.{i}", "to_rgb1" if i == 0 else f"to_rgbs.{i - 1}"
        found[f"{here}.affine.weight"] = tree[f"{there}.conv.modulation.weight"]
        found[f"{here}.affine.bias"] = tree[f"{there}.conv.modulation.bias"]
        found[f"{here}.weight"] = tree[f"{there}.conv.weight"][0]
        found[f"{here}.bias"] = tree[f"{there}.bias"].reshape(3)
    return found


@pytest.fixture(scope="module")
def generator() -> StyleGAN2Generator:
    stored = torch.load(FOLDER / "network.pt", map_location="cpu", weights_only=True)
    config = StyleGAN2Config(64, 32, 32, 8, 0.01, (20, 20, 20, 20, 10))
    network = StyleGAN2(config).eval().requires_grad_(False)
    tensors = our_names(stored["g_ema"])
    tensors["mapping.w_avg"] = stored["latent_avg"].reshape(-1)
    network.load_state_dict(tensors)
    return StyleGAN2Generator(network, "reference", "a" * 64, "test")


@pytest.fixture(scope="module")
def expected() -> dict[str, np.ndarray]:
    with np.load(FOLDER / "expected.npz") as file:
        return {name: file[name] for name in file}


@pytest.fixture(scope="module")
def latent(generator: StyleGAN2Generator, expected: dict[str, np.ndarray]) -> Latent:
    return generator.map(torch.from_numpy(expected["z"]))


def test_the_network_draws_the_same(
    generator: StyleGAN2Generator, latent: Latent, expected: dict[str, np.ndarray]
) -> None:
    assert np.abs(latent.codes[:, 0].numpy() - expected["w"]).max() < WEIGHTS
    image = generator.render(latent).numpy()
    assert np.abs(image - expected["image_undeformed"]).max() < IMAGES


def check(
    generator: StyleGAN2Generator,
    latent: Latent,
    deformation: Deformation,
    strength: float,
    wanted: tuple[np.ndarray, np.ndarray],
) -> None:
    """Picture and weights, deformed by ``strength`` units, are the wanted ones."""
    moved = DeformationEffect(deformation).apply(latent, strength, generator)
    image = generator.render(moved).numpy()
    assert np.abs(image - wanted[0]).max() < IMAGES
    shift = torch.from_numpy(deformation.shift) * strength
    weight = generator.parameter(deformation.parameter) + shift
    assert (
        np.abs(from_published_layout(weight, deformation.layer).numpy() - wanted[1]).max() < WEIGHTS
    )


@pytest.mark.parametrize(("name", "strength"), [("m1", -1.0), ("0", 0.0), ("p05", 0.5), ("p1", 1)])
def test_a_deformation_file(
    generator: StyleGAN2Generator,
    latent: Latent,
    expected: dict[str, np.ndarray],
    name: str,
    strength: float,
) -> None:
    (found,) = import_deformations(
        FOLDER / "deformation.pt", DeformationImportOptions(generator, name="found"), silent
    )
    assert found.layer == 4 and found.norm == pytest.approx(8.0, abs=1e-4)
    wanted = expected[f"deformation_image_s_{name}"], expected[f"deformation_weight_s_{name}"]
    # The published scale is the shift's norm, and s counts scales of the unit shift.
    check(generator, latent, found, strength, wanted)


def test_a_deformation_imported_to_a_file_of_ours(
    generator: StyleGAN2Generator,
    latent: Latent,
    expected: dict[str, np.ndarray],
    tmp_path: Path,
) -> None:
    (taken,) = import_deformations(
        FOLDER / "deformation.pt", DeformationImportOptions(generator, name="wheels"), silent
    )
    found = read_deformation(write_deformation(tmp_path / "wheels.safetensors", taken))
    wanted = expected["deformation_image_s_p1"], expected["deformation_weight_s_p1"]
    check(generator, latent, found, 1.0, wanted)


CASES = [
    ("svdrect", 0, 6), ("svdrect", 3, -9),
    ("hessian", 1, 5), ("hessian", 4, -10),
    ("hessianrect", 0, -7), ("hessianrect", 2, 7),
]  # fmt: skip
EIGENVECTORS = FOLDER / "eigenvectors_layer4_tiny.pt"
FILES = {
    "svdrect": (FOLDER / "svd_rectification_checkpoint.pt", None),
    "hessian": (EIGENVECTORS, None),
    "hessianrect": (FOLDER / "hessian_rectification_checkpoint.pt", EIGENVECTORS),
}


@pytest.mark.parametrize(("kind", "direction", "shift"), CASES)
def test_directions_of_checkpoints_and_eigenvector_files(
    generator: StyleGAN2Generator,
    latent: Latent,
    expected: dict[str, np.ndarray],
    kind: str,
    direction: int,
    shift: int,
) -> None:
    path, basis = FILES[kind]
    found = make_deformations(
        read_published(path, generator, basis=basis), generator, "found", "test"
    )
    case = f"{kind}_dir{direction}_shift{'p' if shift > 0 else 'm'}{abs(shift)}"
    wanted = expected[f"{case}_image"], expected[f"{case}_weight"]
    check(generator, latent, found[direction], shift, wanted)


def test_what_is_missing_is_one_sentence(generator: StyleGAN2Generator, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="--basis"):
        read_published(FILES["hessianrect"][0], generator)
    nameless = tmp_path / "vectors.pt"
    nameless.write_bytes(EIGENVECTORS.read_bytes())
    with pytest.raises(BadInputError, match="--layer"):
        read_published(nameless, generator)
    assert read_published(nameless, generator, layer=4).layer == 4
    with pytest.raises(BadInputError, match="no layer 31"):
        read_published(nameless, generator, layer=30)
    with pytest.raises(BadInputError, match=r"shift of \[20, 20, 3, 3\]"):
        read_published(nameless, generator, layer=7)
