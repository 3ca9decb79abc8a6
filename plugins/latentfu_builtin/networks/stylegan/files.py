"""Checking the safetensors files of networks."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import torch
from latentfu import find_metadata
from torch import Tensor, nn

M = TypeVar("M", bound=nn.Module)
_LONGEST_CONFIG, _DEEPEST, _LARGEST_NUMBER = 1 << 18, 8, 1 << 20
_COUNTS = ("layers", "blocks", "down", "enhancers", "styles")
"""How the names of those numbers end of which each stands for a tensor, at least."""


def check_tensors(
    path: Path | str, expected: Mapping[str, Tensor], found: Mapping[str, Tensor]
) -> None:
    """ValueError naming the first tensor of `found` that does not fit `expected`."""
    for name in sorted(expected):
        if name not in found:
            raise ValueError(f"{path} lacks the tensor {name}")
        if found[name].shape != expected[name].shape:
            raise ValueError(
                f"{path} has {name} with the shape {list(found[name].shape)}, "
                f"expected {list(expected[name].shape)}"
            )
        if not found[name].is_floating_point():
            raise ValueError(f"{path} has {name} as {found[name].dtype}, expected a float type")
    unknown = sorted(set(found) - set(expected))
    if unknown:
        raise ValueError(f"{path} has a tensor that the network does not know: {unknown[0]}")


def build_fitting(
    path: Path | str,
    build: Callable[[str], M],
    config: str,
    found: Mapping[str, Tensor],
    left_out: str = "\0",
) -> M:
    """The network of a file's config, once it is known to fit the file's tensors.

    A config is a stranger's word: a few letters of it could ask for any amount of memory. So its
    numbers are held against the file, then the network is built without memory (torch's meta
    device) and its tensors are compared, and only then it is built.

    Args:
        path: named in the sentences.
        build: makes the network of a config.
        config: its JSON, as it stands in the file.
        found: the file's tensors.
        left_out: how the names of those end that no file has.

    Raises:
        ValueError: In one sentence, when the config cannot be that of these tensors.
    """
    check_config(config, len(found))
    try:
        with torch.device("meta"):
            whole = build(config).state_dict()
        expected = {name: value for name, value in whole.items() if not name.endswith(left_out)}
        check_tensors(path, expected, found)
    except (ArithmeticError, RuntimeError, TypeError, IndexError, MemoryError) as error:
        if isinstance(error, MemoryError):
            raise ValueError(
                f"{path} takes more memory than there is here, or its config describes no network"
            ) from error
        what = str(error).partition("\n")[0][:200] or type(error).__name__
        raise ValueError(f"{path} has a config that describes no network: {what}") from error
    return build(config)  # too little memory for it is no fault of the file


def check_config(config: str, tensors: int) -> None:
    """ValueError unless a config's JSON is of a size that a file of so many tensors can have."""
    try:
        if len(config) > _LONGEST_CONFIG:
            raise ValueError(f"the network's config has {len(config)} letters")
        _check_value(json.loads(config), "config", max(tensors, 16), 0)
    except RecursionError as error:
        raise ValueError("the network's config is nested too deeply") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"the network's config is not JSON: {error}") from error


def _check_value(value: object, name: str, tensors: int, depth: int) -> None:
    """One value of a config, and all below it."""
    if depth > _DEEPEST:
        raise ValueError("the network's config is nested too deeply")
    if isinstance(value, dict):
        for key, item in value.items():
            _check_value(item, str(key), tensors, depth + 1)
    elif isinstance(value, list):
        if len(value) > tensors:
            raise ValueError(f"the network's config has {len(value)} entries in {name}")
        for item in value:
            _check_value(item, name, tensors, depth + 1)
    elif isinstance(value, int | float):
        most = tensors if name.endswith(_COUNTS) else _LARGEST_NUMBER
        if not abs(value) <= most:
            raise ValueError(f"the network's config has {value!r:.40} as {name}")


def architecture_of(path: Path) -> str:
    """What a weights file says of itself; empty for any other file."""
    return find_metadata(path).get("architecture", "")
