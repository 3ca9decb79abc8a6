"""Where the tensors of a foreign network lie, and taking them one by one.

Pickled modules are only names and what they held (`OpaqueObject`); nothing of them is run.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from latentfu import BadInputError, ForeignFile, OpaqueObject
from numpy.typing import NDArray

Array = NDArray[Any]
TF_NETWORK = "dnnlib.tflib.network.Network"
NUMBERS = (np.ndarray, float, int)
FIR = np.outer([1.0, 3.0, 3.0, 1.0], [1.0, 3.0, 3.0, 1.0]) / 64.0


class Tensors:
    """The tensors of a foreign network by its own names; each is taken once.

    Raises BadInputError naming a tensor that is missing or of another shape than expected.

    Args:
        found: The tensors.
        source: Whose network it is, for sentences: "rosinality".
        architecture: What is tried with them: "StyleGAN2".
    """

    def __init__(self, found: dict[str, Array], source: str, architecture: str) -> None:
        self.found, self.source, self.architecture = found, source, architecture
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
                f"This {self.source} network has {min(self.left)}, which no "
                f"{self.architecture} has."
            )


def flip_kernel(weight: Array) -> Array:
    """Turn a kernel round: our convolutions that double the size store it so."""
    return weight[:, :, ::-1, ::-1]


def find_torch_generator(foreign: ForeignFile) -> OpaqueObject | None:
    """The averaged generator in a file, else the generator itself."""
    content = foreign.content
    if isinstance(content, dict):
        content = content.get("G_ema") or content.get("G")
    is_module = isinstance(content, OpaqueObject) and isinstance(
        content.state.get("_modules"), dict
    )
    return content if is_module else None


def submodule(module: OpaqueObject | None, *names: str) -> OpaqueObject | None:
    """A module below a module."""
    for name in names:
        below = module.state.get("_modules") if module else None
        found = below.get(name) if isinstance(below, dict) else None
        module = found if isinstance(found, OpaqueObject) else None
    return module


def list_tensors(module: OpaqueObject, prefix: str = "") -> Iterator[tuple[str, Array]]:
    """Parameters and buffers of a module and those below it, by their full names."""
    for kind in ("_parameters", "_buffers"):
        held = module.state.get(kind)
        for name, value in held.items() if isinstance(held, dict) else ():
            if isinstance(value, np.ndarray):
                yield prefix + name, value
    below = module.state.get("_modules")
    for name, child in below.items() if isinstance(below, dict) else ():
        if isinstance(child, OpaqueObject):
            yield from list_tensors(child, f"{prefix}{name}.")


def count_labels(network: OpaqueObject) -> int:
    """How many labels the network takes."""
    return int(network.state.get("c_dim") or 0)


def find_tf_generator(foreign: ForeignFile) -> OpaqueObject | None:
    """Gs, the averaged generator."""
    content = foreign.content
    if not isinstance(content, list) or len(content) != 3:
        return None
    last = content[2]
    return last if isinstance(last, OpaqueObject) and last.class_name == TF_NETWORK else None


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
