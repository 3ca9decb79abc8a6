"""Tensors by our names made into one of our StyleGAN2 files, checked one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
from latentfu import BadInputError, ConvertedWeights
from numpy.typing import NDArray

Array = NDArray[Any]
FIR = np.outer([1.0, 3.0, 3.0, 1.0], [1.0, 3.0, 3.0, 1.0]) / 64.0


class Tensors:
    """The tensors of a foreign network by its own names; each is taken once.

    Raises BadInputError naming a tensor that is missing or of another shape than expected.
    """

    def __init__(self, found: dict[str, Array], source: str) -> None:
        self.found, self.source = found, source
        self.left = set(found)

    def __contains__(self, name: str) -> bool:
        return name in self.found

    def take(self, name: str, shape: tuple[int | None, ...] | None = None) -> Array:
        """The tensor ``name``, float32; ``shape`` with None where any size will do."""
        if name not in self.found:
            raise BadInputError(f"This {self.source} network lacks {name}.")
        self.left.discard(name)
        array = self.found[name]
        fits = shape is None or (
            len(shape) == array.ndim
            and all(want in (None, have) for want, have in zip(shape, array.shape, strict=True))
        )
        if not fits:
            raise BadInputError(
                f"This {self.source} network has {name} of shape {list(array.shape)}, expected "
                f"{['any' if n is None else n for n in shape or ()]}."
            )
        return array.astype(np.float32)

    def one(self, name: str) -> Array:
        """A tensor of a single number, as a scalar array."""
        array = self.take(name)
        if array.size != 1:
            raise BadInputError(
                f"This {self.source} network has {name} of shape {list(array.shape)}, expected one "
                "number."
            )
        return array.reshape(())

    def drop(self, *names: str) -> None:
        """Tensors that stand for nothing that a picture depends on."""
        self.left.difference_update(names)

    def check_filter(self, name: str) -> None:
        """The resampling filter, when stored, must be the one that every network uses."""
        if name not in self.found:
            return
        kernel = self.take(name)
        if kernel.shape != (4, 4) or not np.allclose(kernel / kernel.sum(), FIR, atol=1e-4):
            raise BadInputError(
                f"This {self.source} network resamples with another filter ({name}) than "
                "[1, 3, 3, 1]."
            )

    def finish(self) -> None:
        """BadInputError naming a tensor that nobody asked for."""
        if self.left:
            raise BadInputError(
                f"This {self.source} network has {min(self.left)}, which no StyleGAN2 has."
            )


def flipped(weight: Array) -> Array:
    """A kernel turned round: our convolutions that double the size store it so."""
    return weight[:, :, ::-1, ::-1]


def config_of(
    tensors: dict[str, Array], *, c_dim: int = 0, clamp: float | None = None, mapping: str = "mlp"
) -> Any:
    """The sizes of our tensors; BadInputError when there is no network of such sizes."""
    from latentfu_builtin.networks.stylegan.stylegan2 import StyleGAN2Config

    layers = sum(is_noise(name) for name in tensors)
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


def is_noise(name: str) -> bool:
    """Whether a tensor of ours is a layer's noise map, of which each layer has one."""
    return name.startswith("synthesis.convs.") and name.endswith(".noise_const")


def converted(
    tensors: dict[str, Array], *, c_dim: int = 0, clamp: float | None = None, mapping: str = "mlp"
) -> ConvertedWeights:
    """Our tensors ``{name: array}`` as a file: the config is read from their shapes.

    ``clamp``: the largest magnitude of features; ``mapping``: the kind of mapping. Raises
    BadInputError when they do not fit together.
    """
    import torch

    from latentfu_builtin.networks.stylegan.stylegan2 import StyleGAN2

    config = config_of(tensors, c_dim=c_dim, clamp=clamp, mapping=mapping)
    with torch.device("meta"):
        expected = StyleGAN2(config).state_dict()
    for name, tensor in expected.items():
        have = tensors[name].shape if name in tensors else None
        if have != tuple(tensor.shape):
            raise BadInputError(
                f"This network has {name} of shape {have and list(have)}, expected "
                f"{list(tensor.shape)}."
            )
    floats = {name: np.array(tensors[name], np.float32, order="C") for name in expected}
    return ConvertedWeights(floats, {"architecture": "stylegan2", "config": config.to_json()})


def with_mean(made: ConvertedWeights, samples: int) -> ConvertedWeights:
    """The same with the mean of so many w of a fixed seed, where a file does not say it."""
    import torch

    from latentfu_builtin.networks.stylegan.stylegan2.network import build_mapping
    from latentfu_builtin.networks.stylegan.stylegan2 import StyleGAN2Config

    mapping = build_mapping(StyleGAN2Config.from_json(made.metadata["config"]))
    state = {
        name.removeprefix("mapping."): torch.from_numpy(array)
        for name, array in made.tensors.items()
        if name.startswith("mapping.")
    }
    mapping.requires_grad_(False).load_state_dict(state)
    mapping.set_w_avg(samples)
    return ConvertedWeights({**made.tensors, "mapping.w_avg": mapping.w_avg.numpy()}, made.metadata)
