"""What waits for the worker's one pair of hands, filled by the thread that reads the pipe."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from typing import IO

from latentfu.jobs import frames
from latentfu.jobs.frames import Message

REST: Message = {"do": "rest"}
"""Nothing has come for a while."""


class Mailbox:
    """Messages in the order of their urgency.

    The catalogue, previews (the newest of each session), questions to plug-ins, jobs.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._changed = threading.Condition()
        self._catalogs: deque[Message] = deque()
        self._previews: dict[str, Message] = {}
        self._routes: deque[Message] = deque()
        self._jobs: deque[Message] = deque()
        self._unwanted: set[str] = set()
        self._stopped = False

    def start(self) -> None:
        """Begin to read; when the front closes the pipe or dies, this process ends at once."""
        threading.Thread(target=self._read_all, name="mailbox", daemon=True).start()

    def next(self, patience: Callable[[], float | None] = lambda: None) -> Message | None:
        """Wait for the most urgent message; None when the worker is to stop.

        ``patience``: asked for the seconds to wait; when nothing came in them, the message
        is `REST`. None: as long as it takes.
        """
        with self._changed:
            while True:
                if self._stopped:
                    return None
                if self._catalogs:
                    return self._catalogs.popleft()
                if self._previews:
                    return self._previews.pop(next(iter(self._previews)))
                if self._routes:
                    return self._routes.popleft()
                if self._jobs:
                    return self._jobs.popleft()
                if not self._changed.wait(patience()):
                    return REST

    def waiting_catalogs(self) -> list[Message]:
        """Take the catalogue requests that wait."""
        with self._changed:
            found = list(self._catalogs)
            self._catalogs.clear()
            return found

    def waiting_previews(self) -> list[Message]:
        """The previews that wait, left where they are."""
        with self._changed:
            return list(self._previews.values())

    def take_preview(self, message: Message) -> bool:
        """Take one of them, unless a newer one has replaced it."""
        with self._changed:
            session = str(message["session"])
            if self._previews.get(session) is not message:
                return False
            del self._previews[session]
            return True

    def is_overtaken(self, message: Message) -> bool:
        """Whether this preview was cancelled, or a newer one of its session waits."""
        with self._changed:
            newer = self._previews.get(str(message["session"]), message)
        return newer is not message or self.is_unwanted(str(message["id"]))

    def is_unwanted(self, work_id: str) -> bool:
        """Whether this piece of work was cancelled (or everything is)."""
        return self._stopped or work_id in self._unwanted

    def forget(self, work_id: str) -> None:
        """The work has ended: its id may be cancelled no more."""
        with self._changed:
            self._unwanted.discard(work_id)

    def _read_all(self) -> None:
        while (message := frames.read_frame(self._stream)) is not None:
            with self._changed:
                self._take(message)
                self._changed.notify()
        # The front is gone: nobody can use what is being made, and long C code would not stop.
        os._exit(0)

    def _take(self, message: Message) -> None:
        match message.get("do"):
            case "catalog":
                self._catalogs.append(message)
            case "preview":
                self._previews[str(message["session"])] = message
            case "route" | "inverters":
                self._routes.append(message)
            case "job":
                self._jobs.append(message)
            case "cancel":
                self._unwanted.add(str(message["id"]))
            case "stop":
                self._stopped = True
