"""Running a plug-in's code so that nothing it raises or prints reaches the program."""

from __future__ import annotations

import contextlib
import importlib
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import TypeVar

T = TypeVar("T")
_OWN_FILES = frozenset({__file__, importlib.__file__, str(Path(__file__).with_name("plugin.py"))})


class PluginFaultError(Exception):
    """What a plug-in did wrong, for its author: the reason it is quarantined."""

    @property
    def traceback(self) -> str:
        """Where the error behind it comes from, without our own frames; empty without one."""
        error = self.__cause__
        if error is None:
            return ""
        frames = error.__traceback__
        while frames is not None and frames.tb_frame.f_code.co_filename in _OWN_FILES:
            frames = frames.tb_next
        lines = traceback.format_exception(type(error), error, frames, limit=-20, chain=True)
        return "".join(lines)[-8000:]


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
def hint_when_slow(name: str, after_seconds: float = 5.0) -> Iterator[None]:
    """Say on stderr who is to blame when plug-in ``name`` takes long: it may never come back.

    A plug-in that hangs cannot be stopped from inside its own process; the person can.
    """
    hint = f"Still waiting for the plug-in {name}; if it hangs: latentfu plugins disable {name}\n"
    timer = threading.Timer(after_seconds, lambda: sys.stderr.write(hint))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextlib.contextmanager
def _notice_ctrl_c() -> Iterator[list[int]]:
    """A list that is filled when Ctrl-C is really pressed, and not when code raises the error."""
    usual = signal.getsignal(signal.SIGINT)
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or usual is not signal.default_int_handler:
        yield _pressed if usual is _note else []
        return
    _pressed.clear()
    signal.signal(signal.SIGINT, _note)
    try:
        yield _pressed
    finally:
        if signal.getsignal(signal.SIGINT) is _note:
            signal.signal(signal.SIGINT, usual)


_pressed: list[int] = []


def _note(number: int, frame: FrameType | None) -> None:
    _pressed.append(number)
    raise KeyboardInterrupt


def _one_line(error: BaseException) -> str:
    try:
        text = " ".join(str(error).split())
    except BaseException:
        text = "(its message cannot be read)"
    return f"{type(error).__name__}: {text[:300]}" if text else type(error).__name__
