"""Which directions an array or a dict of arrays holds, told by shapes and keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from latentfu import BadInputError, Generator, Space

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Found:
    """A direction in a file: ``vector [D]`` or ``[num_ws, D]`` as published.

    ``suffix``: what tells it from the others in its file, "" for the only one. ``mean [D]``:
    where its amount is 0, None when the file does not say. ``spread``: the published length of
    one standard deviation. ``space``: None when only the shape says it.
    """

    vector: Doubles
    suffix: str = ""
    mean: Doubles | None = None
    spread: float | None = None
    space: Space | None = None
    layers: tuple[int, int] | None = None
    absolute: bool = False
    title: str = ""
    method: str = ""


def recognise(content: Any, generator: Generator) -> list[Found]:
    """The directions that a file's content holds; BadInputError when it holds none that fit."""
    if isinstance(content, list) and len(content) == 1:
        content = content[0]
    if isinstance(content, np.ndarray):
        return from_array(content, generator)
    if not isinstance(content, Mapping):
        raise BadInputError("It holds neither an array nor a table of arrays.")
    for keys, reader in READERS.items():
        if set(keys) <= set(content):
            return reader(content, generator)
    return from_table(content, generator)


def numbers(value: Any) -> Doubles:
    """An array of finite numbers, as float64; BadInputError for anything else."""
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "fiu" or value.size == 0:
        raise BadInputError("It holds no array of numbers where a direction should be.")
    wide = np.asarray(value, dtype=np.float64)
    if not np.isfinite(wide).all():
        raise BadInputError("It holds values that are no numbers (NaN or infinite).")
    return wide


def from_array(array: npt.NDArray[Any], generator: Generator) -> list[Found]:
    """(D,), (1, D), (num_ws, D), (1, num_ws, D), flattened W+, or K rows of one direction each."""
    values = numbers(array)
    layers, sizes = generator.num_ws, {generator.w_dim, generator.z_dim} - {0}
    flat = values.reshape(values.shape[1:]) if values.ndim > 1 and len(values) == 1 else values
    if flat.ndim == 1 and flat.size in sizes:
        return [Found(flat)]
    if flat.ndim == 1 and layers and flat.size == layers * generator.w_dim:
        return [untiled(flat.reshape(layers, generator.w_dim))]
    if flat.ndim == 2 and flat.shape == (layers, generator.w_dim):
        return [untiled(flat)]
    if flat.ndim == 2 and flat.shape[1] == 1 and flat.shape[0] in sizes:
        return [Found(flat[:, 0])]
    if flat.ndim in (2, 3) and flat.shape[-1] in sizes:
        return from_factors(flat, generator, "")
    raise BadInputError(
        f"It has the shape {list(array.shape)}, which fits no space of {generator.name} "
        f"(w {generator.w_dim}, {layers} layers, z {generator.z_dim}): it is for another generator."
    )


def untiled(rows: Doubles) -> Found:
    """A W+ direction; one whose rows are all equal is the w direction that it repeats."""
    if np.allclose(rows, rows[:1], rtol=1e-5, atol=1e-7 * float(np.abs(rows).max())):
        return Found(rows[0], space="w")
    moved = np.flatnonzero(np.abs(rows).sum(axis=1))
    alike = rows[moved]
    if len(moved) and np.allclose(alike, alike[:1], rtol=1e-5):
        layers = int(moved[0]), int(moved[-1])
        if len(moved) == layers[1] - layers[0] + 1:
            return Found(alike[0], space="w", layers=layers)
    return Found(rows, space="w+")


def from_factors(rows: Doubles, generator: Generator, method: str) -> list[Found]:
    """Rows of one direction each, numbered in the order of the file."""
    return [
        Found(one.vector, suffix=str(i), space=one.space, layers=one.layers, method=method)
        for i, row in enumerate(rows)
        for one in from_array(row, generator)
    ]


def from_components(comp: Any, mean: Any, std: Any, generator: Generator) -> list[Found]:
    """GANSpace's components of w: its edits go to a target, counted from the mean."""
    rows, centre, spread = numbers(comp), numbers(mean).reshape(-1), numbers(std).reshape(-1)
    rows = rows.reshape(len(rows), -1)
    size = generator.w_dim or generator.z_dim
    if rows.shape[1] != size or centre.size != size or spread.size != len(rows):
        raise BadInputError(
            f"Its components have {rows.shape[1]} numbers, the codes of {generator.name} {size}: "
            f"it is for another generator."
        )
    return [
        Found(
            row, str(i), centre, float(spread[i]), "w" if generator.w_dim else "z",
            absolute=True, method="principal component (GANSpace)",
        )
        for i, row in enumerate(rows)
    ]  # fmt: skip


def from_ganspace_export(content: Mapping[str, Any], generator: Generator) -> list[Found]:
    """One direction that GANSpace's viewer saved: its component, layers and name."""
    (found,) = from_array(numbers(content["lat_comp"]), generator)
    first, last = content.get("edit_start"), content.get("edit_end")
    layers = None
    if isinstance(first, int) and isinstance(last, int) and 0 <= first < last:
        layers = first, min(last, max(generator.num_ws, 1)) - 1
        layers = layers if layers[0] <= layers[1] else None
    deviation = content.get("lat_stdev")
    one = Found(
        found.vector,
        spread=float(deviation) if isinstance(deviation, (int, float)) else None,
        space="w" if str(content.get("latent_space", "W")).upper() == "W" else "z",
        layers=layers,
        title=str(content.get("name", ""))[:80],
        method="principal component (GANSpace)",
    )
    return [one]


def from_idinvert(content: Mapping[str, Any], generator: Generator) -> list[Found]:
    """A boundary with its meta data: the layers to manipulate stand beside it."""
    (found,) = from_array(numbers(content["boundary"]), generator)
    meta = content.get("meta_data")
    asked = meta.get("manipulate_layers") if isinstance(meta, Mapping) else None
    places = np.asarray(asked if asked is not None else [], dtype=object).ravel().tolist()
    whole = [int(place) for place in places if isinstance(place, (int, np.integer))]
    if not whole:
        return [found]
    if sorted(whole) != list(range(min(whole), max(whole) + 1)):
        rows = np.broadcast_to(found.vector, (generator.num_ws, generator.w_dim)).copy()
        rows[[i for i in range(generator.num_ws) if i not in whole]] = 0.0
        return [Found(rows, space="w+")]
    return [Found(found.vector, space=found.space, layers=(min(whole), max(whole)))]


def from_table(content: Mapping[str, Any], generator: Generator) -> list[Found]:
    """A table of directions by name; entries that are no directions are left out."""
    found, reason = [], "It holds no array."
    for name, value in content.items():
        if not isinstance(value, np.ndarray):
            continue
        try:
            for one in from_array(value, generator):
                suffix = f"{name}-{one.suffix}" if one.suffix else str(name)
                found.append(Found(one.vector, suffix, space=one.space, layers=one.layers))
        except BadInputError as error:
            reason = str(error)
    if not found:
        raise BadInputError(reason)
    return found


READERS: Mapping[tuple[str, ...], Callable[[Mapping[str, Any], Generator], list[Found]]] = {
    ("comp", "mean", "std"): lambda c, g: from_components(c["comp"], c["mean"], c["std"], g),
    ("lat_comp", "lat_mean", "lat_stdev"): lambda c, g: from_components(
        c["lat_comp"], c["lat_mean"], c["lat_stdev"], g
    ),
    ("lat_comp",): from_ganspace_export,
    ("boundary",): from_idinvert,
    ("eigvec",): lambda c, g: from_factors(
        numbers(c["eigvec"]).T, g, "closed-form factorisation (SeFa)"
    ),
}
"""Keys by which a published table of arrays is known, and who reads it; the first that fits."""
