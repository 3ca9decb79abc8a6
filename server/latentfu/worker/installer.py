"""The process that installs networks: ``python -m latentfu.worker.installer``.

The front starts it. It answers what is there while an installation goes on in a thread.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any

from latentfu.core.errors import CancelledError, LatentFuError
from latentfu.core.process_memory import limit_memory, limit_to_machine
from latentfu.core.progress import ByteCount, Progress
from latentfu.jobs import frames
from latentfu.jobs.frames import Message
from latentfu.worker import networks
from latentfu.worker.talk import Send, claim_stdout, explain_fault, make_sender

_PROGRESS_EVERY_S = 0.1


def main() -> None:
    """Serve the front until it closes the pipe; what has come of a file stays on the disk."""
    limit_memory(None)  # the front's is not for networks
    limit_to_machine()  # networks are tried on the processor
    send = make_sender(claim_stdout())
    desk = InstallerDesk(send)
    while (message := frames.read_frame(sys.stdin.buffer)) is not None:
        if message["do"] == "stop":
            break
        desk.take(message)
    os._exit(0)


class InstallerDesk:
    """Does what the front asks and says how it went."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._unwanted: set[str] = set()

    def take(self, message: Message) -> None:
        """Answer, or begin what takes long."""
        asked: Any = message
        match message["do"]:
            case "networks":
                self._attempt(asked, lambda: {"networks": networks.list_networks()})
            case "remove":
                self._attempt(asked, lambda: {"message": networks.remove_network(asked["network"])})
            case "install":
                work = threading.Thread(
                    target=self._attempt, args=(asked, lambda: self._install(asked)), daemon=True
                )
                work.start()
            case "cancel":
                self._unwanted.add(str(message["id"]))

    def _install(self, asked: Any) -> dict[str, object]:
        body = asked["body"]
        return networks.install_network_by_name(
            str(body["network"]), bool(body.get("agreed")), self._watch(str(asked["id"]))
        )

    def _watch(self, work_id: str) -> Progress:
        last_time, last_phase = 0.0, ""

        def progress(fraction: float, message: str = "") -> None:
            nonlocal last_time, last_phase
            if work_id in self._unwanted:
                raise CancelledError
            now, count = time.monotonic(), message if isinstance(message, ByteCount) else None
            phase = "bytes" if count else message
            if phase == last_phase and now - last_time < _PROGRESS_EVERY_S and fraction < 1:
                return
            last_time, last_phase = now, phase
            told = {
                "fraction": min(max(float(fraction), 0.0), 1.0),
                "message": str(message),
                "done": count.done if count else None,
                "total": count.total if count else None,
            }
            self._send({"event": "progress", "id": work_id, **told})

        progress(0.0)
        return progress

    def _attempt(self, asked: Any, do: Callable[[], dict[str, object]]) -> None:
        work_id = str(asked["id"])
        try:
            self._send({"event": "done", "id": work_id, "report": do()})
        except LatentFuError as error:
            self._failed(work_id, error.code, str(error))
        except (Exception, SystemExit) as error:
            traceback.print_exc(file=sys.stderr)
            self._failed(work_id, *explain_fault(error))
        finally:
            self._unwanted.discard(work_id)

    def _failed(self, work_id: str, code: str, message: str) -> None:
        self._send({"event": "failed", "id": work_id, "code": code, "message": message})


if __name__ == "__main__":
    main()
