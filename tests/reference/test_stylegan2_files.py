"""StyleGAN2 checkpoints in the real formats give the pictures of the code they came from.

Each folder below ``checkpoints`` holds a network of random weights as the original projects
write it, and what the original code drew with it.
"""

from __future__ import annotations

from pathlib import Path

import latentfu
import numpy as np
import pytest
import torch
from latentfu import ConvertedWeights, read_foreign
from latentfu_builtin.networks.stylegan.stylegan2 import StyleGAN2, StyleGAN2Config
from torch import Tensor

FOLDER = Path(__file__).parent / "checkpoints"
PLACES = sorted(path.parent for path in FOLDER.glob("*/*/expected.npz"))
PAIRS = {
    "image": ("ws", "wplus_from_z"),
    "image_psi07": ("ws_psi07", "wplus_psi07"),
    "image_psi05": ("ws_psi05",),
    "image_psi05_cutoff4": ("ws_psi05_cutoff4",),
    "image_wplus": ("wplus",),
    "image_mix_at4": ("wplus_mix_at4",),
}
"""A picture, and the styles that it was drawn from."""
TOLERANCE = 1e-4


def converted(place: Path) -> ConvertedWeights:
    (path,) = place.glob("network.*")
    foreign = read_foreign(path)
    found = [
        result
        for known in latentfu.checkpoint_formats().values()
        if known.convert and (result := known.convert(foreign)) is not None
    ]
    assert len(found) == 1, "exactly one format takes it for its own"
    return found[0]


def network_of(result: ConvertedWeights) -> StyleGAN2:
    net = StyleGAN2(StyleGAN2Config.from_json(result.metadata["config"]))
    net.load_state_dict({key: torch.from_numpy(value) for key, value in result.tensors.items()})
    return net.eval().requires_grad_(False)


def expected(place: Path) -> dict[str, Tensor]:
    with np.load(place / "expected.npz", allow_pickle=False) as arrays:
        return {name: torch.from_numpy(arrays[name]) for name in arrays.files}


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_pictures_are_those_of_the_original(place: Path) -> None:
    net, want = network_of(converted(place)), expected(place)
    labels = want.get("c")
    w = net.mapping(want["z"], labels)
    assert (w - want["w"]).abs().max() < TOLERANCE
    seen = 0
    for picture, names in PAIRS.items():
        for name in names:
            if picture in want and name in want:
                image = net.synthesis(want[name])
                assert (image - want[picture]).abs().max() < TOLERANCE, picture
                seen += 1
    assert seen >= 3
    if "image_noise_none" in want:
        image = net.synthesis(want["ws"], noise="none")
        assert (image - want["image_noise_none"]).abs().max() < TOLERANCE
    if "image_noise_zero" in want:
        image = net.synthesis(want["wplus_from_z"], noise="none")
        assert (image - want["image_noise_zero"]).abs().max() < TOLERANCE


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_truncation_pulls_as_the_original_does(place: Path) -> None:
    net, want = network_of(converted(place)), expected(place)
    labels = want.get("c")
    for name, psi, cutoff in [
        ("ws_psi07", 0.7, None),
        ("wplus_psi07", 0.7, None),
        ("ws_psi05", 0.5, None),
        ("ws_psi05_cutoff4", 0.5, 4),
    ]:
        if name in want:
            ws = net.map(want["z"], psi, cutoff, labels)
            assert (ws - want[name]).abs().max() < TOLERANCE


@pytest.mark.parametrize("place", PLACES[:1] + PLACES[-1:], ids=lambda place: place.name)
def test_a_batch_is_its_pictures_one_by_one(place: Path) -> None:
    net, want = network_of(converted(place)), expected(place)
    together = net.synthesis(want["wplus"])
    alone = torch.cat([net.synthesis(row[None]) for row in want["wplus"]])
    assert (together - alone).abs().max() < TOLERANCE
