"""Work that needs more memory than there is: again with room made, in smaller parts, elsewhere."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, Generic, Protocol, TypeVar

from latentfu.core.errors import OutOfMemoryError, is_memory_fault
from latentfu.core.progress import Progress


class _Releasing(Protocol):
    def release_memory(self) -> None: ...


T = TypeVar("T")
E = TypeVar("E", bound=_Releasing)
_log = logging.getLogger(__name__)
_AGAIN = "The device was short of memory: once more with nothing else in it"
_SLOWER = "The device has too little memory: the processor does it, which takes longer"
_FEWER = "There was too little memory for {more} at once: {fewer} at a time"
_SAID = "The device had too little memory, so the processor did it: a smaller layer is quicker."


def run_with_room(work: Callable[[], T], make_room: Callable[[], bool]) -> T:
    """``work()``; where memory runs out, once more after ``make_room()``.

    Args:
        work: done from its beginning each time.
        make_room: frees what it can; False where there is nothing, so that the fault is final.

    Raises:
        OutOfMemoryError: there is too little memory all the same; and whatever else it raises.
    """
    attempt = _Attempt()
    with attempt:
        return work()
    # Here, the frames of the failed work, and what they held, are gone.
    if not make_room():
        raise OutOfMemoryError from attempt.fault
    return work()


def work_in_parts(
    work: Callable[[slice], T], count: int, at_once: int, progress: Progress | None = None
) -> list[T]:
    """Work on many things, a part of them at a time, in parts that memory has room for.

    Where it runs out, the part is done again in halves, and all that follow are no larger.

    Args:
        work: does the things of that range, and gives what it found.
        count: how many there are.
        at_once: the most at a time.
        progress: told that there are fewer at once; the log is told in any case.

    Returns:
        What was found, part by part, in their order.

    Raises:
        OutOfMemoryError: there is too little memory even for one.

    >>> work_in_parts(lambda part: list(range(part.start, part.stop)), 5, 2)
    [[0, 1], [2, 3], [4]]
    """
    done: list[T] = []
    start, size = 0, max(1, at_once)
    while start < count:
        end, attempt = min(start + size, count), _Attempt()
        with attempt:
            done.append(work(slice(start, end)))
        if attempt.fault is None:
            start = end
            continue
        if end - start == 1:
            raise OutOfMemoryError from attempt.fault
        size = (end - start) // 2
        free_unused_memory()
        sentence = _FEWER.format(more=end - start, fewer=size)
        _log.warning("%s", sentence)
        if progress is not None:
            progress(start / count, sentence)
    return done


def free_unused_memory() -> None:
    """Give back what torch keeps for later on the graphics card."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()


class MemoryReserve(Generic[E]):
    """``device``: what the editor works on. ``make``: an editor for the processor, when needed."""

    def __init__(self, device: str, make: Callable[[], E]) -> None:
        self._device = device
        self._make = make

    def run(self, editor: E, work: Callable[[E, Progress], T], progress: Progress) -> T:
        """``work`` where there is room for it; ``progress`` and the report say what was changed.

        Args:
            editor: of the device.
            work: done with an editor, from its beginning each time.
            progress: of the whole.

        Raises:
            OutOfMemoryError: the processor has too little memory as well; and whatever else
                ``work`` raises.
        """

        def make_room(sentence: str) -> bool:
            _log.warning("%s: %s", self._device, sentence)
            editor.release_memory()
            progress(0.0, sentence)
            return True

        def do() -> T:
            return run_with_room(lambda: work(editor, progress), lambda: make_room(_AGAIN))

        if self._device == "cpu":
            return do()
        with _Attempt():
            return do()
        make_room(_SLOWER)
        return _note_slowness(work(self._make(), progress))


def _note_slowness(outcome: T) -> T:
    """The outcome, with a warning in its report if it has one."""
    report: Any = getattr(outcome, "report", None)
    if not hasattr(report, "warning"):
        return outcome
    said = " ".join(filter(None, (report.warning, _SAID)))
    whole: Any = outcome
    noted: T = replace(whole, report=report.model_copy(update={"warning": said}))
    return noted


class _Attempt(AbstractContextManager[None]):
    """Swallows that memory has run out, and nothing else; ``fault``: that it has."""

    def __init__(self) -> None:
        self.fault: BaseException | None = None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        if error is None or not (isinstance(error, OutOfMemoryError) or is_memory_fault(error)):
            return False
        # Without its frames: they hold what filled the memory.
        self.fault = error.with_traceback(None)
        self.fault.__context__ = self.fault.__cause__ = None
        return True
