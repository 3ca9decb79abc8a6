"""A server for the time of the demo: yours if one runs, else one that ends with it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from latentfu.core.errors import ServerError
from latentfu.core.progress import Progress, silent
from latentfu.client.client import Client

STOP_SECONDS = 15.0


@contextmanager
def lent_server(progress: Progress = silent) -> Iterator[Client]:
    """The running server, left running; or a new one, stopped at the end."""
    try:
        client = Client.connect()
    except ServerError:
        client = Client.ensure_running(progress)
    else:
        yield client
        return
    try:
        yield client
    finally:
        stop(client)


def stop(client: Client) -> None:
    """Stop the server and wait until it no longer answers."""
    try:
        client.shutdown()
        end = time.monotonic() + STOP_SECONDS
        while time.monotonic() < end:
            client.health()
            time.sleep(0.05)
    except ServerError:
        return
