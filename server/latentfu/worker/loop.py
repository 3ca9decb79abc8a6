"""The worker's one pair of hands: previews first, then jobs, and previews between their steps."""

from __future__ import annotations

import json
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latentfu.core.errors import CancelledError, LatentFuError, OutOfMemoryError, is_memory_fault
from latentfu.core.progress import Progress
from latentfu.jobs.frames import Message
from latentfu.pipeline.network_memory import read_unload_seconds
from latentfu.pipeline.spare_memory import MemoryReserve
from latentfu.protocol.pictures import PictureSource
from latentfu.protocol.requests import (
    PREVIEW_REQUEST,
    WORKER_JOB_REQUEST,
    FindRequest,
    MakeRequest,
    parse_request,
)
from latentfu.worker.mailbox import REST, Mailbox
from latentfu.worker.pictures import write_change, write_layer
from latentfu.worker.talk import Send, explain_fault

if TYPE_CHECKING:
    from latentfu.core.layer import Layer
    from latentfu.pipeline.editor import Editor
    from latentfu.pipeline.paste_back import Outcome

_PROGRESS_EVERY_S = 0.05


class WorkerLoop:
    """Does what comes out of the mailbox and says how it went."""

    def __init__(
        self,
        editor: Editor,
        pictures: PictureSource,
        mailbox: Mailbox,
        send: Send,
        catalog: Send,
        *,
        reserve: MemoryReserve[Editor],
    ) -> None:
        self._reserve = reserve
        self._editor = editor
        self._pictures = pictures
        self._mailbox = mailbox
        self._send = send
        self._catalog = catalog
        self._judged: set[str] = set()
        self._rested = True  # nothing is loaded yet

    def work(self) -> None:
        """Until the front says stop."""
        while (message := self._mailbox.next(self._choose_patience)) is not None:
            self._rested = message is REST
            match message["do"]:
                case "rest":
                    self._editor.release_memory()
                case "catalog":
                    self._catalog(message)
                case "preview":
                    self._attempt(message, lambda m: self._preview(m, self._watch(m, False)))
                case "route":
                    self._attempt(message, self._route)
                case "inverters":
                    self._attempt(message, self._list_inverters)
                case "job":
                    self._attempt(message, self._job)

    def _choose_patience(self) -> float | None:
        """How long to wait for work before networks are unloaded; None once they are."""
        return None if self._rested else read_unload_seconds()

    def _job(self, message: Message) -> dict[str, object]:
        progress = self._watch(message, True)
        progress(0.0)
        request = parse_request(WORKER_JOB_REQUEST, json.dumps(message["body"]))
        if isinstance(request, FindRequest):
            return self._editor.find_faces(request, self._pictures).to_wire()
        if isinstance(request, MakeRequest):
            return self._make_direction(request, progress)

        def work(editor: Editor, told: Progress) -> Outcome:
            return editor.run(request, self._pictures, told)

        outcome = self._reserve.run(self._editor, work, progress)
        if request.as_change and outcome.change is not None:
            write_change(Path(str(message["out"])), outcome.change)
        else:
            write_layer(Path(str(message["out"])), outcome.layer)
        return outcome.report.to_wire()

    def _make_direction(self, request: MakeRequest, progress: Progress) -> dict[str, object]:
        """The report; the front knows of what was kept before it hears that the job is done."""
        made = self._reserve.run(
            self._editor, lambda editor, told: editor.making.report(request, told), progress
        )
        if made.kept:
            self._catalog({})
        return made.to_wire()

    def _route(self, message: Message) -> dict[str, object]:
        from latentfu.pipeline.plugin_calls import answer_route
        from latentfu.plugin_objects import RouteRequest

        asked: Any = message
        request = RouteRequest(asked["query"], asked["body"], self._watch(message, False))
        return {"reply": answer_route(str(message["route"]), request)}

    def _list_inverters(self, message: Message) -> dict[str, object]:
        return {"reply": self._editor.list_inverters(str(message["generator"]))}

    def _preview(self, message: Message, progress: Progress) -> dict[str, object]:
        def check() -> None:
            if self._mailbox.is_overtaken(message):
                raise CancelledError

        request = parse_request(PREVIEW_REQUEST, json.dumps(message["body"]))

        def work(editor: Editor, told: Progress) -> Layer:
            return editor.preview(request, self._pictures, told, check=check)

        layer = self._reserve.run(self._editor, work, progress)
        write_layer(Path(str(message["out"])), layer)
        return {}

    def _attempt(self, message: Message, do: Callable[[Message], dict[str, object]]) -> None:
        """Do it and send ``done`` or ``failed``: no error of the work ends the worker."""
        work_id, is_full = str(message["id"]), False
        try:
            if self._mailbox.is_unwanted(work_id):
                raise CancelledError
            report = do(message)
            self._send({"event": "done", "id": work_id, "report": report})
        except LatentFuError as error:
            self._failed(work_id, error.code, str(error))
            is_full = isinstance(error, OutOfMemoryError)
        except (Exception, SystemExit) as error:
            traceback.print_exc(file=sys.stderr)
            self._failed(work_id, *explain_fault(error))
            is_full = is_memory_fault(error)
        finally:
            self._mailbox.forget(work_id)
            self._judged.discard(work_id)
        if is_full:  # the work's own frames are gone by now
            self._editor.release_memory()

    def _failed(self, work_id: str, code: str, message: str) -> None:
        self._send({"event": "failed", "id": work_id, "code": code, "message": message})

    def _watch(self, work: Message, between: bool) -> Progress:
        """A progress that tells the front, notices a cancel, and lets previews in between."""
        work_id = str(work["id"])
        last_time, last_message = 0.0, "\0"

        def progress(fraction: float, message: str = "") -> None:
            nonlocal last_time, last_message
            if self._mailbox.is_unwanted(work_id):
                raise CancelledError
            now = time.monotonic()
            if message != last_message or now - last_time > _PROGRESS_EVERY_S:
                last_time, last_message = now, message
                self._send(
                    {
                        "event": "progress",
                        "id": work_id,
                        "fraction": min(max(float(fraction), 0.0), 1.0),
                        "message": message,
                    }
                )
            if between:
                self._serve_between(work_id)

        return progress

    def _serve_between(self, job_id: str) -> None:
        """Between two steps of a long job: the catalogue, and previews that cost one render.

        Raises CancelledError as soon as the job itself is not wanted any more.
        """
        for message in self._mailbox.waiting_catalogs():
            self._catalog(message)
        for message in self._mailbox.waiting_previews():
            work_id = str(message["id"])
            if work_id in self._judged:
                continue
            self._judged.add(work_id)
            if self._mailbox.is_unwanted(job_id):  # however many previews wait
                raise CancelledError
            if self._is_quick(message) and self._mailbox.take_preview(message):
                self._attempt(message, lambda m: self._preview(m, self._watch(m, False)))

    def _is_quick(self, message: Message) -> bool:
        try:
            request = parse_request(PREVIEW_REQUEST, json.dumps(message["body"]))
            return self._editor.is_inverted(request, self._pictures)
        except Exception:
            return True  # It fails at once, and its own attempt says why.
