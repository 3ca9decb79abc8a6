"""Codes of other tools: .npy, .npz, .pt and .pkl as projectors and encoders leave them.

stylegan2-ada and stylegan3 write ``projected_w.npz``, e4e and pSp arrays of all pictures, PTI a
tensor for each picture, rosinality a dict of dicts. Which space a code is in is told by its shape.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from latentfu.core.errors import BadInputError, LatentFuError
from latentfu.core.latent import Latent, Space
from latentfu.sandbox.parent import read_foreign
from latentfu.sandbox.tree import Array, OpaqueObject
from latentfu.storage.inversion_cache import load_inversion
from latentfu.storage.safetensors_file import read_metadata

if TYPE_CHECKING:
    from latentfu.core.generator import Generator

_DEEPEST = 6
_SPOKEN = ("wplus", "w_plus", "w+", "projected_w", "latent", "latents", "w", "codes", "code")
"""What tools call a code, the surest first; other names are looked at after these."""


def load_latent(path: Path, generator: Generator) -> Latent:
    """The one code in a file of ours or of another tool, for ``generator``.

    Of other tools' files it is the first array whose shape is a code's: ``[D]`` or ``[1, D]`` in
    w (in z, where the network is edited in z), ``[L, D]`` or ``[1, L, D]`` in w+, or the same laid
    flat. Such a file does not say which network it is for. Nothing in it is run.

    Raises BadInputError when there is no code of the generator's shape in it, or several, and
    WrongGeneratorError for a file of ours that was made for another network.
    """
    if _is_safetensors(path):
        return load_inversion(path, generator).latent
    shapes: list[list[int]] = []
    several = 0
    for array in _list_arrays(read_foreign(path).content):
        latents = _as_latents(array, generator)
        if latents is not None and len(latents) == 1:
            return latents
        several = max(several, len(latents) if latents is not None else 0)
        shapes.append(list(array.shape))
    if several:
        raise BadInputError(
            f"{path.name} holds {several} codes: give a file of one, e.g. codes[:1] of it."
        )
    found = ", ".join(map(str, shapes[:3])) or "no arrays"
    raise BadInputError(
        f"{path.name} holds no code of {generator.name}, which takes {generator.num_ws} layers of "
        f"{generator.w_dim} (w) or {generator.z_dim} (z); it has {found}."
    )


def _is_safetensors(path: Path) -> bool:
    """Whether the file is one of ours, by its beginning."""
    try:
        read_metadata(path)
    except LatentFuError:
        return path.suffix == ".safetensors"
    return True


def _list_arrays(value: Any, depth: int = 0) -> Iterator[Array]:
    """Every array in what was read, those with a code's name first."""
    if isinstance(value, np.ndarray):
        yield value
    if isinstance(value, OpaqueObject):
        value = value.state
    if isinstance(value, dict):
        known = [value[name] for name in _SPOKEN if name in value]
        value = [*known, *(item for name, item in value.items() if name not in _SPOKEN)]
    if isinstance(value, list) and depth < _DEEPEST:
        for item in value:
            yield from _list_arrays(item, depth + 1)


def _as_latents(array: Array, generator: Generator) -> Latent | None:
    """The codes ``[N, ...]`` that an array is; None where its shape is no code's."""
    import torch

    if array.dtype.kind not in "fiu" or array.size == 0 or not np.isfinite(array).all():
        return None
    layers, wide, deep = generator.num_ws, generator.w_dim, generator.z_dim
    flat: Space = "w" if wide else "z"
    shape = tuple(n for n in array.shape if n != 1) or array.shape
    codes = torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))
    if layers and wide and (shape[-2:] == (layers, wide) or shape == (layers * wide,)):
        space = "w++" if generator.spaces[-1] == "w++" else "w+"
        held: Space | None = space if space in generator.spaces else None
        return _made(codes.reshape(-1, layers, wide), held, generator)
    if shape in ((wide or deep,), (array.shape[0], wide or deep)) and array.ndim <= 3:
        codes = codes.reshape(-1, wide or deep)
        if flat == "w" and "w" not in generator.spaces and layers:
            return _made(codes[:, None].repeat(1, layers, 1), generator.spaces[-1], generator)
        return _made(codes, flat if flat in generator.spaces else None, generator)
    return None


def _made(codes: Any, space: Space | None, generator: Generator) -> Latent | None:
    return None if space is None else Latent(codes.to(generator.device), space, generator.id)
