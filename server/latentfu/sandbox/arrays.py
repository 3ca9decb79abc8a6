"""numpy's own files, .npy and .npz, with sizes checked before anything is made."""

from __future__ import annotations

import math
from typing import Any, BinaryIO

import numpy as np

from latentfu.core.errors import BadInputError
from latentfu.sandbox.tree import Array
from latentfu.sandbox.unpickler import member, open_zip, remaining, unpickle


def read_npy(file: BinaryIO) -> Any:
    """An array; of an array of objects what it holds, by the restricted unpickler."""
    try:
        version = np.lib.format.read_magic(file)
        read = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, fortran, dtype = read(file)
    except (ValueError, KeyError) as error:
        raise BadInputError(f"it is damaged ({error})") from error
    if dtype.hasobject:
        return unpickle(file)
    return numbers(file, shape, fortran, dtype)


def numbers(file: BinaryIO, shape: tuple[int, ...], fortran: bool, dtype: np.dtype[Any]) -> Array:
    """The numbers after an .npy header."""
    if dtype.kind not in "fiub":
        raise BadInputError(f"it holds {dtype}, not numbers")
    size = math.prod(shape) * dtype.itemsize
    if size > remaining(file):
        raise BadInputError(f"its header says {list(shape)}, but the numbers are not all there")
    flat = np.frombuffer(file.read(size), dtype)
    return flat.reshape(shape, order="F" if fortran else "C")


def read_npz(file: BinaryIO) -> dict[str, Any]:
    """The arrays of an .npz by name."""
    import io

    archive = open_zip(file)
    return {
        name.removesuffix(".npy"): read_npy(io.BytesIO(member(archive, name)))
        for name in archive.namelist()
        if name.endswith(".npy")
    }
