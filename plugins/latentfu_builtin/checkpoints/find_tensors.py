"""Where in a checkpoint the tensors of a network lie, whatever its trainer called the place.

The same weights are saved as ``g_ema``, as ``g``, ``generator`` or ``params_ema``, by themselves,
with ``module.`` before each name, or as a whole pickled module. They are found by the names of
their own tensors. Averaged weights go before others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from latentfu import ForeignFile, OpaqueObject
from numpy.typing import NDArray

Array = NDArray[Any]
AVERAGES = ("latent_avg", "mean_latent", "latent_mean", "w_avg", "mean_w", "dlatent_avg")
"""What projects call the mean w that lies beside a state dict."""
_DEEPEST, _LONGEST_LIST = 8, 64
_SHOWN = 8


@dataclass(frozen=True)
class FoundTensors:
    """Values by name at one place in a file.

    Attributes:
        path: The keys that lead there, with the prefix of the names at its end.
        values: What is there: arrays, and whatever else has a name there.
        is_module: Whether it is a pickled module, laid out by the names of its parameters.
        around: The mappings that it lies in, the nearest first.
    """

    path: tuple[str, ...]
    values: Mapping[str, Any]
    is_module: bool = False
    around: tuple[Mapping[str, Any], ...] = ()

    def below(self, prefix: str) -> FoundTensors:
        """Those whose names begin with ``prefix``, by the rest of their names."""
        if not prefix:
            return self
        values = {k[len(prefix) :]: v for k, v in self.values.items() if k.startswith(prefix)}
        path = (*self.path, *prefix.rstrip(".").split("."))
        return FoundTensors(path, values, self.is_module, (self.values, *self.around))

    @property
    def is_decoder(self) -> bool:
        """Whether it is the generator within an encoder's checkpoint."""
        return bool(self.path) and self.path[-1] == "decoder"

    @property
    def rank(self) -> tuple[bool, int]:
        """Averaged weights first, then those that lie least deep."""
        return not any("ema" in word.lower() or word == "Gs" for word in self.path), len(self.path)


@dataclass(frozen=True)
class StateDict:
    """The tensors of one network by its own names.

    Attributes:
        tensors: Its arrays.
        odd: Class names of what has a name there and is no array.
        average: The mean w that lies beside it, None where there is none.
    """

    tensors: dict[str, Array] = field(default_factory=dict)
    odd: dict[str, str] = field(default_factory=dict)
    average: Array | None = None


def list_places(foreign: ForeignFile) -> list[FoundTensors]:
    """Every mapping and module of a file that has arrays, the most likely ones first."""
    return sorted(_walk(foreign.content, (), ()), key=lambda place: place.rank)


def _walk(
    value: Any, path: tuple[str, ...], around: tuple[Mapping[str, Any], ...]
) -> Iterator[FoundTensors]:
    if len(path) > _DEEPEST:
        return
    if isinstance(value, OpaqueObject):
        if isinstance(value.state.get("_modules"), dict):
            yield FoundTensors(path, dict(list_tensors(value)), True, around)
            return
        value = value.state
    if isinstance(value, dict):
        if any(isinstance(item, np.ndarray) for item in value.values()):
            yield FoundTensors(path, value, False, around)
        for key, item in value.items():
            if isinstance(item, (dict, list, OpaqueObject)):
                yield from _walk(item, (*path, key), (value, *around))
    elif isinstance(value, list) and len(value) <= _LONGEST_LIST:
        for place, item in enumerate(value):
            if isinstance(item, (dict, list, OpaqueObject)):
                yield from _walk(item, (*path, str(place)), around)


def find_state_dict(place: FoundTensors) -> StateDict:
    """What lies at a place as a state dict, apart from the mean w beside it."""
    arrays = {str(k): v for k, v in place.values.items() if isinstance(v, np.ndarray)}
    odd = {str(k): v.class_name for k, v in place.values.items() if isinstance(v, OpaqueObject)}
    average = next(
        (
            held[name]
            for held in (place.values, *place.around)
            for name in AVERAGES
            if isinstance(held.get(name), np.ndarray)
        ),
        None,
    )
    plain = {name: array for name, array in arrays.items() if name not in AVERAGES}
    return StateDict(plain, odd, average)


def list_tensors(module: OpaqueObject, prefix: str = "") -> Iterator[tuple[str, Array]]:
    """Parameters and buffers of a module and those below it, by their full names."""
    for kind in ("_parameters", "_buffers"):
        held = module.state.get(kind)
        for name, value in held.items() if isinstance(held, dict) else ():
            if isinstance(value, np.ndarray):
                yield prefix + name, value
    below = module.state.get("_modules")
    for name, child in below.items() if isinstance(below, dict) else ():
        if isinstance(child, OpaqueObject):
            yield from list_tensors(child, f"{prefix}{name}.")


def find_modules(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The keys that lead to each pickled module which has a ``synthesis`` below it."""
    if len(path) > _DEEPEST:
        return
    state = value.state if isinstance(value, OpaqueObject) else value
    if isinstance(value, OpaqueObject) and isinstance(state.get("_modules"), dict):
        if isinstance(state["_modules"].get("synthesis"), OpaqueObject):
            yield path
            return
        path, state = (*path, "_modules"), state["_modules"]
    if isinstance(state, list) and len(state) <= _LONGEST_LIST:
        state = {str(place): item for place, item in enumerate(state)}
    for key, item in state.items() if isinstance(state, dict) else ():
        yield from find_modules(item, (*path, key))


def take_at(value: Any, path: tuple[str, ...]) -> Any:
    """What lies at the end of a path of `find_modules`."""
    for key in path:
        value = value.state if isinstance(value, OpaqueObject) else value
        value = value[int(key)] if isinstance(value, list) else value[key]
    return value


def describe_content(foreign: ForeignFile) -> str:
    """What a file holds, in half a sentence, for one that nobody knows."""
    content = foreign.content
    if isinstance(content, OpaqueObject):
        content = {content.class_name or "an object": content}
    if isinstance(content, list):
        content = {f"item {place}": item for place, item in enumerate(content)}
    if not isinstance(content, dict):
        return f"it holds {_describe(content)}"
    arrays = [name for name, item in content.items() if isinstance(item, np.ndarray)]
    if len(arrays) > _SHOWN:
        return f"it holds {len(arrays)} tensors, {', '.join(arrays[:3])}, ..."
    shown = [f"{name} ({_describe(item)})" for name, item in list(content.items())[:_SHOWN]]
    more = f" and {len(content) - _SHOWN} more" if len(content) > _SHOWN else ""
    return f"it holds {', '.join(shown) or 'nothing'}{more}"


def _describe(value: Any) -> str:
    """One value in a few words."""
    if isinstance(value, np.ndarray):
        return f"an array {list(value.shape)}"
    if isinstance(value, OpaqueObject) and isinstance(value.state.get("_modules"), dict):
        names = [name for name, _ in list_tensors(value)]
        return f"a module of {len(names)} tensors, {', '.join(names[:2])}, ..."
    if isinstance(value, OpaqueObject):
        return f"of the class {value.class_name}"
    if isinstance(value, dict):
        names = [str(name) for name, item in value.items() if isinstance(item, np.ndarray)]
        words = f"{len(names)} tensors, {', '.join(names[:2])}, ..." if names else "no tensors"
        return words
    return f"a list of {len(value)}" if isinstance(value, list) else type(value).__name__
