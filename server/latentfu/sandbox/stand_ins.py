"""The stand-ins for the classes that real checkpoints name: they hold data and do nothing.

The table ``ALLOWED`` is exact. What is not in it, by module and name, is an inert name that holds
its state (`inert`), and is never looked up.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from latentfu.core.errors import BadInputError
from latentfu.sandbox.inert import Inert, inert_class, join_path, make_attribute
from latentfu.sandbox.tree import Array

DTYPES = {
    "FloatStorage": "<f4", "HalfStorage": "<f2", "DoubleStorage": "<f8", "LongStorage": "<i8",
    "IntStorage": "<i4", "ShortStorage": "<i2", "CharStorage": "|i1", "ByteStorage": "|u1",
    "BoolStorage": "|b1", "BFloat16Storage": "bfloat16",
}  # fmt: skip
"""Element types of torch's storages, as numpy writes them."""


class Fixed:
    """What stays as it was made: a pickle that wants to change it afterwards is refused.

    Without this the BUILD of a pickle would set attributes past the checks of ``__init__``.
    """

    __slots__ = ()

    def __setstate__(self, state: Any) -> None:
        raise BadInputError("something in it is changed after it was made")


class Maker(Fixed):
    """A function that a file may call, and do nothing else with."""

    __slots__ = ("make",)

    def __init__(self, make: Callable[..., Any]) -> None:
        self.make = make

    def __call__(self, *arguments: Any) -> Any:
        return self.make(*arguments)


class Bag(dict[Any, Any]):
    """A dict of any class (OrderedDict, EasyDict): its items count, nothing else."""

    def __init__(self, *items: Any) -> None:
        super().__init__(*items[:1])

    def __setstate__(self, state: Any) -> None:
        """Attributes of the original class are not kept."""


class Storage(Fixed):
    """A block of numbers of one type; ``read`` gives its bytes when they are wanted."""

    def __init__(self, dtype: str, count: int, read: Callable[[], bytes]) -> None:
        self.dtype, self.count, self.read = dtype, count, read

    def array(self) -> Array:
        """All its numbers ``[count]``; BadInputError when there are fewer bytes than it says."""
        brain = self.dtype == "bfloat16"
        dtype = np.dtype("<u2" if brain else self.dtype)
        data = self.read()
        if len(data) < self.count * dtype.itemsize:
            raise BadInputError("a block of numbers in it is cut short")
        numbers = np.frombuffer(data, dtype, self.count)
        if brain:
            return (numbers.astype("<u4") << 16).view("<f4")
        return numbers


class TensorNode(Fixed):
    """A tensor that has been named but not read: a view of a storage."""

    def __init__(
        self, storage: Storage, offset: int, size: tuple[int, ...], stride: tuple[int, ...]
    ) -> None:
        if not isinstance(storage, Storage) or len(size) != len(stride):
            raise BadInputError("a tensor in it is put together wrongly")
        if offset < 0 or any(n < 0 for n in (*size, *stride)):
            raise BadInputError("a tensor in it has a negative size")
        last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
        if math.prod(size) and last >= storage.count:
            raise BadInputError(
                f"a tensor in it of shape {list(size)} is larger than its {storage.count} numbers"
            )
        self.storage, self.offset, self.size, self.stride = storage, offset, size, stride

    @property
    def nbytes(self) -> int:
        """How much memory its numbers take."""
        width = 4 if self.storage.dtype == "bfloat16" else int(self.storage.dtype[2:])
        return math.prod(self.size) * width

    def array(self) -> Array:
        """Its numbers, ``size``."""
        flat = self.storage.array()
        steps = [step * flat.itemsize for step in self.stride]
        view = np.lib.stride_tricks.as_strided(flat[self.offset :], self.size, steps)
        return np.array(view)


def _rebuild_tensor(storage: Any, offset: int, size: Any, stride: Any, *_: Any) -> Any:
    """torch._utils._rebuild_tensor_v2; of numbers of a type that is not read here only a name."""
    if isinstance(storage, Inert):
        return inert_class(f"a tensor of {storage.name}")()
    return TensorNode(storage, int(offset), tuple(map(int, size)), tuple(map(int, stride)))


def _rebuild_parameter(data: Any, *_: Any) -> Any:
    """torch._utils._rebuild_parameter: the tensor itself."""
    return data


def _rebuild_subclass(function: Any, kind: Any, arguments: Any = (), *_: Any) -> Any:
    """torch._tensor._rebuild_from_type_v2: a tensor with attributes of its own; the tensor."""
    if not isinstance(function, Maker) or not isinstance(arguments, tuple):
        return inert_class(f"a tensor of the class {getattr(kind, 'name', kind)}")()
    return function(*arguments)


def _rebuild_plain_object(kind: Any, base: Any = None, state: Any = None) -> Any:
    """copyreg._reconstructor, of protocols 0 and 1: an object, or a dict of some class."""
    if not isinstance(kind, type) or not issubclass(kind, (Bag, Inert, ArrayNode)):
        raise BadInputError("an object in it is put together wrongly")
    made = kind()
    if isinstance(made, Bag) and isinstance(state, dict):
        made.update(state)
    elif isinstance(made, Inert) and isinstance(state, dict):
        made.pairs.update(state)
    elif isinstance(made, Inert) and isinstance(state, (list, tuple)):
        made.items.extend(state)
    return made


def _rebuild_buffer(data: Any, dtype: Any, shape: Any = (), order: Any = "C") -> Any:
    """numpy's _frombuffer, as protocol 5 keeps arrays."""
    node = ArrayNode()
    node.__setstate__((1, tuple(shape), dtype, order == "F", bytes(data)))
    return node


class FactoryBag(Bag):
    """collections.defaultdict: its items; what makes missing ones is not kept."""

    def __init__(self, *_: Any) -> None:
        super().__init__()


class ParameterNode(TensorNode):
    """torch.nn.parameter.Parameter, as files from before torch 0.4 name it: its tensor."""

    def __new__(cls, data: Any = None, *_: Any) -> ParameterNode:
        if not isinstance(data, TensorNode):
            raise BadInputError("a parameter in it holds no tensor")
        found = super().__new__(cls)
        found.__dict__.update(data.__dict__)
        return found

    def __init__(self, *_: Any) -> None:
        """All is there already; pickles may call it or not."""

    def __setstate__(self, state: Any) -> None:
        """Whether it was trained, and hooks: not kept."""


def _make_size(numbers: Any = ()) -> list[Any]:
    """torch.Size: plain numbers."""
    return list(numbers)


def _rebuild_object(meta: Any) -> Inert:
    """NVIDIA's persistent objects: class name and state; the source text in them is dropped."""
    if not isinstance(meta, dict):
        raise BadInputError("a persistent object in it is put together wrongly")
    found = inert_class(str(meta.get("class_name", "")))()
    found.state = meta.get("state", {})
    return found


class DType:
    """numpy.dtype, as text."""

    def __init__(self, code: str = "", *_: Any) -> None:
        self.code, self.order = str(code), "<"

    def __setstate__(self, state: Any) -> None:
        order = state[1] if isinstance(state, tuple) and len(state) > 1 else "<"
        self.order = order if order in ("<", ">", "|") else "<"

    @property
    def is_text_or_time(self) -> bool:
        """Whether it is a type of which no weights are: text, dates, raw bytes, records."""
        return self.code[:1] in set("MmUSVc")

    def numpy(self) -> np.dtype[Any]:
        """The type itself, when it is one of plain numbers."""
        if self.code[:1] not in set("fiub") or not self.code[1:].isdigit():
            raise BadInputError(f"an array in it has the type {self.code[:20]!r}, not numbers")
        return np.dtype(("" if self.order == "|" else self.order) + self.code)


class ArrayNode:
    """numpy.ndarray while it is put together."""

    def __init__(self, *_: Any) -> None:
        self.shape: tuple[int, ...] = ()
        self.dtype, self.fortran, self.data = DType("f4"), False, b""
        self.objects: list[Any] | None = None

    def __setstate__(self, state: Any) -> None:
        try:
            _, shape, self.dtype, self.fortran, data = state
            self.shape = tuple(int(n) for n in shape)
        except (TypeError, ValueError) as error:
            raise BadInputError("an array in it is put together wrongly") from error
        if isinstance(data, list):
            self.objects = data
        else:
            self.data = data.encode("latin1") if isinstance(data, str) else data
        if not isinstance(self.data, bytes) or not isinstance(self.dtype, DType):
            raise BadInputError("an array in it is put together wrongly")

    @property
    def nbytes(self) -> int:
        """How much memory its numbers take."""
        return len(self.data)

    def array(self) -> Array:
        """Its numbers; BadInputError when shape and bytes do not agree."""
        dtype = self.dtype.numpy()
        if min(self.shape, default=0) < 0:
            raise BadInputError("an array in it has a negative size")
        if math.prod(self.shape) * dtype.itemsize != len(self.data):
            raise BadInputError(f"an array in it of shape {list(self.shape)} is cut short")
        flat = np.frombuffer(self.data, dtype)
        return flat.reshape(self.shape, order="F" if self.fortran else "C")


def _rebuild_scalar(dtype: Any, data: Any = b"") -> Any:
    """numpy.core.multiarray.scalar -> a plain number."""
    if not isinstance(dtype, DType):
        raise BadInputError("a number in it is put together wrongly")
    if dtype.is_text_or_time:
        return inert_class(f"numpy.{dtype.code}")()
    node = ArrayNode()
    node.__setstate__((1, (), dtype, False, data))
    return node.array().item()


def _encode_text(text: str, coding: str = "latin1") -> bytes:
    """_codecs.encode, which protocol 2 uses for bytes."""
    return str(text).encode("latin1" if coding == "latin1" else "utf-8")


def _make_bytes(data: Any = b"", *_: Any) -> bytes:
    """bytearray: of other bytes only, since of a number it would be so many zeros."""
    if isinstance(data, str):
        return data.encode("latin1", "replace")
    return bytes(data) if isinstance(data, (bytes, bytearray)) else b""


def _rebuild_array(*_: Any) -> ArrayNode:
    """numpy.core.multiarray._reconstruct."""
    return ArrayNode()


class StorageType(Fixed):
    """torch.FloatStorage and its like: only the name of a type."""

    def __init__(self, name: str) -> None:
        self.dtype = DTYPES[name]


ALLOWED: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): Bag,
    ("collections", "defaultdict"): FactoryBag,
    ("easydict", "EasyDict"): Bag,
    ("builtins", "getattr"): Maker(make_attribute),
    ("__builtin__", "getattr"): Maker(make_attribute),
    ("builtins", "frozenset"): set,
    ("__builtin__", "frozenset"): set,
    ("builtins", "bytearray"): Maker(_make_bytes),
    ("copyreg", "_reconstructor"): Maker(_rebuild_plain_object),
    ("copy_reg", "_reconstructor"): Maker(_rebuild_plain_object),
    ("collections", "Counter"): Bag,
    ("dnnlib.util", "EasyDict"): Bag,
    ("builtins", "set"): set,
    ("__builtin__", "set"): set,
    ("_codecs", "encode"): Maker(_encode_text),
    ("argparse", "Namespace"): inert_class("argparse.Namespace"),
    ("dnnlib.tflib.network", "Network"): inert_class("dnnlib.tflib.network.Network"),
    ("torch_utils.persistence", "_reconstruct_persistent_obj"): Maker(_rebuild_object),
    ("torch", "Size"): Maker(_make_size),
    ("torch", "device"): inert_class("torch.device"),
    ("torch.nn.parameter", "Parameter"): ParameterNode,
    ("torch._utils", "_rebuild_tensor"): Maker(_rebuild_tensor),
    ("torch._utils", "_rebuild_tensor_v2"): Maker(_rebuild_tensor),
    ("torch._utils", "_rebuild_parameter"): Maker(_rebuild_parameter),
    ("torch._utils", "_rebuild_parameter_with_state"): Maker(_rebuild_parameter),
    ("torch._tensor", "_rebuild_from_type_v2"): Maker(_rebuild_subclass),
    ("numpy", "ndarray"): ArrayNode,
    ("numpy", "dtype"): DType,
    **{("torch", name): StorageType(name) for name in DTYPES},
    **{
        (f"numpy.{core}.multiarray", "_reconstruct"): Maker(_rebuild_array)
        for core in ("core", "_core")
    },
    **{
        (f"numpy.{core}.multiarray", "scalar"): Maker(_rebuild_scalar) for core in ("core", "_core")
    },
    **{
        (f"numpy.{core}.numeric", "_frombuffer"): Maker(_rebuild_buffer)
        for core in ("core", "_core")
    },
    **{
        (f"pathlib{home}", f"{pure}{kind}Path"): Maker(join_path)
        for home in ("", "._local")
        for pure in ("", "Pure")
        for kind in ("", "Posix", "Windows")
    },
}
"""(module, name) -> stand-in. ``torch.storage._load_from_bytes`` is added by the unpickler."""
