"""What plug-ins are asked and how long they take, on standard error for who looks for a fault."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator

VARIABLE = "LATENTFU_TRACE_PLUGINS"


@contextlib.contextmanager
def trace_hook(plugin: str, what: str) -> Iterator[None]:
    """Say that ``plugin`` does ``what``, how long it took, and what it raised.

    Nothing is said unless the environment variable ``LATENTFU_TRACE_PLUGINS`` is set.
    """
    if not os.environ.get(VARIABLE):
        yield
        return
    start, end = time.perf_counter(), "ok"
    try:
        yield
    except BaseException as error:
        end = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        raise
    finally:
        seconds = time.perf_counter() - start
        sys.stderr.write(f"plug-in {plugin}: {what}, {1000 * seconds:.1f} ms, {end}\n")
