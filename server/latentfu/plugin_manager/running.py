"""Calling what plug-ins brought: whatever goes wrong becomes a sentence that names them."""

from __future__ import annotations

import contextlib
import logging
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from latentfu.core.errors import (
    LatentFuError,
    OutOfMemoryError,
    PluginFailedError,
    is_memory_fault,
)
from latentfu.core.generator import Generator
from latentfu.hookspecs import KINDS
from latentfu.plugin_manager.network_access import explain_refused_socket
from latentfu.plugin_manager.registry import get_registry
from latentfu.plugin_manager.validation import key_of
from latentfu.plugin_objects import GeneratorSpec

T = TypeVar("T")
_log = logging.getLogger(__name__)
_PROGRAM = str(Path(__file__).parents[1])


def call_plugin(item: object, doing: str, call: Callable[[], T]) -> T:
    """``call()``, which runs the code of ``item``, an object that a hook returned.

    What the code prints goes to stderr. Sentences of its own (:class:`LatentFuError`) pass.

    Args:
        item: the object, or an opened generator.
        doing: what it is at, for the sentence: "was loaded", "worked".
        call: the work.

    Raises:
        PluginFailedError: it raised anything else, or tried to end the program; names the object,
            its plug-in and the line.
        OutOfMemoryError: there was too little memory.
    """
    try:
        with contextlib.redirect_stdout(sys.stderr):
            return call()
    except LatentFuError:
        raise
    except SystemExit as error:
        raise PluginFailedError(
            f"{describe_item(item)} tried to end the program while it {doing}{_place(error)}."
        ) from error
    except Exception as error:
        if is_memory_fault(error):
            raise OutOfMemoryError from error
        _log.warning("%s failed:\n%s", describe_item(item), "".join(_lines(error)))
        first = " ".join(str(error).split())[:200]
        what = f"{type(error).__name__}: {first}" if first else type(error).__name__
        raise PluginFailedError(
            f"{describe_item(item)} failed while it {doing} ({what}){_place(error)}."
            f"{explain_refused_socket(error)}"
        ) from error


def refuse_result(item: object, gave: object, wanted: str) -> PluginFailedError:
    """The error for a result that is not what it has to be.

    Args:
        item: whose result it is.
        gave: the result, or words about it.
        wanted: what it has to be, with its article.
    """
    text = gave if isinstance(gave, str) else f"a {type(gave).__name__}"
    text = "None" if gave is None else text
    return PluginFailedError(f"{describe_item(item)} gave {text} instead of {wanted}.")


def describe_item(item: object) -> str:
    """``The loss soft of the plug-in teapots (package latentfu-teapots)``."""
    registry = get_registry()
    if isinstance(item, Generator):
        specs = registry.installed(GeneratorSpec).values()
        spec = next((each for each in specs if each.id == item.id), None)
        owner, word, name = (registry.owner(spec) if spec else None), "generator", item.name
    else:
        word = next((k.word for k in KINDS.values() if isinstance(item, k.cls)), "object")
        owner, name = registry.owner(item), key_of(item)
    return f"The {word} {name}" + (f" of {owner.described}" if owner else "")


def _lines(error: BaseException) -> list[str]:
    return traceback.format_exception(type(error), error, error.__traceback__, limit=-15)


def _place(error: BaseException) -> str:
    """Where in somebody's code it happened; empty where it was in the program's own."""
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [frame for frame in frames if not frame.filename.startswith(_PROGRAM)]
    own = [frame for frame in theirs if "torch" not in Path(frame.filename).parts] or theirs
    return f", in {Path(own[-1].filename).name} line {own[-1].lineno}" if own else ""
