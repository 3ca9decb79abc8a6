"""The parent's side: start the child, watch it, take what it wrote."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from latentfu.core.errors import BadInputError, StorageError
from latentfu.core.progress import Progress, silent
from latentfu.sandbox.no_network import no_network_prefix
from latentfu.sandbox.tree import ForeignFile, OpaqueObject, decode

_MEMORY, _MEMORY_PER_BYTE = 2 * 2**30, 5
_SECONDS, _SECONDS_PER_GIGABYTE = 60.0, 120.0
_POLL = 0.05


def read_foreign(path: Path, progress: Progress = silent) -> ForeignFile:
    """What a .pkl, .pt, .pth, .npy or .npz file holds, read in a child process with limits.

    Nothing in the file is imported, called or executed; nothing is left behind.

    Args:
        path: the file, as its authors published it.
        progress: asked while the child reads; may raise CancelledError.

    Returns:
        Its content: dicts, lists, numbers, numpy arrays, and inert stand-ins for objects.

    Raises:
        BadInputError: it is damaged, of no known kind, or names anything outside the allow-list.
        CancelledError: ``progress`` raised it.
    """
    path = Path(path)
    if not path.is_file():
        raise BadInputError(f"There is no file {path}.")
    size = path.stat().st_size
    memory = _MEMORY + _MEMORY_PER_BYTE * size
    seconds = _SECONDS + _SECONDS_PER_GIGABYTE * size / 1e9
    with tempfile.TemporaryDirectory(prefix="latentfu-import-") as folder:
        out = Path(folder)
        words = [str(path.resolve()), folder, str(memory), str(int(seconds))]
        child = [sys.executable, "-P", "-m", "latentfu.sandbox.child", *words]
        _run([*no_network_prefix(), *child], seconds, path, progress)
        return _read_result(path, out)


def _run(command: list[str], seconds: float, path: Path, progress: Progress) -> None:
    """Run the child until it ends; kill it when it is cancelled or takes too long."""
    child = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    started = time.monotonic()
    try:
        while True:
            try:
                child.wait(_POLL)
                return
            except subprocess.TimeoutExpired:
                passed = (time.monotonic() - started) / seconds
                progress(min(0.9, passed * 10), f"Reading {path.name}")
                if passed > 1:
                    raise BadInputError(
                        f"{path.name} was not read: it took more than {seconds:.0f} seconds."
                    ) from None
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()


def _read_result(path: Path, out: Path) -> ForeignFile:
    """What the child left in ``out``; its arrays are copied, since the folder goes."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    error, tree = out / "error.txt", out / "tree.json"
    if error.is_file():
        raise BadInputError(f"{path.name} was not read: {error.read_text()[:400]}.")
    if not tree.is_file():
        raise BadInputError(
            f"{path.name} was not read: it asks for more memory or time than it is given."
        )
    try:
        found = json.loads(tree.read_text())
        arrays = load_file(out / "tensors.safetensors")
    except (OSError, ValueError, SafetensorError) as fault:
        raise StorageError(f"{path.name} was read, but not kept: {fault}.") from fault
    content = decode(json.dumps(found["content"]), arrays)
    return ForeignFile(path, found["kind"], found["sha256"], content)


def read_torch(path: Path, progress: Progress = silent, largest: int | None = None) -> Any:
    """The content of another project's .pt or .pth file: dicts, lists, numbers and tensors.

    Read as ``read_foreign`` does: in a child process, and nothing in it is run.

    Args:
        path: the file.
        progress: asked while the child reads; may raise CancelledError.
        largest: a file of more bytes is refused.

    Returns:
        The content, its arrays as torch tensors on the CPU.

    Raises:
        BadInputError: it is damaged, too large, or names anything outside the allow-list.
        CancelledError: ``progress`` raised it.
    """
    path = Path(path)
    if largest is not None and path.is_file() and path.stat().st_size > largest:
        raise BadInputError(f"{path} is larger than any such file ({largest >> 20} MiB).")
    return _as_tensors(read_foreign(path, progress).content)


def _as_tensors(value: Any) -> Any:
    """``value`` with every array, however deep, as a tensor of the same numbers on the CPU."""
    import torch

    if isinstance(value, np.ndarray):
        return torch.from_numpy(value if value.flags.writeable else value.copy())
    if isinstance(value, dict):
        return {key: _as_tensors(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_tensors(item) for item in value]
    if isinstance(value, OpaqueObject):
        return OpaqueObject(value.class_name, _as_tensors(value.state))
    return value
