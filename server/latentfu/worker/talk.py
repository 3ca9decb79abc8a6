"""How the processes that the front starts speak to it: frames out, faults as sentences."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from typing import IO

from latentfu.core.errors import OutOfMemoryError, is_memory_fault
from latentfu.jobs import frames

Send = Callable[[Mapping[str, object]], None]


def claim_stdout() -> IO[bytes]:
    """Keep the pipe for frames; from here on file descriptor 1 is the log."""
    pipe = os.dup(1)
    os.set_inheritable(pipe, False)
    os.dup2(2, 1)
    return os.fdopen(pipe, "wb")


def make_sender(out: IO[bytes]) -> Send:
    """What sends a message to the front, from any thread."""
    lock = threading.Lock()

    def send(message: Mapping[str, object]) -> None:
        with lock:
            out.write(frames.pack_frame(message))
            out.flush()

    return send


def explain_fault(error: BaseException) -> tuple[str, str]:
    """The code and the sentence for an error that is none of the program's own."""
    name = type(error).__name__
    if is_memory_fault(error):
        return OutOfMemoryError.code, str(OutOfMemoryError())
    if isinstance(error, SystemExit):
        return "internal", "A plug-in tried to end the program: see the server's log."
    first = str(error).strip().splitlines()[:1]
    what = f"{name}: {first[0][:200]}" if first else name
    return "internal", f"Something inside broke ({what}): the server's log has the details."
