"""Pickles, torch files and numpy files, taken apart with stand-ins for the classes they name.

Sizes are checked before anything is made.
"""

from __future__ import annotations

import io
import math
import pickle
import struct
import zipfile
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np

from latentfu.core.errors import BadInputError
from latentfu.sandbox.inert import Inert, check_harmless, inert_class
from latentfu.sandbox.stand_ins import ALLOWED, Storage, StorageType
from latentfu.sandbox.tree import Array

_MAGIC, _PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
LEGACY = b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
"""How a torch file from before version 1.6 begins, after its protocol."""

_Persistent = Callable[[Any], Any]


class Unpickler(pickle.Unpickler):
    """Gives stand-ins for all names: those that are known, and inert ones. Nothing is looked up."""

    def __init__(self, file: BinaryIO, storage: _Persistent | None = None) -> None:
        super().__init__(file, encoding="latin1")
        self.storage = storage
        self.inert: dict[str, type[Inert]] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("torch.storage", "_load_from_bytes"):
            return _load_from_bytes
        if (module, name) in ALLOWED:
            return ALLOWED[module, name]
        check_harmless(module, name)
        return self.inert.setdefault(f"{module}.{name}", inert_class(f"{module}.{name}"))

    def persistent_load(self, pid: Any) -> Any:
        if self.storage is None:
            raise BadInputError("it refers to something outside itself")
        return self.storage(pid)


def unpickle(file: BinaryIO, storage: _Persistent | None = None) -> Any:
    """The next object of ``file``; BadInputError, in half a sentence, for all that is wrong."""
    try:
        return Unpickler(file, storage).load()
    except BadInputError:
        raise
    except MemoryError as error:
        raise BadInputError("it asks for more memory than it is given") from error
    except RecursionError as error:
        raise BadInputError("it is nested too deeply") from error
    except Exception as error:
        raise BadInputError(f"it is damaged ({type(error).__name__}: {error})") from error


def _parse_bystander(pid: Any) -> Any:
    """A class whose source text is kept, or numbers of a type that is not read here; else None."""
    if not isinstance(pid, tuple) or len(pid) < 2:
        return None
    is_class = isinstance(pid[1], type) and issubclass(pid[1], Inert)
    if pid[0] == "module" and isinstance(pid[1], type):
        return pid[1]
    return pid[1]() if pid[0] == "storage" and is_class else None


def _parse_storage_id(pid: Any) -> tuple[str, str, int]:
    """Element type, key and count of ("storage", type, key, place, count, ...)."""
    if not isinstance(pid, tuple) or len(pid) < 5 or pid[0] != "storage":
        raise BadInputError("it refers to something that is not a block of numbers")
    kind, key, count = pid[1], pid[2], pid[4]
    if not isinstance(kind, StorageType) or not isinstance(count, int) or count < 0:
        raise BadInputError("a block of numbers in it is described wrongly")
    return kind.dtype, str(key), count


def _load_from_bytes(data: Any) -> Any:
    """torch.storage._load_from_bytes: a torch file within the file, read the same way."""
    if not isinstance(data, (bytes, bytearray)):
        raise BadInputError("a block of numbers in it is no bytes")
    return read_legacy(io.BytesIO(bytes(data)))


def read_legacy(file: BinaryIO) -> Any:
    """A torch file from before version 1.6: four pickles, then the blocks of numbers."""
    if unpickle(file) != _MAGIC or unpickle(file) != _PROTOCOL:
        raise BadInputError("it is not a torch file of the known kind")
    unpickle(file)  # byte order and sizes of the machine it was written on
    blocks: dict[str, bytes] = {}
    kinds: dict[str, str] = {}

    def storage(pid: Any) -> Any:
        if isinstance(pid, tuple) and pid[:1] == ("module",) and _parse_bystander(pid):
            return _parse_bystander(pid)
        dtype, key, count = _parse_storage_id(pid)
        kinds[key] = dtype
        return Storage(dtype, count, lambda: blocks.get(key, b""))

    content = unpickle(file, storage)
    keys = unpickle(file)
    for key in keys if isinstance(keys, list) else []:
        head = file.read(8)
        if len(head) < 8 or str(key) not in kinds:
            raise BadInputError("it is cut short")
        (count,) = struct.unpack("<q", head)
        width = 2 if kinds[str(key)] == "bfloat16" else int(kinds[str(key)][2:])
        left = _bytes_left(file)
        if count < 0 or count * width > left:
            raise BadInputError("a block of numbers in it is cut short")
        blocks[str(key)] = file.read(count * width)
    return content


def _bytes_left(file: BinaryIO) -> int:
    """How many bytes are left to read."""
    place = file.tell()
    end = file.seek(0, io.SEEK_END)
    file.seek(place)
    return end - place


def read_torch_zip(file: BinaryIO) -> Any:
    """A torch file of today: a zip with data.pkl and one member for each block of numbers."""
    archive = _open_zip(file)
    names = archive.namelist()
    heads = [name for name in names if name.endswith("data.pkl") and name.count("/") <= 1]
    if len(heads) != 1 or any(".." in name.split("/") for name in names):
        raise BadInputError("it is a zip file, but not one that torch writes")
    root = heads[0].removesuffix("data.pkl")
    order = f"{root}byteorder"
    if order in names and _read_member(archive, order) != b"little":
        raise BadInputError("its numbers are in big-endian order")

    def storage(pid: Any) -> Any:
        bystander = _parse_bystander(pid)
        if bystander is not None:
            return bystander
        dtype, key, count = _parse_storage_id(pid)
        return Storage(dtype, count, lambda: _read_member(archive, f"{root}data/{key}"))

    return unpickle(io.BytesIO(_read_member(archive, heads[0])), storage)


def _open_zip(file: BinaryIO) -> zipfile.ZipFile:
    """The archive; BadInputError when it is damaged or holds far more than its size."""
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise BadInputError(f"it is damaged ({error})") from error
    size = file.seek(0, io.SEEK_END)
    if sum(info.file_size for info in archive.infolist()) > 20 * size + 2**20:
        raise BadInputError("it holds far more than its size on disk")
    return archive


def _read_member(archive: zipfile.ZipFile, name: str) -> bytes:
    """One member's bytes."""
    try:
        return archive.read(name)
    except Exception as error:
        raise BadInputError(f"the part {name[:60]!r} of it is missing or damaged") from error


def read_npy(file: BinaryIO, beside: bool = False) -> Any:
    """An array; of an array of objects what it holds, by the restricted unpickler.

    ``beside``: it is one of several, so that one of text is a name and no fault.
    """
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
    if beside and dtype.kind not in "fiub":
        return inert_class(f"numpy.{dtype}")()
    return _read_numbers(file, shape, fortran, dtype)


def _read_numbers(
    file: BinaryIO, shape: tuple[int, ...], fortran: bool, dtype: np.dtype[Any]
) -> Array:
    """The numbers after an .npy header."""
    if dtype.kind not in "fiub":
        raise BadInputError(f"it holds {dtype}, not numbers")
    size = math.prod(shape) * dtype.itemsize
    if size > _bytes_left(file):
        raise BadInputError(f"its header says {list(shape)}, but the numbers are not all there")
    flat = np.frombuffer(file.read(size), dtype)
    return flat.reshape(shape, order="F" if fortran else "C")


def read_npz(file: BinaryIO) -> dict[str, Any]:
    """The arrays of an .npz by name; of text and dates beside them only what they are."""
    archive = _open_zip(file)
    return {
        name.removesuffix(".npy"): read_npy(io.BytesIO(_read_member(archive, name)), beside=True)
        for name in archive.namelist()
        if name.endswith(".npy")
    }
