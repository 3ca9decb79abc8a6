"""Where the tensors of a foreign network lie, and taking them one by one.

Pickled modules are only names and what they held (`OpaqueObject`); nothing of them is run.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from latentfu import BadInputError, ConvertedWeights, ForeignFile, OpaqueObject
from numpy.typing import NDArray

from latentfu_builtin.checkpoints.find_tensors import (
    FoundTensors,
    StateDict,
    find_modules,
    take_at,
)

Array = NDArray[Any]
TF_NETWORK = "dnnlib.tflib.network.Network"
NUMBERS = (np.ndarray, float, int)
FIR = np.outer([1.0, 3.0, 3.0, 1.0], [1.0, 3.0, 3.0, 1.0]) / 64.0


class Tensors:
    """The tensors of a foreign network by its own names; each is taken once.

    Raises BadInputError naming a tensor that is missing or of another shape than expected.

    Args:
        found: The tensors, or a state dict with them.
        source: Whose network it is, for sentences: "rosinality".
        architecture: What is tried with them: "StyleGAN2".
    """

    def __init__(self, found: dict[str, Array] | StateDict, source: str, architecture: str) -> None:
        state = found if isinstance(found, StateDict) else StateDict(found)
        self.found, self.odd = state.tensors, state.odd
        self.source, self.architecture = source, architecture
        self.left = set(self.found)
        self.channels = 3

    def __contains__(self, name: str) -> bool:
        return name in self.found

    def take(self, name: str, shape: tuple[int | None, ...] | None = None) -> Array:
        """The tensor ``name``, float32; ``shape`` with None where any size will do."""
        if name in self.odd:
            raise BadInputError(
                f"This {self.source} network keeps {name} as {self.odd[name]}, which is not read "
                "here: save its weights as plain tensors."
            )
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

    def three_colors(self, weight: Array, bias: Array) -> tuple[Array, Array]:
        """The layer that makes colors, ``[3, ...]`` and ``[3]``, from one of 1, 3 or 4 channels.

        One channel is gray: it becomes three equal ones. Of four the last is transparency, which
        is left out. Raises BadInputError for any other number.
        """
        count = len(weight)
        if bias.shape != (count,):
            raise BadInputError(
                f"This {self.source} network has weights for {count} channels of color and a bias "
                f"of shape {list(bias.shape)}: it may be damaged."
            )
        if count not in (1, 3, 4):
            raise BadInputError(
                f"This {self.source} network draws {count} channels, which are no picture: "
                "networks of 1 (gray), 3 (RGB) or 4 (RGB and transparency) can be used."
            )
        self.channels = count
        if count == 1:
            return np.repeat(weight, 3, axis=0), np.repeat(bias, 3)
        return np.ascontiguousarray(weight[:3]), bias[:3]

    def label(self, made: ConvertedWeights) -> ConvertedWeights:
        """The same with the number of channels that it had, where that is not three."""
        if self.channels == 3:
            return made
        return ConvertedWeights(made.tensors, {**made.metadata, "channels": str(self.channels)})

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
                f"This {self.source} network has {min(self.left)}, which no "
                f"{self.architecture} has."
            )


def flip_kernel(weight: Array) -> Array:
    """Turn a kernel round: our convolutions that double the size store it so."""
    return weight[:, :, ::-1, ::-1]


def find_torch_generator(foreign: ForeignFile) -> OpaqueObject | None:
    """The averaged generator of a file's pickled modules, else a generator that is not averaged."""
    paths = sorted(find_modules(foreign.content), key=lambda path: FoundTensors(path, {}).rank)
    found: OpaqueObject | None = take_at(foreign.content, paths[0]) if paths else None
    return found


def submodule(module: OpaqueObject | None, *names: str) -> OpaqueObject | None:
    """A module below a module."""
    for name in names:
        below = module.state.get("_modules") if module else None
        found = below.get(name) if isinstance(below, dict) else None
        module = found if isinstance(found, OpaqueObject) else None
    return module


def count_labels(network: OpaqueObject) -> int:
    """How many labels the network takes."""
    return int(network.state.get("c_dim") or 0)


def find_tf_generator(foreign: ForeignFile) -> OpaqueObject | None:
    """Gs, the averaged generator: the last of the networks, or the one by itself."""
    content = foreign.content
    held = content.values() if isinstance(content, dict) else content
    found = [
        one
        for one in (held if isinstance(content, (dict, list)) else [content])
        if isinstance(one, OpaqueObject) and one.class_name == TF_NETWORK
    ]
    averaged = [one for one in found if "dlatent_avg" in list_tf_variables(one)]
    networks = averaged or found
    return networks[-1] if networks else None


def list_tf_variables(network: OpaqueObject | None) -> dict[str, Array]:
    """The variables of a network and of its components by name."""
    found: dict[str, Array] = {}
    if network is None:
        return found
    pairs = network.state.get("variables")
    for pair in pairs if isinstance(pairs, list) else ():
        if isinstance(pair, list) and len(pair) == 2 and isinstance(pair[1], NUMBERS):
            found[str(pair[0])] = np.asarray(pair[1])
    parts = network.state.get("components")
    for part in parts.values() if isinstance(parts, dict) else ():
        if isinstance(part, OpaqueObject):
            found.update(list_tf_variables(part))
    return found
