"""Files of other projects, written for the tests in their real layout from those we have."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from latentfu import OpaqueObject


def _reconstruct_persistent_obj(meta: dict[str, Any]) -> Any:
    raise AssertionError("nothing of the file may be called")


class Persistent:
    """Pickles as NVIDIA's modules do: a call with the class's source text and its state."""

    def __init__(self, thing: OpaqueObject) -> None:
        source = "raise SystemExit('the source text of a file was run')\n"
        self.meta = {
            "type": "class",
            "version": 6,
            "module_src": source,
            "class_name": thing.class_name,
            "state": modules(thing.state),
        }

    def __reduce__(self) -> Any:
        return sys.modules["torch_utils.persistence"]._reconstruct_persistent_obj, (self.meta,)


def modules(value: Any, *, parameters: bool = False) -> Any:
    """A read tree as objects that are pickled as the original ones were."""
    if isinstance(value, OpaqueObject):
        return Persistent(value)
    if isinstance(value, np.ndarray):
        tensor = torch.from_numpy(np.ascontiguousarray(value).reshape(value.shape))
        return torch.nn.Parameter(tensor) if parameters else tensor
    if isinstance(value, dict):
        return {k: modules(v, parameters=k == "_parameters") for k, v in value.items()}
    if isinstance(value, list):
        return [modules(item) for item in value]
    return value


@contextmanager
def torch_utils() -> Iterator[None]:
    """NVIDIA's modules by name, as they are while such a file is written."""
    package, persistence = ModuleType("torch_utils"), ModuleType("torch_utils.persistence")
    _reconstruct_persistent_obj.__module__ = "torch_utils.persistence"
    persistence._reconstruct_persistent_obj = _reconstruct_persistent_obj  # type: ignore[attr-defined]
    sys.modules.update({"torch_utils": package, "torch_utils.persistence": persistence})
    try:
        yield
    finally:
        del sys.modules["torch_utils"], sys.modules["torch_utils.persistence"]


def save_module(network: OpaqueObject, path: Path) -> None:
    """As PTI keeps a tuned network: ``torch.save`` of the whole module, a zip."""
    with torch_utils():
        torch.save(Persistent(network), path)
