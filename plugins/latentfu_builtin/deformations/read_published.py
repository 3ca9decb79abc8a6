"""Deformations in the files of the paper's own code, told apart by what they hold.

A deformation is ``{"layer_ix", "shift"}``; an eigenvector file is one tensor ``[n, 1, out, in, k,
k]``; a training checkpoint holds, beside the network, either singular vectors with a row of
singular values for each direction, or a row of coefficients in an eigenvector file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from latentfu import BadInputError, Deformation, Generator, read_torch
from torch import Tensor

from latentfu_builtin.deformations.convolution import ShiftedConvolution, normalize_shift

_AUTHORS = "A. Cherepkov, A. Voynov, A. Babenko"
_LARGEST = 1 << 30
"""Bytes; of 512 channels, 64 eigenvectors are 600 MB."""


@dataclass(frozen=True)
class PublishedShifts:
    """Shifts ``[n, out, in, k, k]`` as the paper's networks lay them out, for its layer ``layer``.

    ``scaled``: their length means something (strength 1 adds them as they are); otherwise each
    has norm 1 and wants a scale.
    """

    shifts: Tensor
    layer: int
    scaled: bool


def read_published(
    path: Path, generator: Generator, layer: int | None = None, basis: Path | None = None
) -> PublishedShifts:
    """What a published file holds, fitted to ``generator``'s layers; nothing in it is executed.

    ``layer``: the paper's number, where an eigenvector file's name does not say it. ``basis``:
    the eigenvector file that a checkpoint's coefficients belong to. Raises BadInputError.
    """
    tree = read_torch(path, largest=_LARGEST)
    if isinstance(tree, Tensor):
        found = _as_eigenvectors(path, tree, layer)
    elif isinstance(tree, dict) and {"layer_ix", "shift"} <= set(tree):
        found = _read_single(path, tree)
    elif isinstance(tree, dict) and isinstance(tree.get("generator"), Mapping):
        found = _read_checkpoint(path, tree["generator"], basis)
    else:
        raise BadInputError(
            f"{path} is not a deformation: it lacks layer_ix or shift, and is neither a training "
            "checkpoint nor a file of eigenvectors."
        )
    _check_shape(path, found, generator)
    return found


def _read_single(path: Path, tree: Mapping[str, object]) -> PublishedShifts:
    """``{"layer_ix": int, "shift": [1, 1, out, in, k, k]}``."""
    layer, shift = tree["layer_ix"], tree["shift"]
    if not isinstance(layer, int) or not isinstance(shift, Tensor) or shift.ndim < 4:
        raise BadInputError(f"{path} is not a deformation: layer_ix or shift has another type.")
    return PublishedShifts(shift.float().reshape(1, *shift.shape[-4:]), layer, scaled=True)


def _as_eigenvectors(path: Path, rows: Tensor, layer: int | None) -> PublishedShifts:
    """Unit eigenvectors ``[n, 1, out, in, k, k]``."""
    named = re.search(r"layer(\d+)", path.name)
    layer = layer if layer is not None else int(named[1]) if named else None
    if rows.ndim not in (5, 6) or len(rows) == 0:
        raise BadInputError(f"{path} holds a tensor of shape {list(rows.shape)}: no eigenvectors.")
    if layer is None:
        raise BadInputError(f"The name of {path} does not say its layer: give --layer.")
    return PublishedShifts(
        normalize_shifts(rows.float().reshape(-1, *rows.shape[-4:])), layer, scaled=False
    )


def _read_checkpoint(
    path: Path, network: Mapping[str, object], basis: Path | None
) -> PublishedShifts:
    """The trained directions in a checkpoint's network."""
    for key, rows in network.items():
        place = re.search(r"convs\.(\d+)\.conv\.(direction_to_\w+)$", key)
        if place and isinstance(rows, Tensor):
            break
    else:
        raise BadInputError(f"{path} is a checkpoint without trained deformations.")
    layer, prefix = int(place[1]), key.removesuffix(place[2])
    weight = network.get(f"{prefix}weight")
    if not isinstance(weight, Tensor) or rows.ndim != 2:
        raise BadInputError(f"{path} lacks the weights that its directions belong to.")
    if place[2] == "direction_to_eigenvalues_delta":
        u, vh = network.get(f"{prefix}u"), network.get(f"{prefix}vh")
        if not isinstance(u, Tensor) or not isinstance(vh, Tensor):
            raise BadInputError(f"{path} lacks the singular vectors of its directions.")
        shifts = _compose_shifts(path, u.float(), vh.float(), rows.float(), weight.shape[-4:])
    elif basis is None:
        raise BadInputError(
            f"{path} holds coefficients of eigenvectors: give their file with --basis."
        )
    else:
        vectors = read_eigenvectors(basis, layer).shifts
        if len(vectors) != rows.shape[1]:
            raise BadInputError(
                f"{basis} holds {len(vectors)} eigenvectors; {path} needs {rows.shape[1]}."
            )
        shifts = torch.einsum("nj,joikl->noikl", rows.float(), vectors)
    return PublishedShifts(normalize_shifts(shifts), layer, scaled=False)


def _compose_shifts(path: Path, u: Tensor, vh: Tensor, rows: Tensor, shape: torch.Size) -> Tensor:
    """U diag(d) V^T for each row d, ``[n, k k in, out]``, as kernels ``[n, out, in, k, k]``."""
    out, inputs, height, width = shape
    ranks = {u.shape[1], vh.shape[0], rows.shape[1]}
    if u.shape[0] != inputs * height * width or vh.shape[1] != out or len(ranks) != 1:
        raise BadInputError(f"{path} has singular vectors that do not fit its weights.")
    flat = torch.einsum("ar,nr,rb->nab", u, rows, vh)  # [n, k k in, out]
    return flat.reshape(-1, height, width, inputs, out).permute(0, 4, 3, 1, 2)


def read_eigenvectors(path: Path, layer: int | None) -> PublishedShifts:
    """The unit vectors in a published file of eigenvectors; BadInputError for other files."""
    return _as_eigenvectors(path, _read_tensor(path), layer)


def _read_tensor(path: Path) -> Tensor:
    """The tensor that a file consists of."""
    tree = read_torch(path, largest=_LARGEST)
    if not isinstance(tree, Tensor):
        raise BadInputError(f"{path} is not a file of eigenvectors.")
    return tree


def normalize_shifts(shifts: Tensor) -> Tensor:
    """Each of ``[n, out, in, k, k]`` with norm 1 over its whole kernel."""
    return torch.stack([normalize_shift(shift) for shift in shifts])


def _check_shape(path: Path, found: PublishedShifts, generator: Generator) -> None:
    """BadInputError where the generator has no such layer, or another shape there."""
    wanted = tuple(ShiftedConvolution(generator, found.layer + 1).weight.shape)
    if tuple(found.shifts.shape[1:]) != wanted:
        raise BadInputError(
            f"{path} has a shift of {list(found.shifts.shape[1:])} for layer {found.layer}; "
            f"{generator.name} has {list(wanted)} there."
        )


def make_deformations(
    found: PublishedShifts, generator: Generator, name: str, source: str
) -> list[Deformation]:
    """The shifts in our layout, numbered where there is more than one.

    The published layers count the convolutions after the one at 4 px, so ours are one higher; in
    layers that double the size the published kernels are turned by 180 degrees against ours.
    """
    layer = found.layer + 1
    several = len(found.shifts) > 1
    return [
        Deformation(
            shift=np.ascontiguousarray(from_published_layout(shift, layer).numpy()),
            parameter=ShiftedConvolution(generator, layer).parameter,
            layer=layer,
            name=f"{name}-{place}" if several else name,
            generator_id=generator.id,
            generator=generator.name,
            method="published",
            author=_AUTHORS,
            source=source,
        )
        for place, shift in enumerate(found.shifts)
    ]


def from_published_layout(kernel: Tensor, layer: int) -> Tensor:
    """A published kernel ``[out, in, k, k]`` as this project's networks lay it out."""
    return kernel.flip(2, 3) if layer % 2 == 1 else kernel
