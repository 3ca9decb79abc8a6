"""The one reader of safetensors files: every header, tensor and hash of this project's files.

safetensors itself checks the header against the file before anything is allocated: a header that
is longer than the file, or no JSON, offsets that lie, overlap or leave gaps, shapes that do not
give the bytes they claim, unknown types, a file that is cut short. All of these come back as one
BadInputError, and a file that the system does not hand out as a StorageError.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latentfu.core.errors import BadInputError, StorageError, TooLargeError
from latentfu.storage.atomic import write_whole

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import torch

    Array = npt.NDArray[np.generic]


_PIECE = 8 << 20


def read_metadata(path: Path | str, largest: int | None = None) -> dict[str, str]:
    """The metadata of a safetensors file, without its tensors and without torch.

    Args:
        path: The file.
        largest: Refuse a file of more bytes than this.

    Returns:
        The texts by name; empty when the file has none.

    Raises:
        BadInputError: It is not a whole safetensors file, or too large.
        StorageError: It is missing or cannot be read.
    """
    with _opened(Path(path), "np", "cpu", largest) as file:
        return dict(file.metadata() or {})


def find_metadata(path: Path | str) -> dict[str, str]:
    """As ``read_metadata``, but for any file.

    Args:
        path: the file; it may be missing.

    Returns:
        The texts by name; empty where it is missing or not a safetensors file.
    """
    try:
        return read_metadata(path)
    except (BadInputError, StorageError):
        return {}


def read_tensors(
    path: Path | str, device: torch.device | str = "cpu", largest: int | None = None
) -> dict[str, torch.Tensor]:
    """Every tensor of a safetensors file.

    Args:
        path: the file.
        device: where the tensors go.
        largest: refuse a file of more bytes than this.

    Returns:
        The tensors by name, of the type in the file.

    Raises:
        BadInputError: it is not a whole safetensors file, or too large.
        StorageError: it is missing or cannot be read.
    """
    return read_tensors_and_metadata(path, device, largest)[0]


def read_tensors_and_metadata(
    path: Path | str, device: torch.device | str = "cpu", largest: int | None = None
) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """Tensors and metadata of one and the same file, though another may take its name meanwhile.

    Args:
        path: the file.
        device: where the tensors go.
        largest: refuse a file of more bytes than this.

    Returns:
        The tensors by name, and the metadata's texts by name.

    Raises:
        BadInputError: it is not a whole safetensors file, or too large.
        StorageError: it is missing or cannot be read.
    """
    with _opened(Path(path), "pt", str(device), largest) as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return tensors, dict(file.metadata() or {})


def read_arrays(path: Path | str, largest: int | None = None) -> dict[str, Array]:
    """Every tensor of a safetensors file as a numpy array, without torch.

    Args:
        path: the file.
        largest: refuse a file of more bytes than this.

    Returns:
        The arrays by name, of the type in the file.

    Raises:
        BadInputError: it is not a whole safetensors file, too large, or has a type that numpy does
            not have (bfloat16).
        StorageError: it is missing or cannot be read.
    """
    with _opened(Path(path), "np", "cpu", largest) as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def write_tensors(
    path: Path | str, tensors: Mapping[str, torch.Tensor], metadata: Mapping[str, str]
) -> None:
    """Write a safetensors file whole, or not at all.

    What trained weights cost is not lost with the power: the file is on the disk when it returns.

    Args:
        path: where it goes; a file there is replaced.
        tensors: by name, contiguous and on the CPU.
        metadata: texts by name.

    Raises:
        StorageError: the disk is full or the folder cannot be written.
    """
    from safetensors.torch import save

    write_whole(Path(path), save(dict(tensors), dict(metadata)), durable=True)


def write_arrays(
    path: Path | str, arrays: Mapping[str, Array], metadata: Mapping[str, str]
) -> None:
    """As ``write_tensors``, of numpy arrays and without torch.

    The same arrays with the same metadata give the same bytes if the metadata are one text at
    most: the format does not say in which order several stand.

    Args:
        path: where it goes; a file there is replaced.
        arrays: by name.
        metadata: texts by name.

    Raises:
        StorageError: the disk is full or the folder cannot be written.
    """
    import numpy as np
    from safetensors.numpy import save

    whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    write_whole(Path(path), save(whole, dict(metadata)), durable=True)


def file_sha256(path: Path | str) -> str:
    """sha256 of a file's bytes, computed again only when its size or time has changed.

    It is the ``id`` by which directions and encoders know their generator.

    Args:
        path: any file.

    Returns:
        64 hexadecimal digits, lower case.

    Raises:
        StorageError: it is missing or cannot be read.
    """
    path = Path(path)
    try:
        state = path.stat()
        return _sha256(path.absolute(), state.st_mtime_ns, state.st_size)
    except OSError as error:
        raise _unreadable(path, error) from error


ID_OF_TENSORS = "tensors-1"
"""What a file's metadata say under ``id`` where labels do not count (:func:`weights_id`)."""


def weights_id(path: Path | str) -> str:
    """The ``id`` (hex) by which directions and encoders know the network in a file.

    Of a file whose metadata say so it is a sha256 over its tensors alone, their names, types,
    shapes and numbers: the same weights have the same id, whatever they are called, and whatever
    is said of licence, domain and source. Of any other it is the file's own (:func:`file_sha256`).
    Raises as ``read_metadata``.
    """
    path = Path(path)
    if read_metadata(path).get("id") != ID_OF_TENSORS:
        return file_sha256(path)
    state = path.stat()
    return _tensors_sha256(path.absolute(), state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=64)
def _tensors_sha256(path: Path, changed: int, size: int) -> str:
    """Over the tensors in the order of their names; computed again for a file that has changed."""
    digest = hashlib.sha256(ID_OF_TENSORS.encode())
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(length))
            header.pop("__metadata__", None)
            for name, about in sorted(header.items()):
                start, end = about["data_offsets"]
                digest.update(json.dumps([name, about["dtype"], about["shape"]]).encode())
                file.seek(8 + length + start)
                for place in range(start, end, _PIECE):
                    digest.update(file.read(min(_PIECE, end - place)))
    except OSError as error:
        raise _unreadable(path, error) from error
    return digest.hexdigest()


@lru_cache(maxsize=64)
def _sha256(path: Path, changed: int, size: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _opened(path: Path, framework: str, device: str, largest: int | None) -> Iterator[Any]:
    """safetensors' own handle; whatever goes wrong with it inside the block is one sentence."""
    from safetensors import SafetensorError, safe_open

    try:
        size = path.stat().st_size
        if largest is not None and size > largest:
            raise TooLargeError(f"{path} has {size} bytes, and at most {largest} are read.")
        with safe_open(str(path), framework=framework, device=device) as file:
            yield file
    except OSError as error:
        raise _unreadable(path, error) from error
    except (SafetensorError, ValueError, TypeError) as error:
        raise BadInputError(
            f"{path} cannot be read as a safetensors file ({error}): it is damaged or of another "
            "kind."
        ) from error


def _unreadable(path: Path, error: OSError) -> StorageError:
    return StorageError(f"{path} cannot be read: {error.strerror or error}.")
