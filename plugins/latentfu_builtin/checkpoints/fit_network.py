"""Tensors by our names made into one of our files: the config from their shapes, all checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from latentfu import BadInputError, ConvertedWeights
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Callable

    from latentfu_builtin.networks.stylegan.mapped_network import MappedNetwork
    from latentfu_builtin.networks.stylegan.stylegan2 import StyleGAN2Config
    from latentfu_builtin.networks.stylegan.stylegan3 import StyleGAN3Config

Array = NDArray[Any]


def _fit_network(
    tensors: dict[str, Array], title: str, build: Callable[[], MappedNetwork]
) -> ConvertedWeights:
    """Check tensors ``{our name: array}`` against a network and make a file's content of them.

    Args:
        tensors: All that the network needs; others are left out.
        title: What the network is, for sentences: "StyleGAN1".
        build: Makes the network. ValueError or KeyError when there is none of such sizes.

    Raises:
        BadInputError: Naming the first tensor that is missing or of another shape.
    """
    import torch

    try:
        with torch.device("meta"):
            network = build()
    except (ValueError, KeyError) as error:
        raise BadInputError(f"The sizes of this network do not fit together: {error}.") from error
    expected = network.state_dict()
    for name, tensor in expected.items():
        have = tensors[name].shape if name in tensors else None
        if have != tuple(tensor.shape):
            raise BadInputError(
                f"This {title} network has {name} of shape {have and list(have)}, expected "
                f"{list(tensor.shape)}."
            )
    floats = {name: np.array(tensors[name], np.float32, order="C") for name in expected}
    metadata = {"architecture": network.architecture, "config": network.config.to_json()}
    return ConvertedWeights(floats, metadata)


def fit_stylegan1(tensors: dict[str, Array]) -> ConvertedWeights:
    """Fit StyleGAN1's tensors; see `_fit_network`."""
    from latentfu_builtin.networks.stylegan.stylegan1 import StyleGAN1, StyleGAN1Config

    count = sum(name.endswith(".noise_const") for name in tensors)
    depth = sum(name.startswith("mapping.layers.") for name in tensors) // 2
    labels = tensors.get("mapping.embed")
    c_dim = 0 if labels is None else labels.shape[0]

    def build() -> StyleGAN1:
        config = StyleGAN1Config(
            resolution=2 << (count // 2),
            z_dim=tensors["mapping.layers.0.weight"].shape[1] // (2 if c_dim else 1),
            mapping=tuple(tensors[f"mapping.layers.{i}.weight"].shape[0] for i in range(depth)),
            channels=tuple(
                tensors[f"synthesis.convs.{2 * i}.bias"].shape[0] for i in range(count // 2)
            ),
            c_dim=c_dim,
        )
        return StyleGAN1(config)

    return _fit_network(tensors, "StyleGAN1", build)


def fit_stylegan2(
    tensors: dict[str, Array], *, c_dim: int = 0, clamp: float | None = None, mapping: str = "mlp"
) -> ConvertedWeights:
    """Fit StyleGAN2's tensors; see `_fit_network`.

    Args:
        tensors: By our names.
        c_dim: How many labels the network takes.
        clamp: The largest magnitude of features, None for no limit.
        mapping: The kind of mapping, one of `stylegan2.config.MAPPINGS`.
    """
    from latentfu_builtin.networks.stylegan.stylegan2 import StyleGAN2

    config = _stylegan2_config(tensors, c_dim, clamp, mapping)
    return _fit_network(tensors, "StyleGAN2", lambda: StyleGAN2(config))


def fit_stylegan3(tensors: dict[str, Array], config: StyleGAN3Config) -> ConvertedWeights:
    """Fit StyleGAN3's tensors to a config; see `_fit_network`."""
    from latentfu_builtin.networks.stylegan.stylegan3 import StyleGAN3

    return _fit_network(tensors, "StyleGAN3", lambda: StyleGAN3(config))


def with_mean(made: ConvertedWeights, samples: int) -> ConvertedWeights:
    """The same with the mean of so many w of a fixed seed, where a file does not say it."""
    import torch

    from latentfu_builtin.networks.stylegan.stylegan2 import StyleGAN2Config
    from latentfu_builtin.networks.stylegan.stylegan2.network import build_mapping

    mapping = build_mapping(StyleGAN2Config.from_json(made.metadata["config"]))
    state = {
        name.removeprefix("mapping."): torch.from_numpy(array)
        for name, array in made.tensors.items()
        if name.startswith("mapping.")
    }
    mapping.requires_grad_(False).load_state_dict(state)
    mapping.set_w_avg(samples)
    return ConvertedWeights({**made.tensors, "mapping.w_avg": mapping.w_avg.numpy()}, made.metadata)


def _stylegan2_config(
    tensors: dict[str, Array], c_dim: int, clamp: float | None, mapping: str
) -> StyleGAN2Config:
    """The sizes of our tensors; BadInputError when there is no network of such sizes."""
    from latentfu_builtin.networks.stylegan.stylegan2 import StyleGAN2Config

    layers = sum(_is_noise(name) for name in tensors)
    outputs = [tensors[f"synthesis.convs.{i}.weight"].shape[0] for i in range(layers)]
    reads = "attention.query.weight" if mapping == "attention" else "weight"
    first = f"mapping.layers.0.{reads}"
    if first not in tensors:
        raise BadInputError("This network has no mapping from z to its styles.")
    w_dim, read = tensors["synthesis.convs.0.affine.weight"].shape[1], tensors[first].shape[1]
    beside = tensors["mapping.embed.weight"].shape[0] if c_dim else 0
    z_dim = read - (layers + 1 if mapping == "attention" else beside)
    depth = {name.split(".")[2] for name in tensors if name.startswith("mapping.layers.")}
    try:
        return StyleGAN2Config(
            resolution=2 << ((layers + 1) // 2),
            z_dim=z_dim,
            w_dim=w_dim,
            mapping_layers=len(depth),
            mapping_lr_multiplier=0.01,
            channels=tuple(outputs[::2]),
            c_dim=c_dim,
            conv_clamp=clamp,
            mapping=mapping,
        )
    except ValueError as error:
        raise BadInputError(f"The sizes of this network do not fit together: {error}.") from error


def _is_noise(name: str) -> bool:
    """Whether a tensor of ours is a layer's noise map, of which each layer has one."""
    return name.startswith("synthesis.convs.") and name.endswith(".noise_const")
