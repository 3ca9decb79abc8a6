"""Work that needs more memory than the device has: again with it emptied, then on the processor."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING

from latentfu.core.errors import OutOfMemoryError, is_memory_fault
from latentfu.core.progress import Progress

if TYPE_CHECKING:
    from latentfu.pipeline.editor import Editor
    from latentfu.pipeline.paste_back import Outcome

_log = logging.getLogger(__name__)
_AGAIN = "The device was short of memory: once more with nothing else in it"
_SLOWER = "The device has too little memory: the processor does it, which takes longer"
_SAID = "The device had too little memory, so the processor did it: a smaller layer is quicker."
_Work = Callable[["Editor", Progress], "Outcome"]


class MemoryReserve:
    """``device``: what the editor works on. ``make``: an editor for the processor, when needed."""

    def __init__(self, device: str, make: Callable[[], Editor]) -> None:
        self._device = device
        self._make = make

    def run(self, editor: Editor, work: _Work, progress: Progress) -> Outcome:
        """``work`` where there is room for it; ``progress`` and the report say what was changed.

        Args:
            editor: of the device.
            work: done with an editor, from its beginning each time.
            progress: of the whole.

        Raises:
            OutOfMemoryError: the processor has too little memory as well; and whatever else
                ``work`` raises.
        """
        with _Attempt():
            return work(editor, progress)
        # Here, the frames of the failed work, and what they held, are gone.
        self._make_room(editor, progress, _AGAIN)
        if self._device == "cpu":
            return work(editor, progress)
        with _Attempt():
            return work(editor, progress)
        self._make_room(editor, progress, _SLOWER)
        outcome = work(self._make(), progress)
        report = outcome.report
        if not hasattr(report, "warning"):
            return outcome
        said = " ".join(filter(None, (report.warning, _SAID)))
        return replace(outcome, report=report.model_copy(update={"warning": said}))

    def _make_room(self, editor: Editor, progress: Progress, sentence: str) -> None:
        _log.warning("%s: %s", self._device, sentence)
        editor.release_memory()
        progress(0.0, sentence)


class _Attempt(AbstractContextManager[None]):
    """Swallows that memory has run out, and nothing else."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        return error is not None and (isinstance(error, OutOfMemoryError) or is_memory_fault(error))
