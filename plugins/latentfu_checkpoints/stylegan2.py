"""Tensors by our names made into one of our StyleGAN2 files, checked one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
from latentfu import BadInputError, Converted
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


def converted(
    tensors: dict[str, Array], *, c_dim: int = 0, clamp: float | None = None
) -> Converted:
    """Our tensors ``{name: array}`` as a file: the config is read from their shapes.

    ``clamp``: the largest magnitude of features. Raises BadInputError when they do not fit
    together.
    """
    import torch
    from latentfu_stylegan.stylegan2 import StyleGAN2, StyleGAN2Config

    layers = sum(name.startswith("synthesis.convs.") and name.endswith(".noise_const")
                 for name in tensors)  # fmt: skip
    outputs = [tensors[f"synthesis.convs.{i}.weight"].shape[0] for i in range(layers)]
    w_dim, read = tensors["mapping.layers.0.weight"].shape
    try:
        config = StyleGAN2Config(
            resolution=2 << ((layers + 1) // 2),
            z_dim=read - (w_dim if c_dim else 0),
            w_dim=w_dim,
            mapping_layers=sum(n.startswith("mapping.layers.") for n in tensors) // 2,
            mapping_lr_multiplier=0.01,
            channels=tuple(outputs[::2]),
            c_dim=c_dim,
            conv_clamp=clamp,
        )
        with torch.device("meta"):
            expected = StyleGAN2(config).state_dict()
    except ValueError as error:
        raise BadInputError(f"The sizes of this network do not fit together: {error}.") from error
    for name, tensor in expected.items():
        have = tensors[name].shape if name in tensors else None
        if have != tuple(tensor.shape):
            raise BadInputError(
                f"This network has {name} of shape {have and list(have)}, expected "
                f"{list(tensor.shape)}."
            )
    floats = {name: np.array(tensors[name], np.float32, order="C") for name in expected}
    return Converted(floats, {"architecture": "stylegan2", "config": config.to_json()})
