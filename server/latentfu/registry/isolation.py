"""Running a plug-in's code so that nothing it raises or prints reaches the program."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import TypeVar

T = TypeVar("T")


class PluginFaultError(Exception):
    """What a plug-in did wrong, for its author: the reason it is quarantined."""


def run_isolated(what: str, call: Callable[[], T]) -> T:
    """``call()``; whatever it raises, ``SystemExit`` too, becomes a :class:`PluginFaultError`.

    A Ctrl-C of the person at the keyboard still goes through. What the plug-in prints goes to
    stderr, so that ``--json`` output stays whole.
    """
    with _notice_ctrl_c() as pressed, contextlib.redirect_stdout(sys.stderr):
        try:
            return call()
        except PluginFaultError:
            raise
        except SystemExit as error:
            raise PluginFaultError(f"called sys.exit({error.code!r}) {what}") from error
        except KeyboardInterrupt as error:
            if pressed:
                raise
            raise PluginFaultError(f"raised KeyboardInterrupt {what}") from error
        except BaseException as error:
            raise PluginFaultError(f"raised {_one_line(error)} {what}") from error


@contextlib.contextmanager
def _notice_ctrl_c() -> Iterator[list[int]]:
    """A list that is filled when Ctrl-C is really pressed, and not when code raises the error."""
    pressed: list[int] = []
    usual = signal.getsignal(signal.SIGINT)
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or usual is not signal.default_int_handler:
        yield pressed
        return

    def note(number: int, frame: FrameType | None) -> None:
        pressed.append(number)
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, note)
    try:
        yield pressed
    finally:
        if signal.getsignal(signal.SIGINT) is note:
            signal.signal(signal.SIGINT, usual)


def _one_line(error: BaseException) -> str:
    try:
        text = " ".join(str(error).split())
    except BaseException:
        text = "(its message can not be read)"
    return f"{type(error).__name__}: {text[:300]}" if text else type(error).__name__
