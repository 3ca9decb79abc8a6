"""The child process: one file in, tensors and a tree out. It imports neither torch nor plug-ins.

``python -m latentfu.sandbox.child FILE OUT MEMORY SECONDS``: writes ``tensors.safetensors`` and
``tree.json`` into the folder OUT, or one sentence into ``error.txt``.
"""

from __future__ import annotations

import hashlib
import json
import sys
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from latentfu.core.errors import BadInputError
from latentfu.sandbox.few_calls import forbid_calls
from latentfu.sandbox.inert import Inert
from latentfu.sandbox.stand_ins import ArrayNode, TensorNode
from latentfu.sandbox.tree import Array
from latentfu.sandbox.unpickler import (
    LEGACY,
    read_legacy,
    read_npy,
    read_npz,
    read_torch_zip,
    unpickle,
)

_MOST_VALUES, _DEEPEST = 500_000, 60
_FILE_LIMIT = 16 * 2**30


def limit(memory: int, seconds: int) -> None:
    """Let the system stop this process when it wants more than it should (not on Windows)."""
    try:
        import resource
    except ImportError:  # pragma: no cover - Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_FILE_LIMIT, _FILE_LIMIT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def read_contents(file: BinaryIO) -> tuple[str, Any]:
    """The kind of a file, told by its content, and what it holds."""
    head = file.read(32)
    file.seek(0)
    if not head:
        raise BadInputError("it is empty")
    if head.startswith(b"PK\x03\x04"):
        return ("torch", read_torch_zip(file)) if _is_torch(file) else ("numpy", read_npz(file))
    if head.startswith(b"\x93NUMPY"):
        return "numpy", read_npy(file)
    if head[2:].startswith(LEGACY):
        return "torch", read_legacy(file)
    if head[:1] in {b"\x80", b"(", b"]", b"}", b"c"}:
        return "pickle", unpickle(file)
    raise BadInputError("it is neither a pickle nor a torch or numpy file")


def _is_torch(file: BinaryIO) -> bool:
    """Whether a zip file has a data.pkl; a damaged one counts as torch's."""
    try:
        names = zipfile.ZipFile(file).namelist()
    except zipfile.BadZipFile:
        return True
    finally:
        file.seek(0)
    return any(name.endswith("data.pkl") for name in names) or not any(
        name.endswith(".npy") for name in names
    )


def _plain(value: Any) -> Any:
    """A value that JSON knows; None for bytes and the like, of which no network is made."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**63:
        return str(value)[:40]
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value if isinstance(value, (bool, int, float, str)) else None


class Writer:
    """Turns what was read into JSON and arrays; each tensor is written once.

    ``room``: bytes that all arrays together may take; counted before any is made, since a file
    can name the same numbers, or one number, as many large tensors.
    """

    def __init__(self, room: int) -> None:
        self.room = room
        self.arrays: dict[str, Array] = {}
        self.names: dict[int, str] = {}
        self.kept: list[Any] = []  # so that no id is given twice
        self.values = 0
        self.within: set[int] = set()  # what is being written, so that no circle is followed

    def node(self, value: Any, depth: int = 0) -> Any:
        """The JSON of ``value``; BadInputError when there is too much of it."""
        self.values += 1
        if self.values > _MOST_VALUES or depth > _DEEPEST:
            raise BadInputError("it holds more values, or deeper ones, than any network")
        if isinstance(value, (TensorNode, ArrayNode, np.ndarray)):
            return self.array(value, depth)
        if isinstance(value, type) and issubclass(value, Inert):
            return {"thing": value.name, "state": {"dict": []}}
        if not isinstance(value, (dict, list, tuple, set, Inert)) or id(value) in self.within:
            return _plain(value)
        self.within.add(id(value))
        try:
            return self.group(value, depth)
        finally:
            self.within.discard(id(value))

    def group(self, value: Any, depth: int) -> Any:
        """The JSON of what holds other values."""
        if isinstance(value, Inert):
            held = self.node(value.held, depth + 1)
            return held if value.pairs else {"thing": value.name, "state": held}
        if isinstance(value, dict):
            pairs = [[str(key), self.node(item, depth + 1)] for key, item in value.items()]
            return {"dict": pairs}
        return {"list": [self.node(item, depth + 1) for item in value]}

    def array(self, value: Any, depth: int) -> Any:
        """The place of an array among those written."""
        if isinstance(value, ArrayNode) and value.objects is not None:
            return {"list": [self.node(item, depth + 1) for item in value.objects]}
        if isinstance(value, ArrayNode) and value.dtype.is_text_or_time:
            return {"thing": f"numpy.{value.dtype.code[:20]}", "state": {"dict": []}}
        if id(value) not in self.names:
            self.room -= value.nbytes
            if self.room < 0:
                raise BadInputError("it asks for more memory than it is given")
            array = value if isinstance(value, np.ndarray) else value.array()
            if array.dtype.byteorder == ">":
                array = array.astype(array.dtype.newbyteorder("<"))
            name = str(len(self.arrays))
            self.arrays[name] = np.ascontiguousarray(array).reshape(array.shape)
            self.names[id(value)] = name
            self.kept.append(value)
        return {"array": self.names[id(value)]}


def convert(source: Path, out: Path, room: int) -> None:
    """Read ``source`` and write what it holds, at most ``room`` bytes, into the folder ``out``."""
    from safetensors.numpy import save_file

    with source.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        kind, content = read_contents(file)
        writer = Writer(room)
        tree = {"kind": kind, "sha256": sha256, "content": writer.node(content)}
    save_file(writer.arrays, out / "tensors.safetensors")
    (out / "tree.json").write_text(json.dumps(tree))


def main(arguments: list[str]) -> int:
    """The child's whole life; 0 when it wrote its files."""
    source, out, memory, seconds = arguments
    limit(int(memory), int(seconds))
    try:
        convert(Path(source), Path(out), int(memory))
    except BadInputError as error:
        Path(out, "error.txt").write_text(str(error))
    except MemoryError:
        Path(out, "error.txt").write_text("it asks for more memory than it is given")
    except Exception as error:  # whatever a file brings about is the file's fault
        Path(out, "error.txt").write_text(f"it is damaged ({type(error).__name__}: {error})")
    else:
        return 0
    return 3


if __name__ == "__main__":
    import safetensors.numpy  # noqa: F401 - before nothing more can be started

    forbid_calls()
    sys.exit(main(sys.argv[1:]))
