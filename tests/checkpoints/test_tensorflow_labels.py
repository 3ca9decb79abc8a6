"""TensorFlow's conditional networks: labels normalized with z, or apart as in StyleGAN2-ADA."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import latentfu
import numpy as np
import pytest
import torch
from latentfu import BadInputError, ForeignFile, Latent, OpaqueObject, read_foreign
from latentfu_builtin.checkpoints.converters import nvlabs_tf_stylegan1, nvlabs_tf_stylegan2
from latentfu_builtin.checkpoints.state_dict import find_tf_generator, list_tf_variables
from safetensors.numpy import save_file

REFERENCE = Path(__file__).parent.parent / "reference"
LABELS, Z, W = 3, 32, 32


def changed(foreign: ForeignFile, new: dict[str, np.ndarray]) -> ForeignFile:
    """The file with other variables in its averaged network's mapping."""
    first, judge, network = foreign.content
    mapping = network.state["components"]["mapping"]
    kept = [pair for pair in mapping.state["variables"] if pair[0] not in new]
    added = kept + [[name, array] for name, array in new.items()]
    parts = {
        **network.state["components"],
        "mapping": OpaqueObject(mapping.class_name, {**mapping.state, "variables": added}),
    }
    whole = OpaqueObject(network.class_name, {**network.state, "components": parts})
    return replace(foreign, content=[first, judge, whole])


def unconditional() -> ForeignFile:
    (folder,) = (REFERENCE / "checkpoints" / "nvlabs-tf-pkl").glob("*config-f*")
    return read_foreign(folder / "network.pkl")


def unit(x: np.ndarray) -> np.ndarray:
    scaled: np.ndarray = x / np.sqrt(np.square(x).mean(axis=1, keepdims=True) + 1e-8)
    return scaled


def mapped(x: np.ndarray, variables: dict[str, np.ndarray], first: float = 1.0) -> np.ndarray:
    """The layers of the mapping in float64; ``first``: the part of the gain before the bias."""
    for place in range(8):
        weight, bias = (variables[f"Dense{place}/{part}"] for part in ("weight", "bias"))
        x = x @ (weight * 0.01 * first / np.sqrt(weight.shape[0])) + bias * 0.01
        x = np.where(x > 0, x, 0.2 * x) * np.sqrt(2) / first
    return x


@pytest.mark.parametrize("kind", ["joined", "apart"])
def test_labels_act_as_in_the_original_mapping(kind: str, tmp_path: Path) -> None:
    foreign = unconditional()
    random = np.random.default_rng(4)
    new: dict[str, Any] = {"Dense0/weight": 100 * random.standard_normal((Z + Z, W))}
    table = random.standard_normal((LABELS, Z))
    if kind == "joined":
        new["LabelConcat/weight"] = table
    else:
        new |= {"LabelEmbed/weight": table, "LabelEmbed/bias": random.standard_normal(Z)}
    found = nvlabs_tf_stylegan2.convert(changed(foreign, new))
    assert found is not None
    path = tmp_path / "network.safetensors"
    save_file(found.tensors, path, found.metadata)
    generator = latentfu.open_generator(path)

    z, labels = random.standard_normal((4, Z)), np.eye(LABELS)[[0, 1, 2, 0]]
    network = find_tf_generator(foreign)
    assert network is not None
    variables = {**list_tf_variables(network), **new}
    if kind == "joined":
        start = unit(np.concatenate([z, labels @ table], axis=1))
    else:
        told = labels @ table / np.sqrt(LABELS) + new["LabelEmbed/bias"]
        start = np.concatenate([unit(z), unit(told)], axis=1)
    want = torch.from_numpy(mapped(start, variables)).float()
    codes = generator.map(
        torch.from_numpy(z).float(), labels=torch.from_numpy(labels).float()
    ).codes[:, 0]
    assert float((codes - want).abs().max()) < 1e-4 * float(want.abs().max())
    first = generator.map(torch.from_numpy(z).float()).codes[:, 0]  # no label: the first
    assert torch.allclose(first[[0, 3]], codes[[0, 3]], atol=1e-6)
    assert float((first[1] - codes[1]).abs().max()) > 0.01
    assert generator.render(Latent(codes, "w", generator.id)).isfinite().all()


def test_labels_of_stylegan1_are_normalized_with_z(tmp_path: Path) -> None:
    folder = REFERENCE / "stylegan1" / "nvlabs-tf-pkl" / "stylegan1-res64-shared-conv"
    foreign = read_foreign(folder / "network.pkl")
    random, wide = np.random.default_rng(5), 64
    new: dict[str, Any] = {
        "Dense0/weight": 100 * random.standard_normal((2 * wide, wide)),
        "LabelConcat/weight": random.standard_normal((LABELS, wide)),
    }
    found = nvlabs_tf_stylegan1.convert(changed(foreign, new))
    assert found is not None
    path = tmp_path / "network.safetensors"
    save_file(found.tensors, path, found.metadata)
    generator = latentfu.open_generator(path)
    z, labels = random.standard_normal((3, wide)), np.eye(LABELS)
    network = find_tf_generator(foreign)
    assert network is not None
    variables = {**list_tf_variables(network), **new}
    start = unit(np.concatenate([z, labels @ new["LabelConcat/weight"]], axis=1))
    want = torch.from_numpy(mapped(start, variables, first=np.sqrt(2))).float()
    plain = torch.from_numpy(z).float()
    codes = generator.map(plain, labels=torch.from_numpy(labels).float()).codes
    assert float((codes[:, 0] - want).abs().max()) < 1e-4 * float(want.abs().max())
    assert torch.allclose(generator.map(plain).codes[0], codes[0], atol=1e-6)
    assert generator.render(generator.mean_latent()).isfinite().all()
    plainly = nvlabs_tf_stylegan1.convert(foreign)
    assert plainly is not None and "c_dim" not in plainly.metadata["config"]


def test_labels_that_do_not_fit_are_named() -> None:
    for size in ((LABELS, 7), (LABELS,)):
        wrong = {"LabelConcat/weight": np.zeros(size), "Dense0/weight": np.zeros((2 * Z, W))}
        with pytest.raises(BadInputError, match=r"LabelConcat|embed"):
            nvlabs_tf_stylegan2.convert(changed(unconditional(), wrong))
