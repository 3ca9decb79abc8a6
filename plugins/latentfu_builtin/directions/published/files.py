"""What lies in files, folders and zips of directions: plain arrays, and which they are.

Nothing in a file is run; which directions an array or a table holds is told by shapes and keys.
"""

from __future__ import annotations

import hashlib
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from latentfu import BadInputError, Generator, Space, read_foreign

from latentfu_builtin.directions.boundaries import Doubles

OWN_ENDING = ".safetensors"
_ENDINGS = (".npy", ".npz", ".pt", ".pth", ".pkl", ".pickle", OWN_ENDING)
_LARGEST_FILE = 512 << 20
_MOST_FILES = 5000


@dataclass(frozen=True)
class FileContent:
    """A file's name, the sha256 of its bytes, and what it holds: arrays in dicts and lists."""

    name: str
    sha256: str
    content: Any


def read_content(path: Path) -> FileContent:
    """What one file holds; BadInputError in one sentence when it cannot be read.

    Taken apart in the importer's child process, plain arrays too: their headers can lie.
    """
    if not path.is_file():
        raise BadInputError(f"There is no file {path}.")
    if path.suffix.lower() not in _ENDINGS:
        raise BadInputError(f"{path} is no known file of directions: {' '.join(_ENDINGS)}.")
    if path.stat().st_size > _LARGEST_FILE:
        raise BadInputError(f"{path} is too large for directions ({_LARGEST_FILE >> 20} MB).")
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return FileContent(path.name, sha256, read_foreign(path).content)


@contextmanager
def unpack_files(path: Path) -> Iterator[list[Path]]:
    """The files of directions at ``path``: itself, those below a folder, or those in a zip.

    A zip's files are laid out in a temporary folder under their own names, without its folders.
    """
    if path.is_dir():
        found = sorted(item for item in path.rglob("*") if item.suffix.lower() in _ENDINGS)
        yield _check_files(path, found)
        return
    if path.suffix.lower() != ".zip":
        yield [path]
        return
    with tempfile.TemporaryDirectory(prefix="latentfu-directions-") as folder:
        yield _check_files(path, _unpack_zip(path, Path(folder)))


def _check_files(path: Path, found: list[Path]) -> list[Path]:
    """The files, unless there are none or far too many (BadInputError)."""
    if not found:
        raise BadInputError(f"{path} holds no directions: no {', '.join(_ENDINGS)} file is in it.")
    if len(found) > _MOST_FILES:
        raise BadInputError(f"{path} holds {len(found)} files: give a folder of directions only.")
    return found


def _unpack_zip(path: Path, folder: Path) -> list[Path]:
    """The files of directions in a zip, each written under a name of its own."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = [m for m in archive.infolist() if _is_wanted(m)]
            if sum(m.file_size for m in members) > _LARGEST_FILE or len(members) > _MOST_FILES:
                raise BadInputError(f"{path} holds more than directions need: unpack it yourself.")
            return [
                _unpack_member(archive, member, folder / f"{i:04}")
                for i, member in enumerate(members)
            ]
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError) as error:
        raise BadInputError(f"{path} cannot be unpacked: {error}.") from error


def _is_wanted(member: zipfile.ZipInfo) -> bool:
    """A plain file with a known ending (a link is not followed)."""
    link = stat.S_ISLNK(member.external_attr >> 16)
    return not member.is_dir() and not link and member.filename.lower().endswith(_ENDINGS)


def _unpack_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path) -> Path:
    """One member as a file in ``folder``, under the last part of its name only."""
    folder.mkdir()
    target = folder / Path(member.filename.replace("\\", "/")).name
    with archive.open(member) as source, target.open("wb") as out:
        shutil.copyfileobj(source, out)
    return target


@dataclass(frozen=True)
class PublishedDirection:
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


def recognize_directions(content: Any, generator: Generator) -> list[PublishedDirection]:
    """The directions that a file's content holds; BadInputError when it holds none that fit."""
    if isinstance(content, list) and len(content) == 1:
        content = content[0]
    if isinstance(content, np.ndarray):
        return _from_array(content, generator)
    if not isinstance(content, Mapping):
        raise BadInputError("It holds neither an array nor a table of arrays.")
    for keys, reader in _READERS.items():
        if set(keys) <= set(content):
            return reader(content, generator)
    return _from_table(content, generator)


def _check_numbers(value: Any) -> Doubles:
    """An array of finite numbers, as float64; BadInputError for anything else."""
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "fiu" or value.size == 0:
        raise BadInputError("It holds no array of numbers where a direction should be.")
    wide = np.asarray(value, dtype=np.float64)
    if not np.isfinite(wide).all():
        raise BadInputError("It holds values that are no numbers (NaN or infinite).")
    return wide


def _from_array(array: npt.NDArray[Any], generator: Generator) -> list[PublishedDirection]:
    """(D,), (1, D), (num_ws, D), (1, num_ws, D), flattened W+, or K rows of one direction each."""
    values = _check_numbers(array)
    layers, sizes = generator.num_ws, {generator.w_dim, generator.z_dim} - {0}
    flat = values.reshape(values.shape[1:]) if values.ndim > 1 and len(values) == 1 else values
    if flat.ndim == 1 and flat.size in sizes:
        return [PublishedDirection(flat)]
    if flat.ndim == 1 and layers and flat.size == layers * generator.w_dim:
        return [_untile(flat.reshape(layers, generator.w_dim))]
    if flat.ndim == 2 and flat.shape == (layers, generator.w_dim):
        return [_untile(flat)]
    if flat.ndim == 2 and flat.shape[1] == 1 and flat.shape[0] in sizes:
        return [PublishedDirection(flat[:, 0])]
    if flat.ndim in (2, 3) and flat.shape[-1] in sizes:
        return _from_factors(flat, generator, "")
    raise BadInputError(
        f"It has the shape {list(array.shape)}, which fits no space of {generator.name} "
        f"(w {generator.w_dim}, {layers} layers, z {generator.z_dim}): it is for another generator."
    )


def _untile(rows: Doubles) -> PublishedDirection:
    """A W+ direction; one whose rows are all equal is the w direction that it repeats."""
    if np.allclose(rows, rows[:1], rtol=1e-5, atol=1e-7 * float(np.abs(rows).max())):
        return PublishedDirection(rows[0], space="w")
    moved = np.flatnonzero(np.abs(rows).sum(axis=1))
    alike = rows[moved]
    if len(moved) and np.allclose(alike, alike[:1], rtol=1e-5):
        layers = int(moved[0]), int(moved[-1])
        if len(moved) == layers[1] - layers[0] + 1:
            return PublishedDirection(alike[0], space="w", layers=layers)
    return PublishedDirection(rows, space="w+")


def _from_factors(rows: Doubles, generator: Generator, method: str) -> list[PublishedDirection]:
    """Rows of one direction each, numbered in the order of the file."""
    return [
        PublishedDirection(
            one.vector, suffix=str(i), space=one.space, layers=one.layers, method=method
        )
        for i, row in enumerate(rows)
        for one in _from_array(row, generator)
    ]


def _from_components(
    comp: Any, mean: Any, std: Any, generator: Generator
) -> list[PublishedDirection]:
    """GANSpace's components of w: its edits go to a target, counted from the mean."""
    rows, center, spread = (
        _check_numbers(comp),
        _check_numbers(mean).reshape(-1),
        _check_numbers(std).reshape(-1),
    )
    rows = rows.reshape(len(rows), -1)
    size = generator.w_dim or generator.z_dim
    if rows.shape[1] != size or center.size != size or spread.size != len(rows):
        raise BadInputError(
            f"Its components have {rows.shape[1]} numbers, the codes of {generator.name} {size}: "
            f"it is for another generator."
        )
    return [
        PublishedDirection(
            row, str(i), center, float(spread[i]), "w" if generator.w_dim else "z",
            absolute=True, method="principal component (GANSpace)",
        )
        for i, row in enumerate(rows)
    ]  # fmt: skip


def _from_ganspace_export(
    content: Mapping[str, Any], generator: Generator
) -> list[PublishedDirection]:
    """One direction that GANSpace's viewer saved: its component, layers and name."""
    (found,) = _from_array(_check_numbers(content["lat_comp"]), generator)
    first, last = content.get("edit_start"), content.get("edit_end")
    layers = None
    if isinstance(first, int) and isinstance(last, int) and 0 <= first < last:
        layers = first, min(last, max(generator.num_ws, 1)) - 1
        layers = layers if layers[0] <= layers[1] else None
    deviation = content.get("lat_stdev")
    one = PublishedDirection(
        found.vector,
        spread=float(deviation) if isinstance(deviation, (int, float)) else None,
        space="w" if str(content.get("latent_space", "W")).upper() == "W" else "z",
        layers=layers,
        title=str(content.get("name", ""))[:80],
        method="principal component (GANSpace)",
    )
    return [one]


def _from_idinvert(content: Mapping[str, Any], generator: Generator) -> list[PublishedDirection]:
    """A boundary with its meta data: the layers to manipulate stand beside it."""
    (found,) = _from_array(_check_numbers(content["boundary"]), generator)
    meta = content.get("meta_data")
    asked = meta.get("manipulate_layers") if isinstance(meta, Mapping) else None
    places = np.asarray(asked if asked is not None else [], dtype=object).ravel().tolist()
    whole = [int(place) for place in places if isinstance(place, (int, np.integer))]
    if not whole:
        return [found]
    if sorted(whole) != list(range(min(whole), max(whole) + 1)):
        rows = np.broadcast_to(found.vector, (generator.num_ws, generator.w_dim)).copy()
        rows[[i for i in range(generator.num_ws) if i not in whole]] = 0.0
        return [PublishedDirection(rows, space="w+")]
    return [PublishedDirection(found.vector, space=found.space, layers=(min(whole), max(whole)))]


def _from_table(content: Mapping[str, Any], generator: Generator) -> list[PublishedDirection]:
    """A table of directions by name; entries that are no directions are left out."""
    found, reason = [], "It holds no array."
    for name, value in content.items():
        if not isinstance(value, np.ndarray):
            continue
        try:
            for one in _from_array(value, generator):
                suffix = f"{name}-{one.suffix}" if one.suffix else str(name)
                found.append(
                    PublishedDirection(one.vector, suffix, space=one.space, layers=one.layers)
                )
        except BadInputError as error:
            reason = str(error)
    if not found:
        raise BadInputError(reason)
    return found


_READERS: Mapping[
    tuple[str, ...], Callable[[Mapping[str, Any], Generator], list[PublishedDirection]]
] = {
    ("comp", "mean", "std"): lambda c, g: _from_components(c["comp"], c["mean"], c["std"], g),
    ("lat_comp", "lat_mean", "lat_stdev"): lambda c, g: _from_components(
        c["lat_comp"], c["lat_mean"], c["lat_stdev"], g
    ),
    ("lat_comp",): _from_ganspace_export,
    ("boundary",): _from_idinvert,
    ("eigvec",): lambda c, g: _from_factors(
        _check_numbers(c["eigvec"]).T, g, "closed-form factorisation (SeFa)"
    ),
}
"""Keys by which a published table of arrays is known, and who reads it; the first that fits."""
