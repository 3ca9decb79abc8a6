"""Objects of classes that are not here: a name and what they held, and no behavior.

A checkpoint keeps its trainer's options beside the weights: paths, dates, enums, settings of any
class. None of them matters for a network, so none is imported and each becomes a name that holds
its state. Where a tensor is made of one, whoever wants the tensor finds that name in its place.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from latentfu.core.errors import BadInputError

_LONGEST_NAME = 200
RUNNERS = frozenset(
    """
    os posix posixpath nt ntpath sys subprocess multiprocessing pty shutil socket ssl ctypes cffi
    importlib imp runpy pkgutil code codeop codecs marshal types operator functools itertools
    inspect ast dis bdb pdb timeit trace profile cProfile threading asyncio concurrent signal
    webbrowser urllib urllib2 http ftplib smtplib telnetlib xmlrpc commands popen2 platform pip
    setuptools pickle _pickle cPickle shelve dill cloudpickle joblib site venv ensurepip gc tempfile
    """.split()  # noqa: SIM905
)
"""Modules that start programs, load code or reach the network: no options are made of these."""
_BUILTINS = ("builtins", "__builtin__")
_BUILTIN_TYPES = frozenset(
    """
    object bool int long float complex str unicode bytes bytearray list tuple dict frozenset range
    xrange slice type NoneType Ellipsis NotImplemented
    """.split()  # noqa: SIM905
)


class Inert:
    """An object of a class that is not here: its name and its state.

    ``arguments``: what it was made of. ``pairs``: items set by key, ``items``: appended ones.
    """

    name = ""
    arguments: tuple[Any, ...]
    pairs: dict[Any, Any]
    items: list[Any]
    state: Any

    def __new__(cls, *arguments: Any, **_: Any) -> Inert:
        """Pickles make objects with and without a call of ``__init__``."""
        made = super().__new__(cls)
        made.arguments, made.pairs, made.items, made.state = arguments, {}, [], {}
        return made

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def __setitem__(self, key: Any, value: Any) -> None:
        self.pairs[key] = value

    def __repr__(self) -> str:
        return self.name

    def append(self, item: Any) -> None:
        """One more item of a list."""
        self.items.append(item)

    def extend(self, items: Iterable[Any]) -> None:
        """More items of a list."""
        self.items.extend(items)

    add = append

    @property
    def held(self) -> Any:
        """All that it holds: items of a mapping, of a list, its state, or what it was made of."""
        if self.pairs:
            return self.pairs
        return self.items or self.state or list(self.arguments)


class Attribute(Inert):
    """What getattr of an inert class gives: an enum's member. Calling it is calling a method."""

    def __call__(self, *_: Any) -> Any:
        """Refuse: a method of a class would have been run."""
        raise _refusal(self.name)


def inert_class(name: str) -> type[Inert]:
    """A stand-in for the class ``name``."""
    return type("Inert", (Inert,), {"name": name[:_LONGEST_NAME]})


def make_attribute(thing: Any, name: Any, *_: Any) -> Attribute:
    """builtins.getattr of a stand-in: its name alone."""
    owner = thing.name if _is_inert(thing) else type(thing).__name__
    made = Attribute()
    made.name = f"{owner}.{name}"[:_LONGEST_NAME]
    return made


def _is_inert(value: Any) -> bool:
    return isinstance(value, Inert) or (isinstance(value, type) and issubclass(value, Inert))


def _refusal(name: str) -> BadInputError:
    """The sentence for what would run if another program opened the file."""
    return BadInputError(f"it names {name[:_LONGEST_NAME]}, which no network needs")


def check_harmless(module: str, name: str) -> None:
    """BadInputError for a name that a file gives in order to run something.

    What is safe does not depend on this: no name is ever looked up. It tells a person that the
    file is an attack.
    """
    first = module.partition(".")[0].lstrip("_")
    *owners, last = name.split(".")
    runs = module in _BUILTINS and name not in _BUILTIN_TYPES
    methods = bool(owners) and not last[:1].isupper()
    reaches = any(part.lstrip("_") in RUNNERS for part in owners)
    if runs or methods or reaches or first in RUNNERS:
        raise _refusal(f"{module}.{name}")


def join_path(*parts: Any) -> str:
    """pathlib's paths, as text."""
    return "/".join(str(part) for part in parts).replace("//", "/")
