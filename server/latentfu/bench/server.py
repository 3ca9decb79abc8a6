"""A server of its own in an empty home, for measuring."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from latentfu.client.client import Client
from latentfu.core.errors import ServerError

_PATIENCE_S = 120.0


@contextmanager
def own_server() -> Iterator[Client]:
    """Start ``latentfu serve`` on a free port with its own settings and stop it at the end."""
    with (
        tempfile.TemporaryDirectory(prefix="latentfu-bench-", ignore_cleanup_errors=True) as home,
        mock.patch.dict(os.environ, {"LATENTFU_HOME": home}),
    ):
        command = [sys.executable, "-P", "-m", "latentfu", "serve", "--port", "0"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield wait_for_health(process)
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_for_health(process: subprocess.Popen[bytes]) -> Client:
    """The client of the server as soon as it answers; raises ServerError if it never does."""
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end:
        try:
            return Client.connect()
        except ServerError:
            if process.poll() is not None:
                break
            time.sleep(0.005)
    raise ServerError("The server did not start: run latentfu serve to see why.")


def wait_for_worker(client: Client) -> None:
    """Until the worker takes jobs."""
    end = time.monotonic() + _PATIENCE_S
    while client.health().worker.state != "ready":
        if time.monotonic() > end:
            raise ServerError("The worker did not start: run latentfu serve to see why.")
        time.sleep(0.01)
